package filter

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"rempart/message"
	"rempart/message/email"
)

// inbound is a node that judges mail coming in, with a clock of its own.
type inbound struct {
	*Filter
	now time.Time
}

func newInbound() *inbound {
	return &inbound{New(Options{}), time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
}

func (in *inbound) mail(address, from, text string) *message.Message {
	m := email.ParseBytes(fmt.Appendf(nil, "From: <%s>\r\nTo: <ben@home.example>\r\nSubject: about tomorrow\r\nDate: %s\r\nMessage-ID: <%d@else.example>\r\n\r\n%s\r\n",
		from, in.now.Format(time.RFC1123Z), in.now.UnixNano(), text))
	m.Direction, m.Arrived, m.MailFrom = message.In, in.now, from
	m.Source.Address = netip.MustParseAddr(address)
	m.Recipients = []message.Recipient{{Address: "ben@home.example", Domain: "home.example"}}
	return m
}

// arrive judges a mail as the node does, and answers it.
func (in *inbound) arrive(t *testing.T, address, from, text string, answer message.Action) *message.Verdict {
	m := in.mail(address, from, text)
	in.Arrive(m)
	j := in.Judge(t.Context(), m, m.Recipients)
	in.Judged(m, j)
	in.Answered(m, []message.Decision{{Action: answer}})
	return j.Worst()
}

// A network that hands over far more than ever is noticed. What was put off is not counted, since it comes again and would be counted
// twice, and neither is what was refused or dropped.
func TestNetworkRate(t *testing.T) {
	for _, tt := range []struct {
		answer message.Action
		want   bool
	}{{message.Accept, true}, {message.Tempfail, false}, {message.Greylist, false}, {message.Quarantine, true},
		{message.Reject, false}, {message.Discard, false}, {message.Remove, false}} {
		in := newInbound()
		for range 3 {
			in.arrive(t, "203.0.113.7", "ann@else.example", "at ten", message.Accept)
			in.now = in.now.Add(24 * time.Hour)
		}
		var v *message.Verdict
		for i := range 150 {
			v = in.arrive(t, "192.0.2.25", fmt.Sprintf("x@d%d.example", i), "at ten", tt.answer)
			in.now = in.now.Add(10 * time.Second)
		}
		if got := present(v, "network_rate"); got != tt.want {
			t.Errorf("after 150 mails that were answered by %s: %v", tt.answer, got)
		}
	}
}

// A mail counts for those of its recipients for whom it was taken.
func TestTakenForSome(t *testing.T) {
	for _, tt := range []struct {
		name           string
		decisions      [2]message.Decision
		ben, carl, all uint32
	}{
		{"all take it", [2]message.Decision{{Action: message.Accept}, {Action: message.Hold}}, 1, 1, 1},
		{"one refuses it", [2]message.Decision{{Action: message.Reject}, {Action: message.Tag}}, 0, 1, 1},
		{"one puts it off", [2]message.Decision{{Action: message.Accept}, {Action: message.Greylist}}, 1, 0, 1},
		{"none takes it", [2]message.Decision{{Action: message.Discard}, {Action: message.Tempfail}}, 0, 0, 0},
		{"shadow", [2]message.Decision{{Action: message.Reject, Mode: message.ModeShadow}, {Action: message.Discard, Mode: message.ModeTap}}, 1, 1, 1},
	} {
		in := newInbound()
		m := in.mail("192.0.2.25", "ann@else.example", "at ten")
		m.Recipients = append(m.Recipients, message.Recipient{Address: "carl@home.example", Domain: "home.example"})
		in.Answered(m, tt.decisions[:])
		got := in.flows.Of(m)
		if got.Mailboxes[0].Hour != tt.ben || got.Mailboxes[1].Hour != tt.carl || got.Network.Hour != tt.all || len(m.Recipients) != 2 {
			t.Errorf("%s: %+v", tt.name, got)
		}
	}
}

// A host passes when a mail of it that was put off is taken, also in another run; one that comes again with spam does not.
func TestHostThatComesAgain(t *testing.T) {
	for _, tt := range []struct {
		answer message.Action
		want   bool
	}{{message.Accept, true}, {message.Tag, true}, {message.Greylist, false}, {message.Reject, false}} {
		in := newInbound()
		in.arrive(t, "192.0.2.25", "ann@else.example", "at ten", message.Greylist)
		in.now = in.now.Add(6 * time.Minute)
		in.arrive(t, "192.0.2.25", "ann@else.example", "at ten", tt.answer)
		later := newInbound()
		if err := later.Recall(in.Memory()); err != nil {
			t.Fatal(err)
		}
		for _, in.Filter = range []*Filter{in.Filter, later.Filter} {
			m := in.mail("192.0.2.26", "carl@else.example", "at eleven")
			in.Judge(t.Context(), m, m.Recipients)
			if m.Facts.Greylist.Passed != tt.want {
				t.Errorf("answered by %s: %+v", tt.answer, m.Facts.Greylist)
			}
		}
	}
	in := newInbound()
	in.arrive(t, "192.0.2.25", "ann@else.example", "at ten", message.Accept)
	if m := in.mail("192.0.2.25", "ann@else.example", "at ten"); in.greylist.Of(m).Passed {
		t.Error("a host that was never put off has not come again")
	}
}

func FuzzRecall(f *testing.F) {
	in := newInbound()
	f.Add(in.Memory())
	f.Add([]byte{snapshotVersion})
	f.Fuzz(func(t *testing.T, b []byte) {
		if in.Recall(b) == nil {
			if err := in.Recall(in.Memory()); err != nil {
				t.Fatal(err)
			}
		}
	})
}
