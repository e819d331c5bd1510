package spamd

import (
	"cmp"
	"errors"
	"fmt"

	"rempart/gateway"
)

// Config is one front door of spamd's protocol, table [[gateway.spamd]]. It speaks no TLS: put it on loopback, a UNIX socket
// or behind TLS. The header User names the mailbox that the mail is for; root and nobody name none. Who can reach it may ask
// for verdicts; teaching is off until teachers allow it.
type Config struct {
	gateway.MailDoor

	// MaxSize is how many bytes of a mail are kept, decompressed. A longer one is judged on what was read; PROCESS, which
	// gives the mail back, refuses it. Default: 16777216 (16 MiB).
	MaxSize int `toml:"max_size"`

	// Teachers are addresses and networks of clients that may teach (TELL), and "unix" for all who reach its UNIX sockets.
	// Default: none.
	Teachers []string `toml:"teachers"`
}

// Check names the keys that are wrong; key is the table's path, as "gateway.spamd[0]".
func (c Config) Check(key string) error {
	_, err := c.settle(key)
	return err
}

func (c Config) settle(key string) (s settings, err error) {
	s.Config = c
	s.MailDoor, s.MaxSize = c.WithDefaults(), cmp.Or(c.MaxSize, gateway.DefaultMaxSize)
	s.relays, err = c.MailDoor.Check(key, c.MaxSize)
	errs := []error{err}
	if s.teachers, err = gateway.ParseTeachers(c.Teachers); err != nil {
		errs = append(errs, fmt.Errorf("%s.teachers: %w", key, err))
	}
	return s, errors.Join(errs...)
}
