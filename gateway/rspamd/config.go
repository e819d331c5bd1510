package rspamd

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"rempart/gateway"
)

// Config is one front door of rspamd's HTTP protocol, table [[gateway.rspamd]]. It speaks plain HTTP: put it on loopback, a
// UNIX socket or behind TLS. Mail of a client that logged in (header User) is going out whatever direction says. Who can
// reach it may ask for verdicts; teaching is off until password_sha256 or teachers allow it.
type Config struct {
	gateway.Door

	// Relays are addresses and networks of the operator's own relays, which hand over mail of others. The source of such
	// a mail is read from the Received fields that they wrote, and the X-Rempart headers that they added stay. Default:
	// none.
	Relays []string `toml:"relays"`

	// MaxSize is how many bytes of a mail are kept for judging, decompressed; a longer one is judged on what was read and not signed.
	// Default: 16777216 (16 MiB).
	MaxSize int `toml:"max_size"`

	// RewriteSubject is what stands before the subject of a mail whose action is rewrite. Default: "[SPAM] ".
	RewriteSubject string `toml:"rewrite_subject"`

	// PasswordSHA256 is the digest, in hexadecimal, of the password with which a client may teach and see /stat. Make
	// both with: P=$(openssl rand -hex 16); echo "$P"; printf %s "$P" | sha256sum. Default: none.
	PasswordSHA256 string `toml:"password_sha256"`

	// Teachers are addresses and networks of clients that may teach and see /stat without a password, and "unix" for all
	// who reach its UNIX sockets. A request that a proxy passed on (X-Forwarded-For) needs the password. Default: none.
	Teachers []string `toml:"teachers"`
}

const (
	defaultMaxSize = 16 << 20
	minMaxSize     = 64 << 10 // below, not even the header section would be seen
	defaultSubject = "[SPAM] "
)

// Check names the keys that are wrong; key is the table's path, as "gateway.rspamd[0]".
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
	if s.password, err = hex.DecodeString(c.PasswordSHA256); err != nil || len(s.password) != 0 && len(s.password) != 32 {
		errs = append(errs, fmt.Errorf("%s.password_sha256: use the 64 hexadecimal digits of the password's SHA-256", key))
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
