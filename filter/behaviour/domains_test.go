package behaviour

import (
	"fmt"
	"testing"
	"time"

	"rempart/message"
	"rempart/message/link"
)

// reading is a tenant's mail as a table of domains sees it, with a clock of its own.
type reading struct {
	*Domains
	now time.Time
}

// newReading is a table that saw so many mails of a few domains, evenly over that time.
func newReading(mails int, over time.Duration) *reading {
	r := &reading{NewDomains(), time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
	for i := range mails {
		r.Take(r.mail(fmt.Sprintf("a@mail.old%d.example", i%20), "www.oldlink.example"))
		r.now = r.now.Add(over / time.Duration(mails))
	}
	return r
}

func (r *reading) mail(from string, hosts ...string) *message.Message {
	m := (&traffic{now: r.now}).mail("192.0.2.7", from, "ben@home.example")
	m.From.Local, m.From.Domain = "a", from[2:]
	for _, h := range hosts {
		m.Facts.Guise.Hosts = append(m.Facts.Guise.Hosts, message.LinkedHost{Name: h, Domain: link.Organisation(h)})
	}
	return m
}

func (r *reading) of(m *message.Message) (sender, link message.Result) {
	m.Facts.Newcomers = r.Of(m)
	return SenderDomainNew(m), LinkDomainNew(m)
}

const enough, longEnough = watchedMails + 100, (watchedHours + 2) * time.Hour

func TestDomains(t *testing.T) {
	signed := func(m *message.Message, status, domain string) *message.Message {
		m.Facts.Auth.DKIM = []message.DKIM{{Status: status, Domain: domain}}
		return m
	}
	tenant := func(m *message.Message) *message.Message {
		m.Recipients[0].Tenant = "south"
		return m
	}
	for _, tt := range []struct {
		name         string
		mails        int
		over         time.Duration
		mail         func(r *reading) *message.Message
		sender, link message.Result
	}{
		{"an old domain", enough, longEnough, func(r *reading) *message.Message { return r.mail("a@old3.example", "oldlink.example") }, message.Absent, message.Absent},
		{"a new sender", enough, longEnough, func(r *reading) *message.Message { return r.mail("a@mx.fresh.example", "oldlink.example") }, message.Present(1, "fresh.example"), message.Absent},
		{"a new link", enough, longEnough, func(r *reading) *message.Message { return r.mail("a@old3.example", "login.fresh.example") }, message.Absent, message.Present(1, "fresh.example")},
		{"its own link says no more", enough, longEnough, func(r *reading) *message.Message { return r.mail("a@fresh.example", "www.fresh.example") }, message.Present(1, "fresh.example"), message.Absent},
		{"a new signer", enough, longEnough, func(r *reading) *message.Message { return signed(r.mail("a@old3.example"), "pass", "fresh.example") }, message.Present(1, "fresh.example"), message.Absent},
		{"a signature that anybody can write", enough, longEnough, func(r *reading) *message.Message { return signed(r.mail("a@old3.example"), "fail", "fresh.example") }, message.Absent, message.Absent},
		{"bare addresses have no domain", enough, longEnough, func(r *reading) *message.Message { return r.mail("a@old3.example", "203.0.113.5", "localhost") }, message.Absent, message.Absent},
		{"a day and a half later", enough, longEnough, func(r *reading) *message.Message {
			r.Take(r.mail("a@fresh.example"))
			r.now = r.now.Add(36 * time.Hour)
			return r.mail("a@fresh.example")
		}, message.Present(0.5, "fresh.example"), message.Absent},
		{"three days later", enough, longEnough, func(r *reading) *message.Message {
			r.Take(r.mail("a@fresh.example"))
			r.now = r.now.Add(newHours * time.Hour)
			return r.mail("a@fresh.example")
		}, message.Absent, message.Absent},
		{"the newest of two", enough, longEnough, func(r *reading) *message.Message {
			r.Take(r.mail("a@old1.example", "fresh.example"))
			r.now = r.now.Add(18 * time.Hour)
			return r.mail("a@old1.example", "fresh.example", "fresher.example", "oldlink.example")
		}, message.Absent, message.Present(1, "fresher.example")},
		{"not long enough", enough, longEnough / 2, func(r *reading) *message.Message { return r.mail("a@fresh.example", "x.example") }, message.Unknown, message.Unknown},
		{"not mails enough", watchedMails / 2, longEnough, func(r *reading) *message.Message { return r.mail("a@fresh.example") }, message.Unknown, message.Absent},
		{"nobody looks", 0, longEnough, func(r *reading) *message.Message { return r.mail("a@fresh.example") }, message.Absent, message.Absent},
		{"another tenant begins anew", enough, longEnough, func(r *reading) *message.Message {
			r.Take(tenant(r.mail("a@old1.example")))
			return tenant(r.mail("a@old3.example"))
		}, message.Unknown, message.Absent},
	} {
		r := newReading(tt.mails, tt.over)
		sender, link := r.of(tt.mail(r))
		if !sender.Equal(tt.sender) || !link.Equal(tt.link) {
			t.Errorf("%s: sender %v, link %v, want %v and %v", tt.name, sender, link, tt.sender, tt.link)
		}
	}
}

// What was seen while the tenant was watched is not new when the watch ends.
func TestDomainsOfTheWatch(t *testing.T) {
	r := newReading(enough, longEnough-3*time.Hour)
	r.Take(r.mail("a@late.example"))
	r.now = r.now.Add(3 * time.Hour)
	r.Take(r.mail("a@old1.example"))
	if sender, _ := r.of(r.mail("a@late.example")); !sender.Equal(message.Absent) {
		t.Errorf("of the last hours of the watch: %v", sender)
	}
	r.now = r.now.Add(time.Hour)
	if sender, _ := r.of(r.mail("a@fresh.example")); sender.State != message.StatePresent {
		t.Errorf("after it: %v", sender)
	}
}

// A flood of domains neither grows the table nor makes old domains new: the table says that it does not know.
func TestDomainsFlood(t *testing.T) {
	r := newReading(enough, longEnough)
	r.now = r.now.Add(time.Hour)
	for i := range 2 * DomainCapacity {
		r.mu.Lock()
		b, mark := r.bucket("", fmt.Sprintf("f%d.example", i))
		b.see(mark, hourOf(r.mail("a@x.example")))
		r.mu.Unlock()
	}
	for _, after := range []time.Duration{0, 13 * 24 * time.Hour} {
		r.now = r.now.Add(after)
		for i := range 20 {
			if sender, _ := r.of(r.mail(fmt.Sprintf("a@old%d.example", i))); sender.State == message.StatePresent {
				t.Errorf("%s after the flood an old domain is new: %v", after, sender)
			}
		}
	}
	r.now = r.now.Add(30 * 24 * time.Hour)
	if sender, _ := r.of(r.mail("a@fresh.example")); sender.State != message.StatePresent {
		t.Errorf("long after the flood: %v", sender)
	}
}

func TestDomainsSnapshot(t *testing.T) {
	r := newReading(enough, longEnough)
	r.now = r.now.Add(time.Hour)
	r.Take(r.mail("a@fresh.example"))
	r.buckets[7].forgot = 42
	b := r.AppendSnapshot(nil)
	again, err := ReadDomains(b)
	if err != nil {
		t.Fatal(err)
	}
	r.now = r.now.Add(36 * time.Hour)
	for _, from := range []string{"a@old1.example", "a@fresh.example", "a@fresher.example"} {
		want, _ := r.of(r.mail(from))
		if got, _ := (&reading{again, r.now}).of(r.mail(from)); !got.Equal(want) {
			t.Errorf("%s after a restart: %v, before %v", from, got, want)
		}
	}
	if again.buckets[7].forgot != 42 {
		t.Error("what a bucket forgot is forgotten")
	}
	if _, err := ReadDomains(b[:10]); err == nil {
		t.Error("cut, without an error")
	}
}

func FuzzReadDomains(f *testing.F) {
	r := newReading(3, time.Hour)
	f.Add(r.AppendSnapshot(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := ReadDomains(b)
		if err != nil {
			return
		}
		once := d.AppendSnapshot(nil)
		again, err := ReadDomains(once)
		if err != nil || len(again.AppendSnapshot(nil)) != len(once) {
			t.Fatalf("read again: %v", err)
		}
	})
}

// BenchmarkArriving is what all memories of mail coming in cost one mail.
func BenchmarkArriving(b *testing.B) {
	r, f, g := newReading(enough, longEnough), NewFlows(), NewGreylist()
	m := r.mail("a@mail.old3.example", "a.example", "b.example", "c.example", "www.old7.example")
	b.ReportAllocs()
	for b.Loop() {
		m.Facts.Arriving, m.Facts.Greylist, m.Facts.Newcomers = f.Of(m), g.Of(m), r.Of(m)
		f.Take(m)
		r.Take(m)
	}
}
