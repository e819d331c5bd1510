package behaviour

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"rempart/message"
)

// traffic is mail coming in to a node, with a clock of its own.
type traffic struct {
	*Flows
	now time.Time
}

// newTraffic is a node that took two mails a day for three days.
func newTraffic() *traffic {
	f := &traffic{NewFlows(), time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
	for range 6 {
		f.Take(f.mail("203.0.113.7", "a@quiet.example", "z@home.example"))
		f.now = f.now.Add(12 * time.Hour)
	}
	return f
}

func (f *traffic) mail(address, from string, to ...string) *message.Message {
	m := &message.Message{Channel: message.Email, Direction: message.In, Arrived: f.now, MailFrom: from}
	m.Source.Address = netip.MustParseAddr(address)
	for _, a := range to {
		m.Recipients = append(m.Recipients, message.Recipient{Address: a})
	}
	return m
}

// burst takes n mails within an hour, each made by each, and returns the last as it would be judged.
func (f *traffic) burst(n int, each func(i int) *message.Message) *message.Message {
	var m *message.Message
	for i := range n {
		m = each(i)
		m.Facts.Arriving = f.Of(m)
		f.Take(m)
		f.now = f.now.Add(50 * time.Minute / time.Duration(n))
	}
	return m
}

// days is a habit: as many mails an hour at the same time each day.
func (f *traffic) days(days, n int, each func(i int) *message.Message) {
	for range days {
		start := f.now
		f.burst(n, each)
		f.now = start.Add(24 * time.Hour)
	}
}

func names(m *message.Message) (names string) {
	for _, s := range []struct {
		name string
		read func(*message.Message) message.Result
	}{{"network ", NetworkRate}, {"sender ", SenderRate}, {"mailbox ", MailboxFlood}} {
		if s.read(m).State == message.StatePresent {
			names += s.name
		}
	}
	return names
}

func TestFlows(t *testing.T) {
	one := func(f *traffic) func(int) *message.Message { // one sender to a hundred mailboxes
		return func(i int) *message.Message {
			return f.mail("192.0.2.25", "news@shop.example", fmt.Sprintf("u%d@home.example", i%100))
		}
	}
	for _, tt := range []struct {
		name string
		of   func(f *traffic) *message.Message
		want string
	}{
		{"a hundred mails are nothing", func(f *traffic) *message.Message { return f.burst(100, one(f)) }, ""},
		{"a new source of four hundred", func(f *traffic) *message.Message { return f.burst(400, one(f)) }, "network sender "},
		{"a bulk sender as ever", func(f *traffic) *message.Message {
			f.days(4, 400, one(f))
			return f.burst(700, one(f))
		}, ""},
		{"a bulk sender with far more than ever", func(f *traffic) *message.Message {
			f.days(4, 400, one(f))
			return f.burst(1500, one(f))
		}, "network sender "},
		{"the third issue of a newsletter", func(f *traffic) *message.Message {
			for range 2 {
				f.burst(2000, one(f))
				f.now = f.now.Add(7 * 24 * time.Hour)
			}
			return f.burst(2000, one(f))
		}, ""},
		{"one domain from many networks", func(f *traffic) *message.Message {
			return f.burst(400, func(i int) *message.Message {
				return f.mail(fmt.Sprintf("198.51.%d.1", i%200), "x@shop.example", fmt.Sprintf("u%d@home.example", i))
			})
		}, "sender "},
		{"many domains from one network of IPv6", func(f *traffic) *message.Message {
			return f.burst(400, func(i int) *message.Message {
				return f.mail(fmt.Sprintf("2001:db8:7:%x::1", i), fmt.Sprintf("x@d%d.example", i), fmt.Sprintf("u%d@home.example", i))
			})
		}, "network "},
		{"a mail bomb", func(f *traffic) *message.Message {
			return f.burst(90, func(i int) *message.Message {
				return f.mail(fmt.Sprintf("198.51.%d.1", i), fmt.Sprintf("welcome@list%d.example", i), "Anna@home.example")
			})
		}, "mailbox "},
		{"alarms of one machine", func(f *traffic) *message.Message {
			return f.burst(90, func(int) *message.Message {
				return f.mail("192.0.2.25", "root@monitor.example", "anna@home.example")
			})
		}, ""},
		{"a role's busy mailbox", func(f *traffic) *message.Message {
			support := func(i int) *message.Message {
				return f.mail(fmt.Sprintf("198.51.%d.1", i), fmt.Sprintf("x@client%d.example", i), "support@home.example")
			}
			f.days(3, 60, support)
			return f.burst(90, support)
		}, ""},
		{"an hour later", func(f *traffic) *message.Message {
			f.burst(400, one(f))
			f.now = f.now.Add(2 * time.Hour)
			return f.burst(1, one(f))
		}, ""},
	} {
		f := newTraffic()
		if got := names(tt.of(f)); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// Nothing is known of habits before two days of mail.
func TestFlowsUnsettled(t *testing.T) {
	f := &traffic{NewFlows(), time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
	m := f.burst(1000, func(i int) *message.Message {
		return f.mail("192.0.2.25", fmt.Sprintf("x@d%d.example", i), "anna@home.example")
	})
	if got := names(m); got != "" {
		t.Errorf("on its first day: %s", got)
	}
	if m.Facts.Arriving.Network.Hour != 999 {
		t.Errorf("but it counts: %+v", m.Facts.Arriving.Network)
	}
}

// Who borrows a name uses up nothing of its owner's, and one tenant's mail is nothing to another.
func TestFlowsAreApart(t *testing.T) {
	f := newTraffic()
	f.burst(400, func(i int) *message.Message {
		return f.mail("192.0.2.25", "x@bank.example", fmt.Sprintf("u%d@home.example", i))
	})
	m := f.mail("203.0.113.99", "y@mail.bank.example", "anna@home.example")
	m.Facts.Auth = message.Authentication{SPF: "pass", SPFDomain: "mail.bank.example"}
	if a := f.Of(m); a.Sender.Name != "bank.example" || a.Sender.Hour != 0 {
		t.Errorf("the bank itself: %+v", a.Sender)
	}
	forged := f.mail("203.0.113.99", "y@bank.example", "anna@home.example")
	if a := f.Of(forged); a.Sender.Name != "bank.example" || a.Sender.Hour == 0 {
		t.Errorf("one more that borrows its name: %+v", a.Sender)
	}
	forged.Source.Address = netip.MustParseAddr("192.0.2.1")
	forged.Recipients[0].Tenant = "south"
	if a := f.Of(forged); a.Sender.Hour != 0 || a.Network.Hour != 0 || a.Network.Settled {
		t.Errorf("another tenant: %+v", a)
	}
}

// The table holds no more than it says, however much comes.
func TestFlowsAreBounded(t *testing.T) {
	f := newTraffic()
	for i := range SourceCapacity + 100 {
		f.Take(f.mail(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}).String(), fmt.Sprintf("x@d%d.example", i), fmt.Sprintf("u%d@home.example", i)))
	}
	if n := len(f.sources.young) + len(f.sources.old); n > SourceCapacity {
		t.Errorf("%d sources", n)
	}
	if n := len(f.mailboxes.young) + len(f.mailboxes.old); n > MailboxCapacity {
		t.Errorf("%d mailboxes", n)
	}
	f.Clear()
	if m := f.mail("10.0.0.1", "", "u1@home.example"); f.Of(m).Mailboxes[0].Hour != 0 {
		t.Error("a mailbox is not forgotten")
	}
}
