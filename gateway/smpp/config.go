package smpp

import (
	"errors"
	"fmt"
	"net"

	"rempart/gateway"
	"rempart/message"
)

// Config is one SMPP front door, table [[gateway.smpp]]. Of direction "in" texts delivered by the message centre
// (mobile originated) are judged too; of "out" and "internal" only what clients submit. Mode "tap" does not exist here:
// a proxy stands in the path, use "shadow".
type Config struct {
	gateway.Door

	// NextHops are the message centres behind, "host:port", tried in this order at each bind. Each bind of a client is
	// one bind of ours with the same credentials.
	NextHops []string `toml:"next_hops"`

	// Window is how many unanswered texts one bind may have; one more is answered ESME_RTHROTTLED. Default: 1000.
	Window int `toml:"window"`

	// Alphabet is what data_coding 0 means at this message centre: "gsm7" or "latin1". Default: gsm7.
	Alphabet string `toml:"alphabet"`

	// TagSender replaces the sender ID of a text that is to be tagged, as registries of sender IDs demand
	// ("Likely-SCAM"); at most 11 letters, digits, spaces or & - . _. Empty: a tagged text is relayed as it came, the
	// tag is in the event only. Default: empty.
	TagSender string `toml:"tag_sender"`
}

const (
	defaultWindow = 1000
	maxSenderID   = 11 // TS 23.040 section 9.1.2.5
)

// Check names the keys that are wrong; key is the table's path, as "gateway.smpp[0]".
func (c Config) Check(key string) error {
	errs := []error{c.Door.Check(key)}
	if c.Mode == message.ModeTap {
		errs = append(errs, fmt.Errorf("%s.mode = \"tap\": a proxy stands in the path; use shadow", key))
	}
	if len(c.NextHops) == 0 {
		errs = append(errs, fmt.Errorf("%s.next_hops = []: name the message centre behind, as \"127.0.0.1:2776\"", key))
	}
	for _, hop := range c.NextHops {
		if _, _, err := net.SplitHostPort(hop); err != nil {
			errs = append(errs, fmt.Errorf("%s.next_hops: %q: use host:port", key, hop))
		}
	}
	if c.Window < 0 {
		errs = append(errs, fmt.Errorf("%s.window = %d: use a number above 0", key, c.Window))
	}
	switch c.Alphabet {
	case "", "gsm7", "latin1":
	default:
		errs = append(errs, fmt.Errorf("%s.alphabet = %q: use gsm7 or latin1", key, c.Alphabet))
	}
	if !senderID(c.TagSender) {
		errs = append(errs, fmt.Errorf("%s.tag_sender = %q: use at most %d letters, digits, spaces or & - . _", key, c.TagSender, maxSenderID))
	}
	return errors.Join(errs...)
}

func (c Config) withDefaults() Config {
	c.Door = c.Door.WithDefaults()
	if c.Window == 0 {
		c.Window = defaultWindow
	}
	return c
}

func senderID(s string) bool {
	for _, r := range s {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		case r == ' ' || r == '&' || r == '-' || r == '.' || r == '_':
		default:
			return false
		}
	}
	return len(s) <= maxSenderID
}
