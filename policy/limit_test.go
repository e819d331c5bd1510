package policy

import (
	"reflect"
	"testing"

	"rempart/message"
)

func TestLimit(t *testing.T) {
	const all = "[policy.limit]\nnetwork = 100\nsender = 50\nrecipient = 20\n[policy.thresholds]\nreject = 0.99\n"
	arriving := func(network, sender uint32, mailboxes ...uint32) message.Arriving {
		a := message.Arriving{Network: message.Flow{Hour: network}, Sender: message.Flow{Hour: sender}}
		for _, n := range mailboxes {
			a.Mailboxes = append(a.Mailboxes, message.Flow{Hour: n})
		}
		return a
	}
	for _, tt := range []struct {
		name   string
		policy string
		a      message.Arriving
		change func(*message.Message)
		p      float64
		want   message.Action
		rule   string
	}{
		{"below all", all, arriving(99, 49, 19), nil, 0.1, message.Accept, RuleNone},
		{"network", all, arriving(100, 49, 19), nil, 0.1, message.Tempfail, RuleLimitNetwork},
		{"sender", all, arriving(99, 50, 19), nil, 0.1, message.Tempfail, RuleLimitSender},
		{"recipient", all, arriving(99, 49, 20), nil, 0.1, message.Tempfail, RuleLimitRecipient},
		{"no limit", "", arriving(1e6, 1e6, 1e6), nil, 0.1, message.Accept, RuleNone},
		{"what would be tagged", all, arriving(100, 0, 0), nil, 0.95, message.Tempfail, RuleLimitNetwork},
		{"what is refused anyway", all, arriving(100, 0, 0), nil, 0.995, message.Reject, RuleThreshold},
		{"allowed", all + `[[policy.allow]]` + "\n" + `dkim = "news.example"`, arriving(100, 50, 20), nil, 0.1, message.Accept, "allow:news.example"},
		{"allowed on trial", all + `[[policy.allow]]` + "\n" + `dkim = "news.example"` + "\n" + `mode = "shadow"`, arriving(100, 50, 20), nil, 0.1, message.Tempfail, RuleLimitNetwork},
		{"denied", all + `[[policy.deny]]` + "\n" + `dkim = "news.example"`, arriving(100, 50, 20), nil, 0.1, message.Reject, "deny:news.example"},
		{"known", all, arriving(100, 50, 20), func(m *message.Message) { m.Facts.KnownSender = "ann@else.example" }, 0.1, message.Accept, RuleNone},
		{"an answer", all, arriving(100, 50, 20), func(m *message.Message) { m.Facts.AnswersOurs = true }, 0.1, message.Accept, RuleNone},
		{"logged in", all, arriving(100, 50, 20), func(m *message.Message) { m.Direction, m.Source.Trusted = message.Out, true }, 0.1, message.Accept, RuleNone},
	} {
		m := mail("a@example.net")
		m.Facts.Arriving = tt.a
		if tt.change != nil {
			tt.change(m)
		}
		j := message.Judgement{Verdicts: []*message.Verdict{verdict(tt.p, true)}}
		d := Decide(j, m, rules(t, tt.policy))
		if d[0].Action != tt.want || d[0].Rule != tt.rule || (d[0].Text == "") != (tt.want == message.Accept) {
			t.Errorf("%s: %s by %s, %q", tt.name, d[0].Action, d[0].Rule, d[0].Text)
		}
		if again := Remake(message.NewEvent(m, j, d)); !reflect.DeepEqual(again, d) {
			t.Errorf("%s: %+v became %+v", tt.name, d, again)
		}
	}
}

// A mailbox that is flooded does not put off the other recipients of a mail, if the front door can answer each.
func TestLimitOfOneRecipient(t *testing.T) {
	m := mail("a@example.net", "b@example.net", "c@example.net")
	m.Facts.Arriving.Mailboxes = []message.Flow{{Hour: 3}, {Hour: 30}} // of more recipients nobody counts
	d := Decide(message.Judgement{}, m, rules(t, "[policy.limit]\nrecipient = 20\n"))
	for i, want := range []message.Action{message.Accept, message.Tempfail, message.Accept} {
		if d[i].Action != want {
			t.Errorf("recipient %d: %s, want %s", i, d[i].Action, want)
		}
	}
}
