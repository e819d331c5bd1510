// Package dns is the one resolver: every name that Rempart asks for, it asks here.
//
// Answers are cached (positive by TTL, negative by the zone's SOA after RFC 2308, failures for a moment), equal questions in
// flight are asked once, a truncated answer is asked again over TCP, and a server that does not answer is passed over. When
// none answers any more, questions fail at once until one does.
// A question ends with its context: the judging path gives it a budget and takes what is not there by then as unknown;
// the answer still comes into the cache for the next message.
//
// Errors are [*net.DNSError]: IsNotFound for no such name or no such record, IsTemporary for everything that may be
// otherwise later. A Resolver is safe for concurrent use.
package dns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	mdns "github.com/miekg/dns"
	"golang.org/x/sync/singleflight"

	"rempart/config"
)

// Config is table [dns].
type Config struct {
	// Servers are the resolvers to ask, "192.0.2.53" or "192.0.2.53:5353", in order of preference. Use your own: public
	// resolvers are refused by most block lists. Default: those of the system.
	Servers []string `toml:"servers"`

	// Budget is how long the DNS questions of one message may take together. What is not answered by then is unknown,
	// and the message is judged without it. Default: 2s.
	Budget config.Duration `toml:"budget"`
}

const (
	defaultBudget = 2 * time.Second
	queryTimeout  = 1500 * time.Millisecond // of one question to one server
	maxInFlight   = 2048                    // questions at one time; more are unknown at once
)

// Resolver asks DNS.
type Resolver struct {
	servers  []string
	budget   time.Duration
	cache    *cache
	flights  singleflight.Group
	inFlight chan struct{}
	udp, tcp *mdns.Client
	health   health
	prefer   atomic.Int32 // server that answered last
}

// New returns a resolver for the configured servers, or the system's.
func New(c Config) (*Resolver, error) {
	r := &Resolver{budget: time.Duration(c.Budget), cache: newCache(), inFlight: make(chan struct{}, maxInFlight),
		udp: &mdns.Client{Net: "udp", Timeout: queryTimeout, UDPSize: 1232}, // DNS flag day 2020
		tcp: &mdns.Client{Net: "tcp", Timeout: queryTimeout}}
	if r.budget == 0 {
		r.budget = defaultBudget
	}
	servers := c.Servers
	if len(servers) == 0 {
		system, err := mdns.ClientConfigFromFile("/etc/resolv.conf")
		if err != nil {
			return nil, fmt.Errorf("find the system's resolvers: %w", err)
		}
		servers = system.Servers
	}
	for _, s := range servers {
		addr, err := withPort(s)
		if err != nil {
			return nil, fmt.Errorf("dns.servers: %q: want an address, or address:port", s)
		}
		r.servers = append(r.servers, addr)
	}
	return r, nil
}

func withPort(s string) (string, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.AddrPortFrom(a, 53).String(), nil
	}
	ap, err := netip.ParseAddrPort(s)
	return ap.String(), err
}

// Budget is how long the questions of one message may take together.
func (r *Resolver) Budget() time.Duration { return r.budget }

// LookupTXT returns the TXT records of a name, each joined from its strings.
func (r *Resolver) LookupTXT(ctx context.Context, name string) ([]string, error) {
	var out []string
	err := r.each(ctx, name, mdns.TypeTXT, func(rr mdns.RR) {
		if t, ok := rr.(*mdns.TXT); ok {
			out = append(out, unescape(strings.Join(t.Txt, "")))
		}
	})
	return out, notFound(name, len(out), err)
}

// unescape gives back the octets of a text that the library wrote as in a master file (RFC 1035 section 5.1).
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b = append(b, s[i])
			continue
		}
		i++
		if i+3 <= len(s) {
			if n, err := strconv.ParseUint(s[i:i+3], 10, 8); err == nil {
				b, i = append(b, byte(n)), i+2
				continue
			}
		}
		b = append(b, s[i])
	}
	return string(b)
}

// LookupMX returns the mail exchangers of a name.
func (r *Resolver) LookupMX(ctx context.Context, name string) ([]*net.MX, error) {
	var out []*net.MX
	err := r.each(ctx, name, mdns.TypeMX, func(rr mdns.RR) {
		if t, ok := rr.(*mdns.MX); ok {
			out = append(out, &net.MX{Host: t.Mx, Pref: t.Preference})
		}
	})
	return out, notFound(name, len(out), err)
}

// LookupA returns the IPv4 addresses of a name; block lists answer with them (RFC 5782).
func (r *Resolver) LookupA(ctx context.Context, name string) ([]netip.Addr, error) {
	out, err := r.addresses(ctx, name, mdns.TypeA)
	return out, notFound(name, len(out), err)
}

// LookupAAAA returns the IPv6 addresses of a name.
func (r *Resolver) LookupAAAA(ctx context.Context, name string) ([]netip.Addr, error) {
	out, err := r.addresses(ctx, name, mdns.TypeAAAA)
	return out, notFound(name, len(out), err)
}

// LookupIPAddr returns all addresses of a name.
func (r *Resolver) LookupIPAddr(ctx context.Context, name string) ([]net.IPAddr, error) {
	var v4, v6 []netip.Addr
	var err4, err6 error
	var wg sync.WaitGroup
	wg.Go(func() { v4, err4 = r.addresses(ctx, name, mdns.TypeA) })
	v6, err6 = r.addresses(ctx, name, mdns.TypeAAAA)
	wg.Wait()
	var out []net.IPAddr
	for _, a := range append(v4, v6...) {
		out = append(out, net.IPAddr{IP: a.AsSlice()})
	}
	if len(out) > 0 {
		return out, nil
	}
	return nil, notFound(name, 0, errors.Join(temporary(err4), temporary(err6)))
}

// LookupAddr returns the names of an address by reverse DNS, without confirming them.
func (r *Resolver) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	name, err := mdns.ReverseAddr(addr)
	if err != nil {
		return nil, &net.DNSError{Err: "no address", Name: addr, IsNotFound: true}
	}
	var out []string
	err = r.each(ctx, name, mdns.TypePTR, func(rr mdns.RR) {
		if t, ok := rr.(*mdns.PTR); ok {
			out = append(out, t.Ptr)
		}
	})
	return out, notFound(addr, len(out), err)
}

func (r *Resolver) addresses(ctx context.Context, name string, kind uint16) (out []netip.Addr, err error) {
	err = r.each(ctx, name, kind, func(rr mdns.RR) {
		var ip net.IP
		switch t := rr.(type) {
		case *mdns.A:
			ip = t.A
		case *mdns.AAAA:
			ip = t.AAAA
		}
		if a, ok := netip.AddrFromSlice(ip); ok {
			out = append(out, a.Unmap())
		}
	})
	return out, err
}

// each asks and calls do for each record of the answer, aliases included.
func (r *Resolver) each(ctx context.Context, name string, kind uint16, do func(mdns.RR)) error {
	records, err := r.ask(ctx, name, kind)
	for _, rr := range records {
		do(rr)
	}
	return err
}

// notFound turns an empty answer into the error that callers expect of one.
func notFound(name string, records int, err error) error {
	if err != nil || records > 0 {
		return err
	}
	return &net.DNSError{Err: "no such record", Name: name, IsNotFound: true}
}

// temporary drops errors that say a name is not there.
func temporary(err error) error {
	var d *net.DNSError
	if errors.As(err, &d) && d.IsNotFound {
		return nil
	}
	return err
}
