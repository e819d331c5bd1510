package spamd

import (
	"errors"
	"fmt"
	"strings"

	"rempart/gateway"
)

// Config is one front door of spamd's protocol, table [[gateway.spamd]]. It speaks no TLS: put it on loopback, a UNIX socket
// or behind TLS. The header User names the mailbox that the mail is for; root and nobody name none. Who can reach it may ask
// for verdicts; teaching is off until teachers allow it.
type Config struct {
	gateway.Door

	// Relays are addresses and networks of the operator's own relays, which hand over mail of others. The topmost Received
	// field of a mail is the asking mail server's own; where it names a relay, the next one is believed too. Default: none.
	Relays []string `toml:"relays"`

	// MaxSize is how many bytes of a mail are kept, decompressed. A longer one is judged on what was read; PROCESS, which
	// gives the mail back, refuses it. Default: 16777216 (16 MiB).
	MaxSize int `toml:"max_size"`

	// RewriteSubject is what stands before the subject of a mail whose action is rewrite. Default: "[SPAM] ".
	RewriteSubject string `toml:"rewrite_subject"`

	// Teachers are addresses and networks of clients that may teach (TELL), and "unix" for all who reach its UNIX sockets.
	// Default: none.
	Teachers []string `toml:"teachers"`
}

const (
	defaultMaxSize = 16 << 20
	minMaxSize     = 64 << 10 // below, not even the header section would be seen
	defaultSubject = "[SPAM] "
)

// Check names the keys that are wrong; key is the table's path, as "gateway.spamd[0]".
func (c Config) Check(key string) error {
	_, err := c.settle(key)
	return err
}

func (c Config) settle(key string) (s settings, err error) {
	s.Config = c.withDefaults()
	errs := []error{c.Door.Check(key)}
	if s.relays, err = gateway.Networks(c.Relays); err != nil {
		errs = append(errs, fmt.Errorf("%s.relays: %w", key, err))
	}
	if s.teachers, err = gateway.ParseTeachers(c.Teachers); err != nil {
		errs = append(errs, fmt.Errorf("%s.teachers: %w", key, err))
	}
	if s.MaxSize < minMaxSize {
		errs = append(errs, fmt.Errorf("%s.max_size = %d: use at least %d", key, c.MaxSize, minMaxSize))
	}
	if strings.ContainsAny(c.RewriteSubject, "\r\n\x00") {
		errs = append(errs, fmt.Errorf("%s.rewrite_subject = %q: use one line", key, c.RewriteSubject))
	}
	return s, errors.Join(errs...)
}

func (c Config) withDefaults() Config {
	c.Door = c.Door.WithDefaults()
	if c.MaxSize == 0 {
		c.MaxSize = defaultMaxSize
	}
	if c.RewriteSubject == "" {
		c.RewriteSubject = defaultSubject
	}
	return c
}
