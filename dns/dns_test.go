package dns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"rempart/config"
	"rempart/dns/dnstest"
)

func newResolver(t *testing.T, servers ...string) *Resolver {
	t.Helper()
	r, err := New(Config{Servers: servers})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestLookups(t *testing.T) {
	long := strings.Repeat("x", 250)
	z := dnstest.Serve(t,
		`a.example. 60 IN TXT "v=spf1 " "-all"`,
		`a.example. 60 IN MX 10 mx.a.example.`,
		`a.example. 60 IN A 192.0.2.1`,
		`a.example. 60 IN AAAA 2001:db8::1`,
		`1.2.0.192.in-addr.arpa. 60 IN PTR mx.a.example.`,
		`long.example. 60 IN TXT "`+long+`"`, `long.example. 60 IN TXT "`+long+`1"`, `long.example. 60 IN TXT "`+long+`2"`)
	r := newResolver(t, z.Addr)
	ctx := t.Context()
	if txt, err := r.LookupTXT(ctx, "A.example"); err != nil || len(txt) != 1 || txt[0] != "v=spf1 -all" {
		t.Errorf("TXT %q, %v", txt, err)
	}
	if mx, err := r.LookupMX(ctx, "a.example"); err != nil || len(mx) != 1 || mx[0].Host != "mx.a.example." {
		t.Errorf("MX %v, %v", mx, err)
	}
	if ips, err := r.LookupIPAddr(ctx, "a.example"); err != nil || len(ips) != 2 {
		t.Errorf("addresses %v, %v", ips, err)
	}
	if names, err := r.LookupAddr(ctx, "192.0.2.1"); err != nil || len(names) != 1 {
		t.Errorf("names %v, %v", names, err)
	}
	if txt, err := r.LookupTXT(ctx, "long.example"); err != nil || len(txt) != 3 {
		t.Errorf("an answer too long for UDP: %d records, %v", len(txt), err)
	}
	_, err := r.LookupTXT(ctx, "b.example")
	var d *net.DNSError
	if !errors.As(err, &d) || !d.IsNotFound || d.IsTemporary {
		t.Errorf("no such name gives %v", err)
	}
}

// A text is the octets of its record, not their writing in a master file.
func TestTextIsOctets(t *testing.T) {
	z := dnstest.Serve(t, `a.example. 60 IN TXT "a\"b\\c" "\195\169\009;"`)
	txt, err := newResolver(t, z.Addr).LookupTXT(t.Context(), "a.example")
	if err != nil || len(txt) != 1 || txt[0] != "a\"b\\cé\t;" {
		t.Errorf("%q, %v", txt, err)
	}
}

func TestAskedOnce(t *testing.T) {
	z := dnstest.Hold(t, `a.example. 60 IN A 192.0.2.1`)
	r := newResolver(t, z.Addr)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := r.LookupA(t.Context(), "a.example"); err != nil {
				t.Error(err)
			}
		})
	}
	z.Release()
	wg.Wait()
	if _, err := r.LookupA(t.Context(), "a.example"); err != nil {
		t.Error(err)
	}
	if _, err := r.LookupA(t.Context(), "none.example"); err == nil {
		t.Error("a name that is not there was found")
	}
	_, _ = r.LookupA(t.Context(), "none.example")
	if n := z.Asked.Load(); n > 22 || n < 2 {
		t.Errorf("server was asked %d times", n)
	}
	before := z.Asked.Load()
	_, _ = r.LookupA(t.Context(), "a.example")
	_, _ = r.LookupA(t.Context(), "none.example")
	if z.Asked.Load() != before {
		t.Error("a cached answer was asked for again")
	}
}

func TestBudget(t *testing.T) {
	z := dnstest.Hold(t, `a.example. 60 IN A 192.0.2.1`)
	r := newResolver(t, z.Addr)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := r.LookupA(ctx, "a.example")
	var d *net.DNSError
	if !errors.As(err, &d) || !d.IsTemporary {
		t.Errorf("a question without time gives %v, want a temporary error", err)
	}
	z.Release()
}

func TestDeadServerIsPassedOver(t *testing.T) {
	z := dnstest.Serve(t, `a.example. 60 IN A 192.0.2.1`)
	closed, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	r := newResolver(t, closed.LocalAddr().String(), z.Addr)
	if a, err := r.LookupA(t.Context(), "a.example"); err != nil || len(a) != 1 {
		t.Errorf("%v, %v", a, err)
	}
	r = newResolver(t, closed.LocalAddr().String())
	_, err = r.LookupA(t.Context(), "a.example")
	var d *net.DNSError
	if !errors.As(err, &d) || !d.IsTemporary || d.IsNotFound {
		t.Errorf("a dead server gives %v, want a temporary error", err)
	}
}

func TestConfig(t *testing.T) {
	if _, err := New(Config{Servers: []string{"not an address"}}); err == nil {
		t.Error("a wrong server was taken")
	}
	r, err := New(Config{Servers: []string{"192.0.2.53", "[2001:db8::53]:5353"}, Budget: config.Duration(time.Second)})
	if err != nil || r.servers[0] != "192.0.2.53:53" || r.servers[1] != "[2001:db8::53]:5353" || r.Budget() != time.Second {
		t.Errorf("%+v, %v", r, err)
	}
}

// When no server answers any more names are unknown at once, and known again soon after one does.
func TestDown(t *testing.T) {
	z := dnstest.Serve(t, `a.example. 60 IN A 192.0.2.1`)
	r := newResolver(t, z.Addr)
	r.udp.Timeout, r.tcp.Timeout = 10*time.Millisecond, 10*time.Millisecond
	z.Dead(true)
	asked := 0
	for until := time.Now().Add(time.Minute); !r.Down() && time.Now().Before(until); asked++ {
		_, _ = r.LookupA(t.Context(), fmt.Sprintf("n%d.example", asked))
	}
	if !r.Down() || asked < downAfter {
		t.Fatalf("down %v after %d questions", r.Down(), asked)
	}
	before := z.Asked.Load()
	for i := range 1000 {
		if _, err := r.LookupA(t.Context(), fmt.Sprintf("m%d.example", i)); err == nil || !strings.Contains(err.Error(), "no server answers") {
			t.Fatalf("a name was asked for while no server answers: %v", err)
		}
	}
	if n := z.Asked.Load() - before; n > 500 {
		t.Errorf("1000 questions while no server answers asked it %d times", n)
	}
	z.Dead(false)
	for i := 0; r.Down() && i < 100_000; i++ {
		_, _ = r.LookupA(t.Context(), fmt.Sprintf("p%d.example", i))
		time.Sleep(100 * time.Microsecond)
	}
	if _, err := r.LookupA(t.Context(), "a.example"); err != nil {
		t.Errorf("after the server is back: %v", err)
	}
}
