package node

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"rempart/index"
	"rempart/message"
	"rempart/message/email"
)

func offered(t *testing.T) *message.Message {
	t.Helper()
	m, err := email.Parse(strings.NewReader(offer))
	if err != nil {
		t.Fatal(err)
	}
	m.Direction, m.Recipients = message.In, []message.Recipient{{Address: "ben@b.example"}, {Address: "ann@b.example"}}
	return m
}

// counted is the counter of that name whose labels have these values.
func counted(t *testing.T, n *Node, name string, values ...string) float64 {
	t.Helper()
	families, err := n.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			found := map[string]bool{}
			for _, l := range m.GetLabel() {
				found[l.GetValue()] = true
			}
			if f.GetName() == name && !slices.ContainsFunc(values, func(v string) bool { return !found[v] }) {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}

// A rule in force acts, one on trial is counted and recorded only, one that takes too long is named and left out.
func TestRules(t *testing.T) {
	path, _ := configuration(t, `
[[policy.rule]]
name = "bomb"
when = "count(headers('X'), any(headers('X'), any(headers('X'), any(headers('X'), # == 'x')))) > 999"
action = "discard"
[[policy.rule]]
name = "trial"
when = "recipient.address startsWith 'ben@' and any(message.link_hosts, # endsWith 'a.example')"
action = "quarantine"
mode = "shadow"
[[policy.rule]]
name = "parcel"
when = "message.subject contains 'parcel'"
action = "hold"
`)
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	n, err := Open(t.Context(), c, slog.New(slog.NewTextHandler(&log, nil)), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	var e *message.Event
	err = n.Work(t.Context(), func(ctx context.Context) error {
		for range 3 {
			m := offered(t)
			for range 300 {
				m.Header = append(m.Header, message.Field{Name: "X"})
			}
			for i, d := range n.Judge(ctx, m).Decisions {
				if d.Action != message.Hold || d.Rule != "rule:parcel" || len(d.Skipped) != 1 || d.Skipped[0] != "rule:bomb" || len(d.Matches) != 2-i {
					t.Errorf("recipient %d: %+v", i, d)
				}
			}
		}
		for e == nil && ctx.Err() == nil {
			page, err := n.index.Search(ctx, index.Query{})
			if err != nil {
				return err
			}
			if len(page.Events) > 0 {
				e = page.Events[0]
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if m := e.Outcomes[0].Decision.Matches[0]; m != (message.Match{Rule: "rule:trial", Action: message.Quarantine, Mode: message.ModeShadow}) {
		t.Errorf("the event says of the trial: %+v", m)
	}
	for _, tt := range []struct {
		rule, action, mode string
		want               float64
	}{{"trial", "quarantine", "shadow", 3}, {"parcel", "hold", "judge", 6}} {
		if got := counted(t, n, "rempart_rule_matches_total", tt.rule, tt.action, tt.mode); got != tt.want {
			t.Errorf("%s counted %v times, want %v", tt.rule, got, tt.want)
		}
	}
	if got := counted(t, n, "rempart_rule_skipped_total", "bomb"); got != 6 {
		t.Errorf("skipped %v times, want 6", got)
	}
	if got := strings.Count(log.String(), "rule=rule:bomb"); got != 1 {
		t.Errorf("the log names the bomb %d times, want once a minute:\n%s", got, log.String())
	}
}

// A file with a wrong rule is refused with its place, and the rules that are there go on.
func TestWrongRuleKeepsTheOld(t *testing.T) {
	path, _ := configuration(t, "[[policy.rule]]\nname = \"parcel\"\nwhen = \"message.subject contains 'parcel'\"\naction = \"hold\"\n")
	n, _ := serve(t, path)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	line := strings.Count(string(text), "\n")
	for rule, place := range map[string]string{
		"when = \"message.subject contains 'parcel' and has('no_such')\"": ":3:51: policy.rule[1].when: ",
		"when = '''\nmessage.size > 1\n  and message.sise < 2'''":         ":5:15: policy.rule[1].when: ",
		"when = \"message.subject \\u0063ontains\"":                       ":3:37: policy.rule[1].when: ",
		"when = \"true\"\nmode = \"try\"":                                 ":4: policy.rule.mode: ",
	} {
		wrong := strings.ReplaceAll(string(text), "hold", "tag") + "[[policy.rule]]\nname = \"wrong\"\n" + rule + "\naction = \"hold\"\n"
		if err := os.WriteFile(path, []byte(wrong), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Load(path)
		number, rest, _ := strings.Cut(strings.TrimPrefix(place, ":"), ":")
		want := path + ":" + strconv.Itoa(line+int(number[0]-'0')) + ":" + rest
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", rule, err, want)
		}
		if d := n.Judge(t.Context(), offered(t)).Decisions[0]; d.Action != message.Hold {
			t.Errorf("after a wrong file: %+v", d)
		}
	}
}
