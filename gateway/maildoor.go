package gateway

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// MailDoor is the settings that every front door for mail has.
type MailDoor struct {
	Door

	// Relays are addresses and networks of the operator's own relays, which hand over mail of others. The source of such a mail is read
	// from the Received fields that they wrote, and the X-Rempart headers that they added stay. To spamd the topmost Received field is
	// the asking mail server's own, and no X-Rempart headers stay. Default: none.
	Relays []string `toml:"relays"`

	// RewriteSubject is what stands before the subject of a mail whose action is rewrite. Default: "[SPAM] ".
	RewriteSubject string `toml:"rewrite_subject"`
}

const defaultSubject = "[SPAM] "

// DefaultMaxSize is how many bytes of a mail a front door keeps that only looks at it.
const DefaultMaxSize = 16 << 20

// minMaxSize is what RFC 5321 section 4.5.3.1.7 has every server take; below, not even the header section would be seen.
const minMaxSize = 64 << 10

// WithDefaults returns d with its unset fields filled.
func (d MailDoor) WithDefaults() MailDoor {
	d.Door = d.Door.WithDefaults()
	if d.RewriteSubject == "" {
		d.RewriteSubject = defaultSubject
	}
	return d
}

// Check gives the networks of relays and names the keys that are wrong; key is the table's path, as "gateway.milter[0]".
// Each front door has its own manual and default of max_size; 0 is the default.
func (d MailDoor) Check(key string, maxSize int) (relays []netip.Prefix, err error) {
	errs := []error{d.Door.Check(key)}
	if relays, err = Networks(d.Relays); err != nil {
		errs = append(errs, fmt.Errorf("%s.relays: %w", key, err))
	}
	if maxSize != 0 && maxSize < minMaxSize {
		errs = append(errs, fmt.Errorf("%s.max_size = %d: use at least %d", key, maxSize, minMaxSize))
	}
	if strings.ContainsAny(d.RewriteSubject, "\r\n\x00") {
		errs = append(errs, fmt.Errorf("%s.rewrite_subject = %q: use one line", key, d.RewriteSubject))
	}
	return relays, errors.Join(errs...)
}
