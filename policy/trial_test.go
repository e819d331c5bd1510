package policy

import (
	"errors"
	"reflect"
	"testing"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"

	"rempart/config"
	"rempart/message"
)

// What is tried is what the file does once the trial stands in it.
func TestTry(t *testing.T) {
	const first = `
[[policy.rule]]
name = "first"
when = "message.size > 100000"
action = "hold"
`
	const base = first + `
[[policy.rule]]
name = "second"
when = "verdict.probability > 0.4"
action = "tag"
`
	scoped := base + "[[policy.scope]]\ndomain = \"strict.example\"\n"
	for name, tt := range map[string]struct {
		trial Trial
		base  string
		want  message.Action // for b@strict.example, at probability 0.5 with a signal about the source
	}{
		"node":               {Trial{Action: message.Quarantine, From: 0.45}, "", message.Quarantine},
		"node, off":          {Trial{Action: message.Tag, From: 0}, "", message.Accept},
		"domain, new":        {Trial{Whom: message.Scope{Domain: "strict.example"}, Action: message.Hold, From: 0.2}, "", message.Hold},
		"another domain":     {Trial{Whom: message.Scope{Domain: "other.example"}, Action: message.Hold, From: 0.2}, "", message.Accept},
		"user":               {Trial{Whom: message.Scope{User: "B@strict.example"}, Action: message.Reject, From: 0.5}, "", message.Reject},
		"behind other rules": {Trial{Action: message.Reject, Rule: &RuleConfig{Name: "third", When: "true", Action: message.Reject}}, base, message.Tag},
		"in place of one": {Trial{Rule: &RuleConfig{Name: "second", When: "verdict.probability > 0.4\n  and recipient.address contains \"strict.example\" // \\",
			Action: message.Quarantine}}, base, message.Quarantine},
		"a rule alone": {Trial{Rule: &RuleConfig{Name: "x", When: `recipient.address contains "b@" and not has('listed')`, Action: message.Hold}}, "", message.Accept},
	} {
		m := mail("b@strict.example")
		v := verdict(0.5, true)
		j := message.Judgement{Verdicts: []*message.Verdict{v}}
		tried, err := rules(t, tt.base).Try(tt.trial)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := Decide(j, m, tried)
		if got[0].Action != tt.want {
			t.Errorf("%s: %v, want %v", name, got[0].Action, tt.want)
		}
		text := tt.trial.TOML()
		if name == "in place of one" {
			text = first + text
		} else {
			text = tt.base + text
		}
		if want := Decide(j, m, rules(t, text)); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: tried %+v, in the file %+v", name, got, want)
		}
	}
	if r := rules(t, scoped); len(r.scopes) != 1 {
		t.Fatal("no scope")
	} else if tried, err := r.Try(Trial{Whom: message.Scope{Domain: "strict.example"}, Action: message.Hold, From: 0.2}); err != nil || r.scopes[message.Scope{Domain: "strict.example"}].thresholds.Hold != nil {
		t.Errorf("the rules in force were changed: %v, %v", tried, err)
	}
}

func TestTryRefuses(t *testing.T) {
	r := rules(t, "")
	for _, trial := range []Trial{
		{Action: message.Accept, From: 0.5},
		{Action: message.Tag, From: 1.5},
		{Rule: &RuleConfig{Name: "x y", When: "true", Action: message.Tag}},
		{Rule: &RuleConfig{Name: "x", When: "", Action: message.Tag}},
		{Rule: &RuleConfig{Name: "x", When: "true", Action: message.Greylist}},
	} {
		if _, err := r.Try(trial); err == nil {
			t.Errorf("%+v was taken", trial)
		}
	}
	_, err := r.Try(Trial{Rule: &RuleConfig{Name: "x", When: "true and\n has('nothing')", Action: message.Tag}})
	var wrong *config.TextError
	if !errors.As(err, &wrong) || wrong.Rune != 14 {
		t.Errorf("%v, %+v", err, wrong)
	}
}

func TestSettings(t *testing.T) {
	r := rules(t, `
[policy.thresholds]
quarantine = 0.98
[policy.outgoing]
hold = 0.9
[[policy.scope]]
domain = "b.example"
mode = "shadow"
thresholds = {tag = 0}
deny = [{dkim = "bulk.example"}]
[[policy.scope]]
user = "ann@b.example"
`)
	shadow := message.ModeShadow
	want := []Setting{
		{Thresholds: []message.Threshold{{Action: message.Tag, From: 0.9}, {Action: message.Quarantine, From: 0.98}}},
		{Outgoing: true, Thresholds: []message.Threshold{{Action: message.Hold, From: 0.9}}},
		{Whom: message.Scope{Domain: "b.example"}, Mode: &shadow, Thresholds: []message.Threshold{{Action: message.Tag}}, Lists: 1},
	}
	if got, scopes := r.Settings(1); !reflect.DeepEqual(got, want) || scopes != 2 {
		t.Errorf("%+v of %d scopes", got, scopes)
	}
}

func FuzzQuoted(f *testing.F) {
	for _, s := range []string{"", `a "b" \`, "one\ntwo", "'''\n", "\x00\x7f\n", "'"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			return
		}
		var got struct{ Text string }
		if err := toml.Unmarshal([]byte("Text = "+quoted(s)+"\n"), &got); err != nil || got.Text != s {
			t.Errorf("%q is written as %s and read as %q, %v", s, quoted(s), got.Text, err)
		}
	})
}
