package quarantine

import (
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"strings"
	"time"

	"rempart/config"
	"rempart/nexthop"
)

// Config is table [quarantine].
type Config struct {
	// NextHop is where released mail is handed to, by SMTP: "127.0.0.1:10025", or "unix:/path" of a socket. It must not ask this
	// node again: in Postfix a smtpd without smtpd_milters. Default: none; mail whose action is quarantine is held by the mail server then.
	NextHop string `toml:"next_hop"`

	nexthop.Access

	// URL is the console's address as recipients reach it, say through your web server: "https://mail.example.net". Links in digests
	// begin with it; they lead to a page of their own that needs no login and shows nothing else. At /mine below it recipients sign in
	// and see all that is kept for their mailbox. Default: none.
	URL string `toml:"url"`

	// DigestFrom is the author of the digests: "Mail quarantine <postmaster@example.net>". With it and url set each recipient of mail
	// coming in who has new mail waiting is told so, once a day, and can sign in by a link that is mailed to them. The owner of an
	// account of yours whose mail is stopped is told too, once a day, if the account's name is an address. Default: none, nobody is told.
	DigestFrom string `toml:"digest_from"`

	// DigestAt is the time of day of the digests, in UTC. Default: "05:00".
	DigestAt string `toml:"digest_at"`

	// Keep is for how long mail is kept. Default: 14d.
	Keep config.Duration `toml:"keep"`
}

const (
	defaultKeep     = 14 * 24 * time.Hour
	defaultDigestAt = "05:00"
	clock           = "15:04"
)

func (c *Config) digests() bool { return c.DigestFrom != "" }

// digestAt is the time of day.
func (c *Config) digestAt() time.Duration {
	t, _ := time.Parse(clock, c.DigestAt) // checked
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute
}

// Check names every key that is wrong.
func (c Config) Check() error {
	var errs []error
	if network, _ := nexthop.Endpoint(c.NextHop); c.NextHop != "" && network == "" {
		errs = append(errs, fmt.Errorf("quarantine.next_hop = %q: write host:port, or unix:/path/of/socket", c.NextHop))
	}
	errs = append(errs, c.Access.Check("quarantine", c.NextHop))
	if c.URL != "" && !IsRoot(c.URL) {
		errs = append(errs, fmt.Errorf("quarantine.url = %q: write https://host, without a path", c.URL))
	}
	if _, err := mail.ParseAddress(c.DigestFrom); c.DigestFrom != "" && err != nil {
		errs = append(errs, fmt.Errorf("quarantine.digest_from = %q: write an address, or Name <address>", c.DigestFrom))
	}
	if c.DigestFrom != "" && (c.URL == "" || c.NextHop == "") {
		errs = append(errs, errors.New("quarantine.digest_from: set url and next_hop too, which digests need"))
	}
	if _, err := time.Parse(clock, c.DigestAt); c.DigestAt != "" && err != nil {
		errs = append(errs, fmt.Errorf("quarantine.digest_at = %q: write a time of day, as 05:00", c.DigestAt))
	}
	if c.Keep < 0 {
		errs = append(errs, fmt.Errorf("quarantine.keep = %s: use a duration above 0", c.Keep))
	}
	return errors.Join(errs...)
}

// IsRoot reports whether an address can be the console's: its pages and cookies are those of a whole host.
func IsRoot(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && strings.TrimSuffix(address, "/") == u.Scheme+"://"+u.Host
}

func (c Config) withDefaults() Config {
	if c.Keep == 0 {
		c.Keep = config.Duration(defaultKeep)
	}
	if c.DigestAt == "" {
		c.DigestAt = defaultDigestAt
	}
	c.URL = strings.TrimSuffix(c.URL, "/")
	return c
}
