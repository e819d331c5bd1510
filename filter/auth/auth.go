// Package auth finds out by DNS who a mail provably comes from and what lists say of its source: SPF (RFC 7208), DKIM (RFC
// 6376), DMARC (RFC 9989), forward-confirmed reverse DNS (RFC 8601 iprev) and DNS block lists (RFC 5782).
//
// [Checker.Check] writes the facts into the message; the signals of this package only read them. All questions run side by
// side within the resolver's budget. What was not answered in time is "temperror" or unknown, never a failure and never
// absent. A Checker is safe for concurrent use.
package auth

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"

	"blitiri.com.ar/go/spf"
	"github.com/emersion/go-msgauth/dkim"

	"rempart/dns"
	"rempart/message"
)

// Limits of one message.
const (
	maxSignatures = 5 // DKIM signatures verified; the rest are ignored (RFC 6376 section 6.1 allows a limit)
	maxNames      = 5 // reverse names confirmed
)

// Checker asks.
type Checker struct {
	dns   *dns.Resolver
	lists []*list
}

// New returns a checker that asks the resolver, and the lists beside it. Errors name the key.
func New(r *dns.Resolver, lists []List) (*Checker, error) {
	c := &Checker{dns: r}
	var errs []error
	for i, l := range lists {
		compiled, err := l.compile(i)
		errs = append(errs, err)
		c.lists = append(c.lists, compiled)
	}
	return c, errors.Join(errs...)
}

// Check fills m.Facts.Auth and m.Facts.Listings. Mail of the operator's own side is not asked about.
func (c *Checker) Check(ctx context.Context, m *message.Message) {
	if m.Channel != message.Email || m.Direction != message.In || m.Source.Trusted {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, c.dns.Budget())
	defer cancel()
	var (
		wg       sync.WaitGroup
		a        message.Authentication
		reverse  message.Authentication
		listings []message.Listing
	)
	if m.Source.Address.IsValid() {
		wg.Go(func() { a.SPF, a.SPFDomain = c.spf(ctx, m) })
		wg.Go(func() { reverse.IPRev, reverse.ReverseName = c.iprev(ctx, m.Source.Address) })
	}
	wg.Go(func() { a.DKIM = c.dkim(ctx, m) })
	wg.Go(func() { listings = c.listings(ctx, m) })
	wg.Wait()
	a.IPRev, a.ReverseName = reverse.IPRev, reverse.ReverseName
	c.dmarc(ctx, m, &a)
	m.Facts.Auth, m.Facts.Listings = a, listings
	if m.Source.Name == "" {
		m.Source.Name = a.ReverseName
	}
}

// spf checks the envelope sender, or the HELO name of a bounce (RFC 7208 section 2.4).
func (c *Checker) spf(ctx context.Context, m *message.Message) (status, domain string) {
	helo := strings.TrimSuffix(m.Helo, ".")
	_, domain, ok := strings.Cut(m.MailFrom, "@")
	if !ok {
		domain = helo
	}
	if domain == "" {
		return "none", ""
	}
	result, _ := spf.CheckHostWithSender(net.IP(m.Source.Address.AsSlice()), helo, m.MailFrom, spf.WithContext(ctx), spf.WithResolver(c.dns))
	return string(result), strings.ToLower(domain)
}

// dkim verifies the signatures. Reading stops at the first failure of the library to read on: what it had stands.
func (c *Checker) dkim(ctx context.Context, m *message.Message) []message.DKIM {
	if m.Header.Count("DKIM-Signature") == 0 {
		return nil
	}
	verified, _ := dkim.VerifyWithOptions(bytes.NewReader(m.Raw), &dkim.VerifyOptions{MaxVerifications: maxSignatures,
		LookupTXT: func(name string) ([]string, error) { return c.dns.LookupTXT(ctx, name) }})
	out := make([]message.DKIM, 0, len(verified))
	for _, v := range verified {
		d := message.DKIM{Status: "pass", Domain: strings.ToLower(v.Domain)}
		switch {
		case v.Err == nil:
		case dkim.IsTempFail(v.Err):
			d.Status = "temperror"
		case dkim.IsPermFail(v.Err):
			d.Status = "permerror"
		default:
			d.Status = "fail"
		}
		out = append(out, d)
	}
	return out
}

// iprev looks for a name of the address that leads back to it (RFC 8601 section 2.7.3).
func (c *Checker) iprev(ctx context.Context, a netip.Addr) (status, name string) {
	a = a.Unmap()
	names, err := c.dns.LookupAddr(ctx, a.String())
	if err != nil {
		return failedOr(err, "fail"), ""
	}
	status = "fail"
	for _, name := range names[:min(len(names), maxNames)] {
		ips, err := c.dns.LookupIPAddr(ctx, name)
		if err != nil {
			status = failedOr(err, status)
		}
		for _, ip := range ips {
			if got, ok := netip.AddrFromSlice(ip.IP); ok && got.Unmap() == a {
				return "pass", strings.ToLower(strings.TrimSuffix(name, "."))
			}
		}
	}
	return status, ""
}

// failedOr is "temperror" for an error that may be otherwise later, and the given status otherwise.
func failedOr(err error, status string) string {
	var d *net.DNSError
	if errors.As(err, &d) && !d.IsNotFound {
		return "temperror"
	}
	return status
}
