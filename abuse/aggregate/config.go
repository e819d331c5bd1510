package aggregate

import (
	"errors"
	"fmt"
	"net/mail"
	"strings"

	"rempart/message/dkim"
)

// Config is table [feedback.dmarc].
type Config struct {
	// From is the author of DMARC reports, and who gets what is returned: "DMARC reports <dmarc@example.net>". With it mail coming in is
	// counted for the owners of domains who ask for reports (rua=), a UTC day each. Receivers take reports only from a domain that
	// passes DMARC itself: give it a key in [sign], or have SPF name the next hop. Default: none, nothing is counted.
	From string `toml:"from"`

	// Send sends the reports, by feedback.next_hop, in the hours after midnight UTC. While it is false, "rempart feedback dmarc" shows what
	// would be sent. Default: false.
	Send bool `toml:"send"`

	// Organisation is your name in the reports. Default: the domain of from.
	Organisation string `toml:"organisation"`

	// Contact says how else to reach you, in the reports: the address of a page, say. Default: none.
	Contact string `toml:"contact"`

	// Exclude are domains on which no report is made and to which none is sent, with all that lies below them. Default: none.
	Exclude []string `toml:"exclude"`
}

// Check names every key that is wrong.
func (c Config) Check() error {
	var errs []error
	if _, domain := c.author(); c.On() && domain == "" {
		errs = append(errs, fmt.Errorf("feedback.dmarc.from = %q: write an address, or Name <address>, with ASCII alone before the @", c.From))
	}
	if c.Send && c.From == "" {
		errs = append(errs, errors.New("feedback.dmarc.send: set from too"))
	}
	for _, d := range c.Exclude {
		if dkim.ToDomain(d) == "" {
			errs = append(errs, fmt.Errorf("feedback.dmarc.exclude: %q is no domain", d))
		}
	}
	return errors.Join(errs...)
}

// On reports whether mail is counted.
func (c *Config) On() bool { return c.From != "" }

// Sends reports whether the address is the author of reports.
func (c *Config) Sends(address string) bool {
	from, _ := c.author()
	local, domain := split(address)
	return domain != "" && strings.EqualFold(from.Address, local+"@"+domain)
}

// author is From, in letters that need nothing special in SMTP and in a file's name, and its domain; both are empty if it cannot be had so.
func (c *Config) author() (from *mail.Address, domain string) {
	from, err := mail.ParseAddress(c.From)
	if err != nil {
		return &mail.Address{}, ""
	}
	local, domain := split(from.Address)
	if !plainLocal(local) || domain == "" {
		return &mail.Address{}, ""
	}
	from.Address = local + "@" + domain
	return from, domain
}

// excludes reports whether a domain, as DNS is asked for it, is one that the operator excludes, or lies below one.
func (c *Config) excludes(domain string) bool {
	for _, d := range c.Exclude {
		if d = dkim.ToDomain(d); domain == d || strings.HasSuffix(domain, "."+d) {
			return true
		}
	}
	return false
}
