package policy

import (
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rempart/message"
)

// judged is an event as the node would record it under a policy.
func judged(m *message.Message, v *message.Verdict, r *Rules) *message.Event {
	var j message.Judgement
	for range max(1, len(m.Recipients)) {
		j.Verdicts = append(j.Verdicts, v)
	}
	m.Facts.Emergency = m.Channel == message.Call
	e := message.NewEvent(m, j, Decide(j, m, r))
	b, _ := e.AppendBinary(nil)
	again := new(message.Event)
	if err := again.UnmarshalBinary(b); err != nil {
		panic(err)
	}
	return again
}

// What is previewed is what the new policy decides when the mail itself is there.
func TestPreview(t *testing.T) {
	const before = `
[policy.limit]
network = 10
[policy.thresholds]
hold = 0.95
greylist = 0.3
[[policy.rule]]
name = "subject"
when = "message.subject contains 'invoice'"
action = "hold"
mode = "shadow"
`
	const after = `
[policy]
allow = [{dkim = "news.example", spf = "pass.example"}, {arc = "list.example"}]
deny = [{network = "198.51.100.0/24", action = "tag"}]
malware = "hold"
[policy.limit]
network = 20
[policy.thresholds]
hold = 0.8
reject = 0.99
greylist = 0.3
[[policy.scope]]
domain = "strict.example"
thresholds = {quarantine = 0.5}
[[policy.rule]]
name = "sized"
when = "message.size > 5000 and message.from_domain == 'bank.example' and has('listed')"
action = "reject"
[[policy.rule]]
name = "subject"
when = "message.subject contains 'invoice'"
action = "quarantine"
`
	old, now := rules(t, before), rules(t, after)
	change := func(change func(*message.Message)) *message.Message {
		m := mail("a@example.net", "b@strict.example")
		m.Facts.Auth.DKIM = nil
		m.MessageID, m.MailFrom = "1@x.example", "a@x.example"
		change(m)
		return m
	}
	for name, m := range map[string]*message.Message{
		"nothing of it": change(func(*message.Message) {}),
		"a list":        sentFrom("a@news.example", "pass", "pass.example"),
		"a seal":        sealedBy("list.example", true),
		"a network":     change(func(m *message.Message) { m.Source.Address = netip.MustParseAddr("198.51.100.9") }),
		"a rule":        change(func(m *message.Message) { m.Size, m.From.Local, m.From.Domain = 9000, "ann", "bank.example" }),
		"a rule kept":   change(func(m *message.Message) { m.Subject = "your invoice" }),
		"a limit":       change(func(m *message.Message) { m.Facts.Arriving.Network.Hour = 50 }),
		"greylisted":    change(func(m *message.Message) { m.Facts.Greylist.Waited = make([]time.Duration, 2) }),
		"came again":    change(func(m *message.Message) { m.Facts.Greylist.Passed = true }),
		"malware":       change(func(m *message.Message) { m.Facts.Scan = message.Scan{State: message.StatePresent} }),
		"circles": change(func(m *message.Message) {
			m.Header = make(message.Header, 60)
			for i := range m.Header {
				m.Header[i].Name = "Received"
			}
		}),
		"a call":     change(func(m *message.Message) { m.Channel = message.Call }),
		"one answer": change(func(m *message.Message) { m.OneAnswer = true }),
	} {
		for _, p := range []float64{0.1, 0.4, 0.6, 0.85, 0.97, 0.995} {
			v := verdict(p, true)
			if m.Facts.Scan.State == message.StatePresent {
				v.Contributions = append(v.Contributions, message.Contribution{Name: "malware", State: message.StatePresent, Input: message.FixedOne})
			}
			e := judged(m, v, old)
			want := judged(m, v, now)
			if m.OneAnswer && !e.Outcomes[0].Decision.United {
				continue // the record does not say that there was but one
			}
			for i, d := range now.Again(e, Recorded(e)) {
				if w := want.Outcomes[i].Decision; d.Action != w.Action || d.Rule != w.Rule {
					t.Errorf("%s, probability %v, recipient %d: previewed %s by %s, decided %s by %s", name, p, i, d.Action, d.Rule, w.Action, w.Rule)
				}
				if alone := now.AgainFor(i, e, Recorded(e)); !reflect.DeepEqual(alone, d) {
					t.Errorf("%s, probability %v, recipient %d: alone %+v, among all %+v", name, p, i, alone, d)
				}
			}
		}
	}
	why := strings.Join(new(Preview).Unseen(now), "\n")
	for _, want := range []string{"rule:subject asks message.subject", "limits", "greylisting"} {
		if !strings.Contains(why, want) {
			t.Errorf("%q is not said in\n%s", want, why)
		}
	}
	if strings.Contains(why, "sized") {
		t.Errorf("a rule that can be previewed is said not to be:\n%s", why)
	}
}

// A preview of the policy in force changes nothing.
func TestPreviewOfTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := anyRules(t)
		m := mail("a@example.net", "b@example.org")
		var p Preview
		e := judged(m, verdict(rapid.Float64Range(0, 1).Draw(t, "p"), rapid.Bool().Draw(t, "source")), r)
		if p.Add(e, Recorded(e), r); len(p.Changes) > 0 || p.Recipients != 2 {
			t.Fatalf("%+v", *p.Changes[0])
		}
	})
}

// That there was but one answer for all is recorded only where the recipients' decisions differed: a preview says that it does not know.
func TestPreviewOfSeveral(t *testing.T) {
	old, now := rules(t, ""), rules(t, "[[policy.scope]]\ndomain = 'strict.example'\nthresholds = {reject = 0.5}\n")
	differ := rules(t, "[[policy.scope]]\ndomain = 'strict.example'\nthresholds = {hold = 0.5}\n")
	for _, tt := range []struct {
		name      string
		before    *Rules
		to        []string
		oneAnswer bool
		want      bool
	}{
		{"one", old, []string{"a@strict.example"}, true, false},
		{"each its own answer", old, []string{"a@strict.example", "b@example.net"}, false, true},
		{"one answer that all agreed on", old, []string{"a@strict.example", "b@example.net"}, true, true},
		{"one answer", differ, []string{"a@strict.example", "b@example.net"}, true, false},
	} {
		m := mail(tt.to...)
		m.OneAnswer = tt.oneAnswer
		e := judged(m, verdict(0.7, true), tt.before)
		var p Preview
		p.Add(e, Recorded(e), now)
		if got := strings.Contains(strings.Join(p.Unseen(now), "\n"), "several recipients"); got != tt.want {
			t.Errorf("%s: said %v", tt.name, got)
		}
	}
}

func TestPreviewCounts(t *testing.T) {
	old, now := rules(t, ""), rules(t, "[policy.thresholds]\ntag = 0.5\nhold = 0.95\n")
	var p Preview
	for i := range 10 {
		m := mail("a@example.net")
		m.ID = fmt.Sprint(i)
		e := judged(m, verdict(0.3+float64(i)/14, false), old)
		p.Add(e, Recorded(e), now)
	}
	p.Sort()
	if p.Messages != 10 || p.Before[message.Accept] != 9 || p.Before[message.Tag] != 1 || p.After[message.Accept] != 3 || p.After[message.Tag] != 7 || len(p.Changes) != 1 {
		t.Errorf("%+v", p)
	}
	if c := p.Changes[0]; c.Count != 6 || len(c.Examples) != maxExamples || c.Examples[0].After != RuleThreshold {
		t.Errorf("%+v", c)
	}
}
