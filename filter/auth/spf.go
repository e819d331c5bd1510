package auth

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"

	"rempart/dns"
)

// Limits of one check (RFC 7208 section 4.6.4).
const (
	maxTerms = 10 // terms that ask DNS, those of included records too
	maxVoid  = 2  // questions that found nothing
	maxHosts = 10 // mail exchangers of one mx, reverse names of one ptr
)

// spf checks the envelope sender, or the HELO name of a bounce (RFC 7208 section 2.4).
func (c *Checker) spf(ctx context.Context, s source) (status, domain string) {
	helo := strings.TrimSuffix(s.helo, ".")
	at := strings.LastIndexByte(s.mailFrom, '@')
	local := s.mailFrom[:max(at, 0)]
	domain = helo
	if at >= 0 {
		domain = s.mailFrom[at+1:]
	}
	if local == "" {
		local = "postmaster"
	}
	if strings.TrimSuffix(domain, ".") == "" {
		return "none", ""
	}
	e := &evaluation{dns: c.dns, address: s.address.Unmap(), helo: helo, local: local, domain: domain}
	return e.check(ctx, domain), strings.ToLower(strings.TrimSuffix(domain, "."))
}

// evaluation is one check_host() with all the records it comes to (RFC 7208 section 4).
type evaluation struct {
	dns                 *dns.Resolver
	address             netip.Addr
	helo, local, domain string // domain: of the sender
	terms, void         int    // so far
	names               []string
	named               bool // names was asked for: host names of the address that lead back to it
}

// Errors of an evaluation are the two results that end it at once.
var (
	errTemporary = errors.New("temperror")
	errPermanent = errors.New("permerror")
)

// check finds the record of a domain and evaluates it.
func (e *evaluation) check(ctx context.Context, domain string) string {
	if !isHost(domain) {
		return "none"
	}
	texts, err := e.dns.LookupTXT(ctx, escaped(domain))
	if failedOr(err, "") != "" {
		return "temperror"
	}
	var text string
	for _, t := range texts {
		if !isSPF(t) {
			continue
		}
		if text != "" {
			return "permerror"
		}
		text = t
	}
	if text == "" {
		return "none"
	}
	r, ok := parseSPF(text)
	if !ok {
		return "permerror"
	}
	status, err := e.evaluate(ctx, r, domain)
	if err != nil {
		return err.Error()
	}
	return status
}

func (e *evaluation) evaluate(ctx context.Context, r spfRecord, domain string) (string, error) {
	for _, m := range r.mechanisms {
		match, err := e.matches(ctx, m, domain)
		if err != nil {
			return "", err
		}
		if match {
			return m.result, nil
		}
	}
	if r.redirect == "" {
		return "neutral", nil
	}
	if err := e.count(); err != nil {
		return "", err
	}
	status := e.check(ctx, e.expand(ctx, r.redirect, domain))
	if status == "none" {
		return "", errPermanent
	}
	return status, nil
}

// matches reports whether the address is one that the mechanism names (RFC 7208 section 5).
func (e *evaluation) matches(ctx context.Context, m mechanism, domain string) (bool, error) {
	switch m.name {
	case "all":
		return true, nil
	case "ip4", "ip6":
		return m.network.Contains(e.address), nil
	}
	if err := e.count(); err != nil {
		return false, err
	}
	target := domain
	if m.spec != "" {
		target = e.expand(ctx, m.spec, domain)
	}
	switch m.name {
	case "include":
		return e.include(ctx, target)
	case "a":
		return e.contains(ctx, target, m)
	case "mx":
		return e.exchanges(ctx, target, m)
	case "exists":
		found, err := e.lookup(ctx, target, e.dns.LookupA)
		return len(found) > 0, err
	default: // ptr
		for _, name := range e.reverse(ctx) {
			if below(name, target) {
				return true, nil
			}
		}
		return false, nil
	}
}

func (e *evaluation) count() error {
	if e.terms++; e.terms > maxTerms {
		return errPermanent
	}
	return nil
}

func (e *evaluation) include(ctx context.Context, domain string) (bool, error) {
	switch e.check(ctx, domain) {
	case "pass":
		return true, nil
	case "temperror":
		return false, errTemporary
	case "permerror", "none":
		return false, errPermanent
	}
	return false, nil
}

