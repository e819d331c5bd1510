package rspamd

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"

	"rempart/gateway"
)

// Config is one front door of rspamd's HTTP protocol, table [[gateway.rspamd]]. It speaks plain HTTP: put it on loopback, a
// UNIX socket or behind TLS. Mail of a client that logged in (header User) is going out whatever direction says. Who can
// reach it may ask for verdicts; teaching is off until password_sha256 or teachers allow it.
type Config struct {
	gateway.MailDoor

	// MaxSize is how many bytes of a mail are kept for judging, decompressed; a longer one is judged on what was read and not signed.
	// Default: 16777216 (16 MiB).
	MaxSize int `toml:"max_size"`

	// PasswordSHA256 is the digest, in hexadecimal, of the password with which a client may teach and see /stat. Make
	// both with: P=$(openssl rand -hex 16); echo "$P"; printf %s "$P" | sha256sum. Default: none.
	PasswordSHA256 string `toml:"password_sha256"`

	// Teachers are addresses and networks of clients that may teach and see /stat without a password, and "unix" for all
	// who reach its UNIX sockets. A request that a proxy passed on (X-Forwarded-For) needs the password. Default: none.
	Teachers []string `toml:"teachers"`
}

// Check names the keys that are wrong; key is the table's path, as "gateway.rspamd[0]".
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
	if s.password, err = hex.DecodeString(c.PasswordSHA256); err != nil || len(s.password) != 0 && len(s.password) != 32 {
		errs = append(errs, fmt.Errorf("%s.password_sha256: use the 64 hexadecimal digits of the password's SHA-256", key))
	}
	return s, errors.Join(errs...)
}
