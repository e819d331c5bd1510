// Package dnstest is a DNS server on loopback for tests: real questions over UDP and TCP, answered from a few records.
package dnstest

import (
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	mdns "github.com/miekg/dns"
)

// Zone is a running server. It stops with its test.
type Zone struct {
	Addr  string       // host:port
	Asked atomic.Int64 // questions so far

	hold   chan struct{}
	dead   atomic.Bool
	byName map[string][]mdns.RR

	mu     sync.Mutex
	failed map[string]bool
}

// Serve answers from records in master file form ("a.example. 60 IN A 192.0.2.1") and with "no such name" beside them.
func Serve(t testing.TB, records ...string) *Zone {
	t.Helper()
	z := Hold(t, records...)
	z.Release()
	return z
}

// Hold is [Serve], but no answer is given before [Zone.Release].
func Hold(t testing.TB, records ...string) *Zone {
	t.Helper()
	z := &Zone{hold: make(chan struct{}), byName: map[string][]mdns.RR{}, failed: map[string]bool{}}
	for _, r := range records {
		rr, err := mdns.NewRR(r)
		if err != nil {
			t.Fatal(err)
		}
		key := keyOf(rr.Header().Rrtype, rr.Header().Name)
		z.byName[key] = append(z.byName[key], rr)
	}
	pc, l := listen(t)
	z.Addr = pc.LocalAddr().String()
	for _, s := range []*mdns.Server{{PacketConn: pc}, {Listener: l}} {
		started := make(chan struct{})
		s.Handler, s.NotifyStartedFunc = mdns.HandlerFunc(z.answer), func() { close(started) }
		go func() {
			if err := s.ActivateAndServe(); err != nil {
				t.Log(err)
			}
		}()
		<-started
		t.Cleanup(func() {
			if err := s.Shutdown(); err != nil {
				t.Log(err)
			}
		})
	}
	return z
}

// listen finds a port that is free for both UDP and TCP.
func listen(t testing.TB) (net.PacketConn, net.Listener) {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		pc, err := net.ListenPacket("udp", l.Addr().String())
		if err == nil {
			return pc, l
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("no port is free for both UDP and TCP")
	return nil, nil
}

// Release lets the answers go.
func (z *Zone) Release() { close(z.hold) }

// Dead says whether questions get no answer at all from now on.
func (z *Zone) Dead(dead bool) { z.dead.Store(dead) }

// Fail has questions about these names that no record answers answered with SERVFAIL, as a resolver does whose own got no
// answer.
func (z *Zone) Fail(names ...string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	for _, name := range names {
		z.failed[canonical(name)] = true
	}
}

func (z *Zone) fails(name string) bool {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.failed[canonical(name)]
}

// maxAliases is how many aliases are followed, as resolvers do; then it is a loop.
const maxAliases = 8

func (z *Zone) answer(w mdns.ResponseWriter, q *mdns.Msg) {
	z.Asked.Add(1)
	<-z.hold
	if z.dead.Load() {
		return
	}
	m := new(mdns.Msg).SetReply(q)
	kind, name := q.Question[0].Qtype, q.Question[0].Name
	records := z.byName[keyOf(kind, name)]
	for n := 0; len(records) == 0 && n < maxAliases; n++ {
		alias := z.byName[keyOf(mdns.TypeCNAME, name)]
		if len(alias) == 0 {
			break
		}
		m.Answer = append(m.Answer, alias...)
		name = alias[0].(*mdns.CNAME).Target
		records = z.byName[keyOf(kind, name)]
	}
	m.Answer = append(m.Answer, records...)
	switch {
	case len(records) == 0 && z.fails(name):
		m.Answer, m.Rcode = nil, mdns.RcodeServerFailure
	case len(m.Answer) == 0:
		m.Rcode = mdns.RcodeNameError
	}
	if w.RemoteAddr().Network() == "udp" {
		m.Truncate(512)
	}
	_ = w.WriteMsg(m) // the asker may be gone
}

func keyOf(kind uint16, name string) string { return fmt.Sprint(kind, " ", canonical(name)) }

// canonical is a name in lower case and with the one escape for each octet that names off the wire have.
func canonical(name string) string {
	wire := make([]byte, 256)
	n, err := mdns.PackDomainName(mdns.CanonicalName(name), wire, 0, nil, false)
	if err != nil {
		return name
	}
	name, _, err = mdns.UnpackDomainName(wire[:n], 0)
	if err != nil {
		return name
	}
	return name
}
