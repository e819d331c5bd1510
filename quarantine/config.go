package quarantine

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"rempart/config"
)

// Config is table [quarantine].
type Config struct {
	// NextHop is where released mail is handed to, by SMTP: "127.0.0.1:10025", or "unix:/path" of a socket. It must not ask this
	// node again: in Postfix a smtpd without smtpd_milters. Default: none; mail whose action is quarantine is held by the mail server then.
	NextHop string `toml:"next_hop"`

	// Keep is for how long mail is kept. Default: 14d.
	Keep config.Duration `toml:"keep"`
}

const defaultKeep = 14 * 24 * time.Hour

// Check names every key that is wrong.
func (c Config) Check() error {
	var errs []error
	if network, _ := endpoint(c.NextHop); c.NextHop != "" && network == "" {
		errs = append(errs, fmt.Errorf("quarantine.next_hop = %q: write host:port, or unix:/path/of/socket", c.NextHop))
	}
	if c.Keep < 0 {
		errs = append(errs, fmt.Errorf("quarantine.keep = %s: use a duration above 0", c.Keep))
	}
	return errors.Join(errs...)
}

func (c Config) withDefaults() Config {
	if c.Keep == 0 {
		c.Keep = config.Duration(defaultKeep)
	}
	return c
}

// endpoint is an address as package net wants it; empty if it is none.
func endpoint(s string) (network, address string) {
	if path, ok := strings.CutPrefix(s, "unix:"); ok && path != "" {
		return "unix", path
	}
	if _, port, err := net.SplitHostPort(s); err == nil && port != "" {
		return "tcp", s
	}
	return "", ""
}
