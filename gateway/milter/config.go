package milter

import (
	"errors"
	"fmt"
	"strings"

	"rempart/gateway"
)

// Config is one milter front door, table [[gateway.milter]]. Mail of a client that logged in is going out whatever
// direction says.
type Config struct {
	gateway.Door

	// Relays are addresses and networks of the operator's own relays, which hand over mail of others. The source of such
	// a mail is read from the Received fields that they wrote, and the X-Rempart headers that they added stay. Default:
	// none.
	Relays []string `toml:"relays"`

	// MaxSize is how many bytes of a mail are kept for judging; a longer one is judged on what was read and not signed. Default:
	// 16777216 (16 MiB).
	MaxSize int `toml:"max_size"`

	// RewriteSubject is what stands before the subject of a mail whose action is rewrite. Default: "[SPAM] ".
	RewriteSubject string `toml:"rewrite_subject"`
}

const (
	defaultMaxSize = 16 << 20
	minMaxSize     = 64 << 10 // below, not even the header section would be seen
	defaultSubject = "[SPAM] "
)

// Check names the keys that are wrong; key is the table's path, as "gateway.milter[0]".
func (c Config) Check(key string) error {
	errs := []error{c.Door.Check(key)}
	if _, err := gateway.Networks(c.Relays); err != nil {
		errs = append(errs, fmt.Errorf("%s.relays: %w", key, err))
	}
	if c.MaxSize != 0 && c.MaxSize < minMaxSize {
		errs = append(errs, fmt.Errorf("%s.max_size = %d: use at least %d", key, c.MaxSize, minMaxSize))
	}
	if strings.ContainsAny(c.RewriteSubject, "\r\n\x00") {
		errs = append(errs, fmt.Errorf("%s.rewrite_subject = %q: use one line", key, c.RewriteSubject))
	}
	return errors.Join(errs...)
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
