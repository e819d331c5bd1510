package behaviour

import (
	"fmt"
	"testing"
	"time"

	"rempart/message"
)

// attempt is one mail as a server hands it over.
type attempt struct {
	after         time.Duration // the one before
	address, from string
	to            string
	spf           string // domain for which SPF passed
	tenant        string
}

func (a attempt) message(now time.Time) *message.Message {
	f := traffic{now: now}
	m := f.mail(a.address, a.from, a.to)
	m.Recipients[0].Tenant = a.tenant
	if a.spf != "" {
		m.Facts.Auth.SPF, m.Facts.Auth.SPFDomain = "pass", a.spf
	}
	return m
}

// The first attempt is put off, the last is looked at.
func TestGreylist(t *testing.T) {
	first := attempt{address: "192.0.2.7", from: "ann@else.example", to: "ben@home.example"}
	after := func(d time.Duration, change func(*attempt)) attempt {
		a := first
		a.after = d
		if change != nil {
			change(&a)
		}
		return a
	}
	for _, tt := range []struct {
		name string
		last attempt
		want time.Duration // waited
	}{
		{"after a minute", after(time.Minute, nil), time.Minute},
		{"at once", after(0, nil), 1},
		{"after a day", after(24*time.Hour, nil), 24 * time.Hour},
		{"later", after(24*time.Hour+time.Second, nil), 0},
		{"in other letters", after(time.Minute, func(a *attempt) { a.from, a.to = "Ann@ELSE.example", "Ben@home.example" }), time.Minute},
		{"from a neighbour", after(time.Minute, func(a *attempt) { a.address = "192.0.2.99" }), time.Minute},
		{"from elsewhere", after(time.Minute, func(a *attempt) { a.address = "192.0.3.7" }), 0},
		{"of another sender", after(time.Minute, func(a *attempt) { a.from = "x@else.example" }), 0},
		{"to somebody else", after(time.Minute, func(a *attempt) { a.to = "carl@home.example" }), 0},
		{"to another tenant", after(time.Minute, func(a *attempt) { a.tenant = "south" }), 0},
	} {
		g, now := NewGreylist(), time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
		m := first.message(now)
		if got := g.Of(m); got.Passed || got.Waited[0] != 0 {
			t.Errorf("%s: the first: %+v", tt.name, got)
		}
		g.PutOff(m, 0)
		g.PutOff(m, 0)
		again := tt.last.message(now.Add(tt.last.after))
		if got := g.Of(again); got.Passed || got.Waited[0] != tt.want {
			t.Errorf("%s: %+v, want %s", tt.name, got, tt.want)
		}
		if tt.want == 0 { // it begins anew
			g.PutOff(again, 0)
			again.Arrived = again.Arrived.Add(time.Hour)
			if got := g.Of(again); got.Waited[0] != time.Hour {
				t.Errorf("%s, an hour after: %+v", tt.name, got)
			}
		}
	}
}

// A host that came again passes with whatever mail, from whichever of its addresses, until nothing was heard of it for 36 days.
func TestGreylistPass(t *testing.T) {
	g, now := NewGreylist(), time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	passed := func(a attempt, after time.Duration) bool { return g.Of(a.message(now.Add(after))).Passed }
	network := attempt{address: "2001:db8:7:1::1", from: "a@else.example", to: "ben@home.example"}
	domain := attempt{address: "192.0.2.7", from: "a@else.example", to: "ben@home.example", spf: "pool.example"}
	g.Pass(network.message(now))
	g.Pass(domain.message(now))
	const day = 24 * time.Hour
	for _, tt := range []struct {
		name  string
		a     attempt
		after time.Duration
		want  bool
	}{
		{"the same", network, 0, true},
		{"another mail of that customer", attempt{address: "2001:db8:7:ffff::9", from: "x@y.example", to: "carl@home.example"}, day, true},
		{"another customer", attempt{address: "2001:db8:8::1", from: "a@else.example", to: "ben@home.example"}, day, false},
		{"in another tenant", attempt{address: network.address, from: network.from, to: network.to, tenant: "south"}, day, false},
		{"the domain from a new address", attempt{address: "198.51.100.1", from: "b@pool.example", to: "carl@home.example", spf: "Pool.example"}, day, true},
		{"its address without SPF", attempt{address: "192.0.2.7", from: "a@else.example", to: "ben@home.example"}, day, false},
		{"after 36 days", network, 36 * day, true},
		{"after 37 days", network, 37 * day, false},
	} {
		if got := passed(tt.a, tt.after); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
	now = now.Add(30 * day)
	g.Pass(network.message(now))
	if !passed(network, 30*day) {
		t.Error("a mail each month, but it does not pass")
	}
}

// A mail to very many waits for the first hundred of them; one without a known host, or of the operator's own, does not wait.
func TestGreylistBounds(t *testing.T) {
	g := NewGreylist()
	f := traffic{now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
	var many []string
	for i := range 300 {
		many = append(many, fmt.Sprintf("u%d@home.example", i))
	}
	m := f.mail("192.0.2.7", "a@else.example", many...)
	for i := range many {
		g.PutOff(m, i)
	}
	if n := len(g.waiting.young); n != maxGreylisted || len(g.Of(m).Waited) != maxGreylisted {
		t.Errorf("waits for %d of 300", n)
	}
	m.Source.Trusted = true
	if got := g.Of(m); got.Waited != nil {
		t.Errorf("of our own: %+v", got)
	}
	for i := range WaitingCapacity + 1000 {
		g.PutOff(f.mail("192.0.2.7", "a@else.example", fmt.Sprintf("v%d@home.example", i)), 0)
	}
	if n := len(g.waiting.young) + len(g.waiting.old); n > WaitingCapacity {
		t.Errorf("%d wait", n)
	}
}

func TestGreylistSnapshot(t *testing.T) {
	g, f := NewGreylist(), traffic{now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
	waiting, passed := f.mail("192.0.2.7", "a@else.example", "ben@home.example"), f.mail("198.51.100.7", "a@else.example", "ben@home.example")
	g.PutOff(waiting, 0)
	g.Pass(passed)
	b := g.AppendSnapshot(nil)
	again, err := ReadGreylist(b)
	if err != nil {
		t.Fatal(err)
	}
	waiting.Arrived = waiting.Arrived.Add(time.Hour)
	if got := again.Of(waiting); got.Waited[0] != time.Hour || got.Passed || !again.Of(passed).Passed {
		t.Errorf("after a restart: %+v, %+v", got, again.Of(passed))
	}
	for n := range b {
		if _, err := ReadGreylist(b[:n]); err == nil && n < 1+2+len(g.key) {
			t.Errorf("cut at %d without an error", n)
		}
	}
	again.Clear()
	if again.Of(waiting).Waited[0] != 0 || !again.Of(passed).Passed {
		t.Error("a person is erased: mails are forgotten, hosts stay")
	}
}

func FuzzReadGreylist(f *testing.F) {
	g := NewGreylist()
	g.Pass((&traffic{now: time.Unix(1.7e9, 0)}).mail("192.0.2.7", "a@else.example", "ben@home.example"))
	f.Add(g.AppendSnapshot(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		g, err := ReadGreylist(b)
		if err != nil {
			return
		}
		again, err := ReadGreylist(g.AppendSnapshot(nil))
		if err != nil || again.key != g.key || len(again.passed.young)+len(again.passed.old) != len(g.passed.young)+len(g.passed.old) {
			t.Fatalf("read again: %v", err)
		}
	})
}