// lookup asks for addresses; nothing found is counted.
func (e *evaluation) lookup(ctx context.Context, name string, ask func(context.Context, string) ([]netip.Addr, error)) ([]netip.Addr, error) {
	found, err := ask(ctx, escaped(name))
	if failedOr(err, "") != "" {
		return nil, errTemporary
	}
	return found, e.countVoid(len(found))
}

func (e *evaluation) countVoid(found int) error {
	if found > 0 {
		return nil
	}
	if e.void++; e.void > maxVoid {
		return errPermanent
	}
	return nil
}

// family asks for addresses of the client's kind.
func (e *evaluation) family() func(context.Context, string) ([]netip.Addr, error) {
	if e.address.Is4() {
		return e.dns.LookupA
	}
	return e.dns.LookupAAAA
}

func (e *evaluation) contains(ctx context.Context, name string, m mechanism) (bool, error) {
	found, err := e.lookup(ctx, name, e.family())
	return e.within(found, m), err
}

// within reports whether the client is in the network of one of these addresses.
func (e *evaluation) within(found []netip.Addr, m mechanism) bool {
	bits := m.bits4
	if e.address.Is6() {
		bits = m.bits6
	}
	for _, a := range found {
		if netip.PrefixFrom(a, bits).Contains(e.address) {
			return true
		}
	}
	return false
}

func (e *evaluation) exchanges(ctx context.Context, name string, m mechanism) (bool, error) {
	hosts, err := e.dns.LookupMX(ctx, escaped(name))
	if failedOr(err, "") != "" {
		return false, errTemporary
	}
	if err := e.countVoid(len(hosts)); err != nil {
		return false, err
	}
	if len(hosts) > maxHosts {
		return false, errPermanent
	}
	names := make([]string, len(hosts))
	for i, h := range hosts {
		names[i] = h.Host
	}
	failed := false
	for _, a := range addressesOf(ctx, names, e.family()) {
		if e.within(a.found, m) {
			return true, nil
		}
		failed = failed || failedOr(a.err, "") != ""
	}
	if failed {
		return false, errTemporary
	}
	return false, nil
}

// hostAddresses is what was found of one host.
type hostAddresses struct {
	found []netip.Addr
	err   error
}

// addressesOf asks for the addresses of all hosts side by side; the answers stand in the order of the names.
func addressesOf(ctx context.Context, names []string, ask func(context.Context, string) ([]netip.Addr, error)) []hostAddresses {
	out := make([]hostAddresses, len(names))
	var wg sync.WaitGroup
	for i, name := range names {
		wg.Go(func() { out[i].found, out[i].err = ask(ctx, name) })
	}
	wg.Wait()
	return out
}

// reverse is the host names of the client that lead back to it; what could not be asked is not one (RFC 7208 section 5.5).
func (e *evaluation) reverse(ctx context.Context) []string {
	if e.named {
		return e.names
	}
	e.named = true
	names, _ := e.dns.LookupAddr(ctx, e.address.String())
	names = names[:min(len(names), maxHosts)]
	for i, a := range addressesOf(ctx, names, e.family()) {
		for _, found := range a.found {
			if found == e.address {
				e.names = append(e.names, strings.TrimSuffix(names[i], "."))
				break
			}
		}
	}
	return e.names
}

// below reports whether a host name is the domain or below it.
func below(name, domain string) bool {
	name, domain = strings.ToLower(name), strings.ToLower(strings.TrimSuffix(domain, "."))
	return name == domain || strings.HasSuffix(name, "."+domain)
}

// escaped is a name as the resolver takes it, which reads a backslash as in master files.
func escaped(name string) string { return strings.ReplaceAll(name, `\`, `\\`) }

// isHost reports whether a name can have a record: two labels or more, none empty or longer than 63 octets (RFC 7208 section
// 4.3).
func isHost(name string) bool {
	name = strings.TrimSuffix(name, ".")
	if len(name) > 253 || !strings.Contains(name, ".") || net.ParseIP(strings.Trim(name, "[]")) != nil {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 {
			return false
		}
	}
	return true
}
