package abuse

import (
	"errors"
	"fmt"
	"net/mail"
	"strings"

	"rempart/abuse/aggregate"
	"rempart/nexthop"
)

// Config is table [feedback].
type Config struct {
	// Addresses are where others report to: abuse@, and the rua of your DMARC and TLS-RPT records. Mail to them that comes through a
	// front door is delivered as any other, and read: complaints open cases, DMARC and TLS reports give figures. Default: none.
	Addresses []string `toml:"addresses"`

	// Domains are your own: DMARC and TLS reports on them and on what lies below them are kept. Default: the domains of addresses.
	Domains []string `toml:"domains"`

	// NextHop is where answers to complaints and DMARC reports are handed to, by SMTP: "127.0.0.1:10025", or "unix:/path" of a socket.
	// It must not ask this node again. Default: none.
	NextHop string `toml:"next_hop"`

	nexthop.Access

	// From is the author of answers: "Abuse desk <abuse@example.net>". Set next_hop with it. Default: none; an answer is noted, and you
	// send it.
	From string `toml:"from"`

	// DMARC is the reports that go out: to the owners of domains in whose name mail came in.
	DMARC aggregate.Config `toml:"dmarc"`
}

// Check names every key that is wrong.
func (c Config) Check() error {
	var errs []error
	for _, a := range c.Addresses {
		if local, domain, ok := strings.Cut(a, "@"); !ok || local == "" || domain == "" {
			errs = append(errs, fmt.Errorf("feedback.addresses: %q is no address", a))
		}
	}
	for _, d := range c.Domains {
		if d == "" || strings.ContainsAny(d, "@ /") {
			errs = append(errs, fmt.Errorf("feedback.domains: %q is no domain", d))
		}
	}
	if network, _ := nexthop.Endpoint(c.NextHop); c.NextHop != "" && network == "" {
		errs = append(errs, fmt.Errorf("feedback.next_hop = %q: write host:port, or unix:/path/of/socket", c.NextHop))
	}
	errs = append(errs, c.Access.Check("feedback", c.NextHop))
	if _, err := mail.ParseAddress(c.From); c.From != "" && err != nil {
		errs = append(errs, fmt.Errorf("feedback.from = %q: write an address, or Name <address>", c.From))
	}
	if c.NextHop == "" && c.From != "" {
		errs = append(errs, errors.New("feedback.from: set next_hop too, which takes the answers"))
	}
	if c.NextHop == "" && c.DMARC.Send {
		errs = append(errs, errors.New("feedback.dmarc.send: set feedback.next_hop too, which takes the reports"))
	}
	return errors.Join(append(errs, c.DMARC.Check())...)
}

// Takes reports whether mail to the address is read.
func (c *Config) Takes(address string) bool {
	for _, a := range c.Addresses {
		if strings.EqualFold(a, address) {
			return true
		}
	}
	return false
}

// Loops reports whether mail to the address is about reports: where they come in, and where those come back that went out. Two sites that
// reported on each other's reports would never end.
func (c *Config) Loops(address string) bool { return c.Takes(address) || c.DMARC.Sends(address) }

// Own reports whether a domain is one of ours, or lies below one.
func (c *Config) Own(domain string) bool {
	for _, d := range c.own() {
		if d = strings.ToLower(d); domain == d || strings.HasSuffix(domain, "."+d) {
			return true
		}
	}
	return false
}

func (c *Config) own() []string {
	if len(c.Domains) > 0 {
		return c.Domains
	}
	var out []string
	for _, a := range c.Addresses {
		_, domain, _ := strings.Cut(a, "@")
		out = append(out, domain)
	}
	return out
}
