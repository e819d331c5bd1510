package auth

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/publicsuffix"

	"rempart/message"
)

// List is one DNS list (RFC 5782), table [[dns.list]].
type List struct {
	// Name of the list in verdicts and logs. Default: the zone.
	Name string `toml:"name"`

	// Zone to ask, with your key in it where the list gave you one: "zen.example.org".
	Zone string `toml:"zone"`

	// Kind is what the list lists: "address" (of the client) or "domain" (of links and the author). Default: address.
	Kind string `toml:"kind"`

	// Codes are the answers that count, as "127.0.0.2" or a network. Default: 127.0.0.0/24 to 127.0.253.0/24, all but
	// the error codes.
	Codes []string `toml:"codes"`

	// Allow says that being listed speaks for a message. Default: false.
	Allow bool `toml:"allow"`
}

// list is a checked [List] with the moment until which it is switched off, and why.
type list struct {
	List
	codes      []netip.Prefix
	offUntil   atomic.Int64 // Unix seconds
	refuses    atomic.Bool
	unanswered atomic.Int32           // questions in a row
	failed     atomic.Pointer[string] // the name asked last without an answer
}

// An answer here says that the question was refused, not that the name is listed: from a public resolver, over the limit.
var refused = netip.MustParsePrefix("127.255.255.0/24")

// offTime is how long a list stays off after it refused us: long enough not to ask with every mail, short enough that a
// mended key counts soon.
const offTime = 10 * time.Minute

// A list that does not answer would have every message wait out its budget. It is switched off after so many questions in a
// row, and then one message each silentTime asks it again.
const (
	maxUnanswered = 10
	silentTime    = 30 * time.Second
)

// maxDomains bounds the domains of one message that lists are asked about.
const maxDomains = 10

func (l List) compile(i int) (*list, error) {
	key := fmt.Sprintf("dns.list[%d]", i)
	c := &list{List: l}
	if l.Zone == "" {
		return nil, fmt.Errorf("%s.zone is empty: name the zone to ask", key)
	}
	c.Zone = strings.Trim(l.Zone, ".")
	if l.Name == "" {
		c.Name = c.Zone
	}
	switch l.Kind {
	case "":
		c.Kind = "address"
	case "address", "domain":
	default:
		return nil, fmt.Errorf("%s.kind = %q: use address or domain", key, l.Kind)
	}
	codes := l.Codes
	if len(codes) == 0 {
		codes = []string{"127.0.0.0/16"}
	}
	for _, s := range codes {
		p, err := parseNetwork(s)
		if err != nil {
			return nil, fmt.Errorf("%s.codes: %q is no address or network", key, s)
		}
		c.codes = append(c.codes, p)
	}
	return c, nil
}

// listings asks every list that is on, side by side, about the source or the domains.
func (c *Checker) listings(ctx context.Context, m *message.Message, source netip.Addr) []message.Listing {
	var (
		mu  sync.Mutex
		wg  sync.WaitGroup
		out []message.Listing
	)
	domains := domainsOf(m)
	for _, l := range c.lists {
		names := domains
		if l.Kind == "address" {
			names = nil
			if source.IsValid() {
				names = []string{reversed(source)}
			}
		}
		for _, name := range names {
			wg.Go(func() {
				r := c.listed(ctx, l, name)
				if l.Kind == "address" {
					r.Name = source.String()
				}
				mu.Lock()
				defer mu.Unlock()
				out = append(out, r)
			})
		}
	}
	wg.Wait()
	// Answers come in any order; a verdict must not depend on it.
	slices.SortFunc(out, func(a, b message.Listing) int {
		return strings.Compare(a.List+"\x00"+a.Name, b.List+"\x00"+b.Name)
	})
	return out
}

// listed asks one list about one name.
func (c *Checker) listed(ctx context.Context, l *list, name string) message.Listing {
	r := message.Listing{List: l.Name, Name: name, Allow: l.Allow, State: message.StateUnknown}
	if !l.ask(time.Now()) {
		return r
	}
	answers, err := c.dns.LookupA(ctx, name+"."+l.Zone)
	if err != nil && failedOr(err, "") != "" {
		// Mails of one source at one time ask the same, and get one answer from the cache.
		last := l.failed.Swap(&name)
		if !c.dns.Down() && (last == nil || *last != name) && l.unanswered.Add(1) >= maxUnanswered {
			l.off(silentTime)
		}
		return r
	}
	l.unanswered.Store(0)
	l.refuses.Store(false)
	r.State = message.StateAbsent
	for _, a := range answers {
		switch {
		case refused.Contains(a) || !a.IsLoopback():
			l.refuses.Store(true)
			l.off(offTime)
			return message.Listing{List: l.Name, Name: name, Allow: l.Allow, State: message.StateUnknown}
		case slices.ContainsFunc(l.codes, func(p netip.Prefix) bool { return p.Contains(a) }):
			r.State = message.StatePresent
			r.Codes = append(r.Codes, a.String())
		}
	}
	return r
}

// ask reports whether the list may be asked. When a silent one's time is over the first to come asks, and the rest wait for
// what becomes of it.
func (l *list) ask(now time.Time) bool {
	until := l.offUntil.Load()
	switch {
	case now.Unix() < until:
		return false
	case l.unanswered.Load() < maxUnanswered:
		return true
	}
	return l.offUntil.CompareAndSwap(until, now.Add(silentTime).Unix())
}

func (l *list) off(d time.Duration) { l.offUntil.Store(time.Now().Add(d).Unix()) }

// isOff reports whether the list is switched off now: it refused us, or it does not answer.
func (l *list) isOff() bool {
	return time.Now().Unix() < l.offUntil.Load() || l.unanswered.Load() >= maxUnanswered
}

// Down reports whether DNS as a whole does not answer.
func (c *Checker) Down() bool { return c.dns.Down() }

// Refusing names the lists that are switched off because they refused us.
func (c *Checker) Refusing() []string { return c.switchedOff(true) }

// Silent names the lists that are switched off because they do not answer.
func (c *Checker) Silent() []string { return c.switchedOff(false) }

func (c *Checker) switchedOff(refusing bool) (names []string) {
	for _, l := range c.lists {
		if l.isOff() && l.refuses.Load() == refusing {
			names = append(names, l.Name)
		}
	}
	return names
}

// domainsOf are the registered domains of the author, the envelope and the links, each once.
func domainsOf(m *message.Message) (domains []string) {
	add := func(host string) {
		d, err := publicsuffix.EffectiveTLDPlusOne(strings.ToLower(strings.TrimSuffix(host, ".")))
		if err == nil && len(domains) < maxDomains && !slices.Contains(domains, d) {
			domains = append(domains, d)
		}
	}
	add(m.From.Domain)
	if _, d, ok := strings.Cut(m.MailFrom, "@"); ok {
		add(d)
	}
	for i := range m.Links {
		add(m.Links[i].Host)
	}
	return domains
}

// reversed is the address as lists are asked for it: octets or nibbles backwards (RFC 5782 section 2.1 and 2.4).
func reversed(a netip.Addr) string {
	a = a.Unmap()
	b := a.AsSlice()
	slices.Reverse(b)
	parts := make([]string, 0, 2*len(b))
	for _, v := range b {
		if a.Is4() {
			parts = append(parts, strconv.Itoa(int(v)))
			continue
		}
		parts = append(parts, strconv.FormatUint(uint64(v&15), 16), strconv.FormatUint(uint64(v>>4), 16))
	}
	return strings.Join(parts, ".")
}
