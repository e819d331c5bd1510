// Package auth finds out by DNS who a mail provably comes from and what lists say of its source: SPF (RFC 7208), DKIM (RFC
// 6376, RFC 8463), ARC (RFC 8617), DMARC (RFC 9989), forward-confirmed reverse DNS (RFC 8601 iprev) and DNS block lists (RFC
// 5782).
//
// [Checker.Check] writes the facts into the message; the signals of this package only read them. All questions run side by
// side within the resolver's budget. What was not answered in time is "temperror" or unknown, never a failure and never
// absent. A Checker is safe for concurrent use.
package auth

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"rempart/dns"
	"rempart/message"
	"rempart/message/dkim"
)

// maxNames is how many reverse names of a source are confirmed.
const maxNames = 5

// Checker asks.
type Checker struct {
	// Reporting has Check note the DMARC records whose owners ask for reports. Set it before the first use.
	Reporting bool

	dns        *dns.Resolver
	lists      []*list
	sealers    []string
	forwarders []netip.Prefix
}

// New returns a checker that asks the resolver, and the lists beside it. Errors name the key.
func New(r *dns.Resolver, lists []List, trust Config) (*Checker, error) {
	c := &Checker{dns: r}
	var err error
	if c.sealers, c.forwarders, err = trust.compile(); err != nil {
		return c, err
	}
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
		wg              sync.WaitGroup
		src             = c.sourceOf(m)
		a               = message.Authentication{Source: src.address}
		spf, spfDomain  string
		status, reverse string
		listings        []message.Listing
		carried         seen
		author          = authorOf(m)
		walk            treeWalk
	)
	asked := src.address
	if inside(asked) {
		asked = netip.Addr{} // a fetched mail, a relay nobody named: no domain can publish anything about such addresses
	}
	if asked.IsValid() {
		wg.Go(func() { spf, spfDomain = c.spf(ctx, src) })
		wg.Go(func() { status, reverse = c.iprev(ctx, asked) })
	}
	if signed(m) {
		wg.Go(func() { a.DKIM, a.ARC, carried = c.signatures(ctx, m) })
	} else {
		a.ARC.Status = "none"
	}
	if len(c.lists) > 0 {
		wg.Go(func() { listings = c.listings(ctx, m, src.address) })
	}
	if author != "" {
		walk = c.walk(ctx, author)
	}
	wg.Wait()
	a.SPF, a.SPFDomain, a.IPRev, a.ReverseName = spf, spfDomain, status, reverse
	if carried.counts() {
		here := a
		c.dmarc(ctx, walk, &here)
		a.Here = &here
		carried.count(&a)
	}
	c.dmarc(ctx, walk, &a)
	if a.DMARC == "fail" && carried.dmarc == "pass" && (carried.dmarcFrom == "" || carried.dmarcFrom == author) {
		a.DMARC = "pass"
	}
	a.DMARCOverride = override(m, &a, src.forwarded)
	m.Facts.Auth, m.Facts.Listings = a, listings
	if m.Source.Name == "" && !src.forwarded {
		m.Source.Name = a.ReverseName
	}
}

// signed reports whether the mail has a signature of DKIM or a part of an ARC chain.
func signed(m *message.Message) bool {
	return m.Header.Count("DKIM-Signature")+m.Header.Count("ARC-Seal")+m.Header.Count("ARC-Message-Signature")+
		m.Header.Count("ARC-Authentication-Results") > 0
}

// signatures verifies what is signed: DKIM and the ARC chain, whose keys are asked for side by side. Of a message that was not
// received whole, or whose header is too long, nothing can be verified.
func (c *Checker) signatures(ctx context.Context, m *message.Message) ([]message.DKIM, message.ARC, seen) {
	now := m.Arrived
	if now.IsZero() {
		now = time.Now()
	}
	fields, body, whole := dkim.Split(m.Raw)
	signatures := dkim.Signatures(fields, now)
	sets, broken := dkim.ReadChain(fields)
	var signers []dkim.Signer
	for _, s := range signatures {
		if s.Err == nil {
			signers = append(signers, s.Signer)
		}
	}
	if broken == nil {
		signers = append(signers, sets.Signers()...)
	}
	v := dkim.Verifier{Mail: dkim.NewMail(fields, body), Whole: whole && m.Size <= len(m.Raw)}
	if v.Whole {
		v.Keys = c.keys(ctx, signers)
	}
	arc := message.ARC{Status: "fail"}
	if broken == nil {
		arc = v.Chain(sets)
	}
	carried := c.believe(&arc, sets)
	return v.DKIM(signatures), arc, carried
}

// iprev looks for a name of the address that leads back to it (RFC 8601 section 2.7.3).
func (c *Checker) iprev(ctx context.Context, a netip.Addr) (status, name string) {
	a = a.Unmap()
	names, err := c.dns.LookupAddr(ctx, a.String())
	if err != nil {
		return failedOr(err, "fail"), ""
	}
	names = names[:min(len(names), maxNames)]
	found, errs := make([][]net.IPAddr, len(names)), make([]error, len(names))
	var wg sync.WaitGroup
	for i, name := range names {
		wg.Go(func() { found[i], errs[i] = c.dns.LookupIPAddr(ctx, name) })
	}
	wg.Wait()
	status = "fail"
	for i, name := range names {
		if errs[i] != nil {
			status = failedOr(errs[i], status)
		}
		for _, ip := range found[i] {
			if got, ok := netip.AddrFromSlice(ip.IP); ok && got.Unmap() == a {
				return "pass", strings.ToLower(strings.TrimSuffix(name, "."))
			}
		}
	}
	return status, ""
}

// failedOr is "temperror" for an error that may be otherwise later, and the given status otherwise.
func failedOr(err error, status string) string {
	if d, ok := errors.AsType[*net.DNSError](err); ok && !d.IsNotFound {
		return "temperror"
	}
	return status
}
