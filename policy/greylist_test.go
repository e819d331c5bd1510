package policy

import (
	"net/netip"
	"reflect"
	"testing"
	"time"

	"rempart/message"
)

func TestGreylist(t *testing.T) {
	const on = "[policy.thresholds]\ngreylist = 0.3\ntag = 0.9\n"
	for _, tt := range []struct {
		name   string
		policy string
		waited time.Duration
		p      float64
		change func(*message.Message)
		want   message.Action
	}{
		{"off", "", 0, 0.5, nil, message.Accept},
		{"unsure, for the first time", on, 0, 0.5, nil, message.Greylist},
		{"surely honest", on, 0, 0.29, nil, message.Accept},
		{"surely spam", on, 0, 0.9, nil, message.Tag},
		{"too soon", on, 299 * time.Second, 0.5, nil, message.Greylist},
		{"after five minutes", on, 300 * time.Second, 0.5, nil, message.Accept},
		{"after a delay of one's own", on + "[policy.greylist]\ndelay = \"10s\"\n", 10 * time.Second, 0.5, nil, message.Accept},
		{"a host that came again", on, 0, 0.5, func(m *message.Message) { m.Facts.Greylist.Passed = true }, message.Accept},
		{"nobody remembers", on, 0, 0.5, func(m *message.Message) { m.Facts.Greylist.Waited = nil }, message.Accept},
		{"known", on, 0, 0.5, func(m *message.Message) { m.Facts.KnownSender = "ann@else.example" }, message.Accept},
		{"an answer", on, 0, 0.5, func(m *message.Message) { m.Facts.AnswersOurs = true }, message.Accept},
		{"logged in", on, 0, 0.5, func(m *message.Message) { m.Direction, m.Account = message.Out, "ann" }, message.Accept},
		{"our own", on, 0, 0.5, func(m *message.Message) { m.Source.Trusted = true }, message.Accept},
		{"by way of a relay", on, 0, 0.5, func(m *message.Message) { m.Route = []message.Hop{{Trusted: true}} }, message.Accept},
		{"by way of a trusted forwarder", on, 0, 0.5, func(m *message.Message) { m.Facts.Auth.Source = netip.MustParseAddr("198.51.100.9") }, message.Accept},
		{"straight", on, 0, 0.5, func(m *message.Message) { m.Facts.Auth.Source = m.Source.Address }, message.Greylist},
		{"allowed", on + "[[policy.allow]]\ndkim = \"news.example\"\n", 0, 0.5, nil, message.Accept},
		{"signed, from where honest mail was taught", on, 0, 0.5, func(m *message.Message) { m.Facts.Reputation = message.Reputation{Known: true, Ham: 2, Spam: 1} }, message.Accept},
		{"signed, from where spam was taught", on, 0, 0.5, func(m *message.Message) { m.Facts.Reputation = message.Reputation{Known: true, Ham: 1, Spam: 1} }, message.Greylist},
		{"unsigned, from where honest mail was taught", on, 0, 0.5, func(m *message.Message) {
			m.Facts.Reputation, m.Facts.Auth.DKIM = message.Reputation{Known: true, Ham: 2}, nil
		}, message.Greylist},
		{"signed, on a list of good senders", on, 0, 0.5, func(m *message.Message) {
			m.Facts.Listings = []message.Listing{{Allow: true, State: message.StatePresent}}
		}, message.Accept},
		{"a text", on, 0, 0.5, func(m *message.Message) { m.Channel = message.SMS }, message.Accept},
	} {
		m := mail("a@example.net")
		m.Facts.Greylist.Waited = []time.Duration{tt.waited}
		if tt.change != nil {
			tt.change(m)
		}
		j := message.Judgement{Verdicts: []*message.Verdict{verdict(tt.p, true)}}
		d := Decide(j, m, rules(t, tt.policy))
		if d[0].Action != tt.want || (tt.want == message.Greylist) != (d[0].Text != "") {
			t.Errorf("%s: %s by %s, %q", tt.name, d[0].Action, d[0].Rule, d[0].Text)
		}
		if again := Remake(message.NewEvent(m, j, d)); !reflect.DeepEqual(again, d) {
			t.Errorf("%s: %+v became %+v", tt.name, d, again)
		}
	}
}

// A scope may want it where the node does not, and the other way round.
func TestGreylistOfScope(t *testing.T) {
	r := rules(t, "[[policy.scope]]\ndomain = \"b.example\"\nthresholds = {greylist = 0.3}\n")
	m := mail("a@a.example", "b@b.example")
	m.Facts.Greylist.Waited = make([]time.Duration, 2)
	v := verdict(0.5, true)
	j := message.Judgement{Verdicts: []*message.Verdict{v, v}}
	if d := Decide(j, m, r); d[0].Action != message.Accept || d[1].Action != message.Greylist {
		t.Errorf("%s, %s", d[0].Action, d[1].Action)
	}
	m.OneAnswer = true // the copy of one must not hold up the other's
	if d := Decide(j, m, r); d[0].Action != message.Accept || d[1].Action != message.Accept {
		t.Errorf("with one answer: %s, %s", d[0].Action, d[1].Action)
	}
}
