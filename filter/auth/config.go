package auth

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"rempart/message/dkim"
)

// Config is table [auth]: whom to believe about mail that comes by way of others.
type Config struct {
	// TrustedSealers are domains whose ARC seals count: what such a sealer saw of SPF, DKIM and DMARC stands in place of what
	// a forward or a mailing list has left of it. With a leading dot its subdomains too. Name those whose handling of mail
	// you know: your own forwarders, large mailbox providers, well kept lists. Default: none.
	TrustedSealers []string `toml:"trusted_sealers"`

	// TrustedForwarders are addresses or networks of hosts that forward mail to you unchanged, say a university's
	// or an old provider's. Behind them SPF, HELO, reverse names and DNS lists are asked about the host before, as the
	// forwarder's Received field names it. Name here too the machine that fetches mail from mailboxes elsewhere (fetchmail,
	// getmail; 127.0.0.1 if it is this one): its mail is judged by who handed it to the mailbox. Your own relays belong in the front door's settings. Default: none.
	TrustedForwarders []string `toml:"trusted_forwarders"`
}

func (c Config) compile() (sealers []string, forwarders []netip.Prefix, err error) {
	var errs []error
	for i, s := range c.TrustedSealers {
		domain := dkim.ToDomain(strings.TrimPrefix(s, "."))
		if domain == "" {
			errs = append(errs, fmt.Errorf("auth.trusted_sealers[%d] = %q is no domain", i, s))
			continue
		}
		if s[0] == '.' {
			domain = "." + domain
		}
		sealers = append(sealers, domain)
	}
	for i, s := range c.TrustedForwarders {
		p, err := parseNetwork(s)
		if err != nil {
			errs = append(errs, fmt.Errorf("auth.trusted_forwarders[%d] = %q is no address or network", i, s))
			continue
		}
		forwarders = append(forwarders, p)
	}
	return sealers, forwarders, errors.Join(errs...)
}

// parseNetwork reads "192.0.2.0/24", or one address.
func parseNetwork(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	return netip.ParsePrefix(s)
}
