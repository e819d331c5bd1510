package smtp

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"

	"rempart/gateway"
	"rempart/message"
)

// Config is one SMTP or LMTP front door, table [[gateway.smtp]]. Mode "tap" does not exist here: a proxy stands in the path,
// use "shadow". AUTH is not offered: put the front door behind the mail server at which users log in. Mail of a client that
// logged in there (XCLIENT LOGIN) is going out whatever direction says.
type Config struct {
	gateway.MailDoor

	// MaxSize is how many bytes a mail may have; a larger one is refused with 552 5.3.4. Mails are held in memory while they
	// are judged, at most 1 GiB of them at one time. Default: 67108864 (64 MiB).
	MaxSize int `toml:"max_size"`

	// Protocol is what clients speak: "smtp" or "lmtp". Default: smtp.
	Protocol string `toml:"protocol"`

	// NextHops are the mail servers that take the judged mail, "host:port" or "unix:/run/dovecot/lmtp", tried in this order at
	// each connection. The way to them is not encrypted: keep it on the machine or in your own network.
	NextHops []string `toml:"next_hops"`

	// NextHopProtocol is what they speak: "smtp" or "lmtp". From clients of SMTP to a next hop of LMTP a mail may have one
	// recipient at a time, since one answer cannot say what became of several. Default: as protocol.
	NextHopProtocol string `toml:"next_hop_protocol"`

	// XClientHosts are addresses and networks of clients that may say by XCLIENT or XFORWARD for whom they speak; name your
	// mail server's here. A client on a UNIX socket counts as 127.0.0.1. Default: none.
	XClientHosts []string `toml:"xclient_hosts"`

	// BareNewlines is what becomes of a mail in which CR or LF stands alone, which servers read in unlike ways (SMTP
	// smuggling): "normalize" makes of such an LF a line end and of such a CR a space, as Postfix does; "refuse" answers 550
	// 5.6.11. Only CR LF . CR LF ends a mail in any case. Default: normalize.
	BareNewlines string `toml:"bare_newlines"`

	// Certificate is the PEM file with the certificate for STARTTLS and those that vouch for it. Default: none, STARTTLS is not
	// offered.
	Certificate string `toml:"certificate"`

	// Key is the PEM file with the certificate's private key.
	Key string `toml:"key"`
}

const (
	defaultMaxSize = 64 << 20

	protocolSMTP = "smtp"
	protocolLMTP = "lmtp"
	normalize    = "normalize"
	refuse       = "refuse"
)

// Check names the keys that are wrong; key is the table's path, as "gateway.smtp[0]".
func (c Config) Check(key string) error {
	_, err := c.settle(key)
	return err
}

func (c Config) settle(key string) (s settings, err error) {
	s.relays, err = c.MailDoor.Check(key, c.MaxSize)
	errs := []error{err}
	bad := func(name string, value any, use string) {
		errs = append(errs, fmt.Errorf("%s.%s = %v: %s", key, name, value, use))
	}
	s.Config = c.withDefaults()
	if c.Mode == message.ModeTap {
		bad("mode", `"tap"`, "a proxy stands in the path; use shadow")
	}
	if s.Protocol != protocolSMTP && s.Protocol != protocolLMTP {
		bad("protocol", c.Protocol, "use smtp or lmtp")
	}
	if s.NextHopProtocol != protocolSMTP && s.NextHopProtocol != protocolLMTP {
		bad("next_hop_protocol", c.NextHopProtocol, "use smtp or lmtp")
	}
	if len(c.NextHops) == 0 {
		bad("next_hops", "[]", `name the mail server behind, as "127.0.0.1:10026"`)
	}
	for _, hop := range c.NextHops {
		if _, _, err := net.SplitHostPort(hop); err != nil && !strings.HasPrefix(hop, "unix:/") {
			bad("next_hops", hop, "use host:port or unix:/path")
		}
	}
	if s.speak, err = gateway.Networks(c.XClientHosts); err != nil {
		errs = append(errs, fmt.Errorf("%s.xclient_hosts: %w", key, err))
	}
	if s.BareNewlines != normalize && s.BareNewlines != refuse {
		bad("bare_newlines", c.BareNewlines, "use normalize or refuse")
	}
	if c.Certificate != "" || c.Key != "" {
		pair, err := tls.LoadX509KeyPair(c.Certificate, c.Key)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s.certificate: %w", key, err))
		}
		s.tls = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	}
	return s, errors.Join(errs...)
}

func (c Config) withDefaults() Config {
	if c.MaxSize == 0 {
		c.MaxSize = defaultMaxSize
	}
	c.MailDoor = c.MailDoor.WithDefaults()
	for _, d := range []struct {
		key  *string
		word string
	}{{&c.Protocol, protocolSMTP}, {&c.BareNewlines, normalize}} {
		if *d.key == "" {
			*d.key = d.word
		}
	}
	if c.NextHopProtocol == "" {
		c.NextHopProtocol = c.Protocol
	}
	return c
}
