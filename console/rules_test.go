package console

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"rempart/message"
	"rempart/policy"
)

// The page shows what is in force, on trial, how often it fitted and was cut.
func TestRulesPage(t *testing.T) {
	s := newStand(t)
	v := s.admin(t)
	status, body := v.get("/rules/own.json")
	var got struct{ Rows []map[string]any }
	if err := json.Unmarshal([]byte(body), &got); status != 200 || err != nil || len(got.Rows) != 3 {
		t.Fatalf("%d %v %s", status, err, body)
	}
	if r := got.Rows[0]; r["rule"] != "links" || r["state"] != "judge" || r["fitted"] != 12.0 || r["left_out"] != 0.0 || r["action"] != "quarantine" {
		t.Errorf("%v", r)
	}
	if r := got.Rows[1]; r["rule"] != "bomb" || r["state"] != "shadow" || r["fitted"] != 0.0 || r["left_out"] != 3.0 {
		t.Errorf("%v", r)
	}
	_, body = v.get("/rules")
	for _, want := range []string{"tagged from 0.5, held from 0.9, refused from 0.98", "mail of your accounts going out", "tagged: off", "on trial"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q in\n%s", want, body)
		}
	}
	if status, _ := v.get("/rules/other"); status != 404 {
		t.Errorf("an unknown table: %d", status)
	}
}

// What a trial shows is what the changed policy decides about the recorded mail.
func TestTrial(t *testing.T) {
	s := newStand(t)
	v := s.admin(t)
	want := 0
	quarantine := policy.Trial{Whom: message.Scope{Domain: "example.org"}, Action: message.Quarantine, From: 0.97}
	changed, err := s.rules.Try(quarantine)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range s.events {
		if d := changed.Again(e, policy.Recorded(e)); d[0].Action != e.Outcomes[0].Decision.Action {
			want++
		}
	}
	_, body := v.get(tryThreshold + "&hours=168")
	_, rest, _ := strings.Cut(tryThreshold, "?")
	status, rows := v.get("/rules/try.json?" + rest)
	var got struct{ Rows []map[string]any }
	if err := json.Unmarshal([]byte(rows), &got); status != 200 || err != nil || len(got.Rows) != want || want == 0 {
		t.Fatalf("%d %v: %d rows, want %d", status, err, len(got.Rows), want)
	}
	for _, r := range got.Rows {
		if r["was"] != "hold" || r["would_be"] != "quarantine" {
			t.Errorf("%v", r)
		}
	}
	for _, part := range []string{"[[policy.scope]]\ndomain = &#34;example.org&#34;\nthresholds = {quarantine = 0.97}\n", " recipients would be treated otherwise", "held → "} {
		if !strings.Contains(body, part) {
			t.Errorf("no %q in\n%s", part, body)
		}
	}
	_, body = v.get(tryRule)
	for _, part := range []string{"[[policy.rule]]\nname = &#34;try&#34;", "rule try<"} {
		if !strings.Contains(body, part) {
			t.Errorf("no %q in\n%s", part, body)
		}
	}
}

// What is wrong with a trial is said in place.
func TestTrialRefuses(t *testing.T) {
	v := newStand(t).admin(t)
	for _, tt := range []struct {
		query url.Values
		want  string
	}{
		{url.Values{"kind": {"rule"}, "name": {"x"}, "action": {"tag"}, "when": {"true and\r\n  has('spf_fial')"}},
			"2:7: when: there is no signal &#34;spf_fial&#34;: docs/signals.md lists them</p><pre class=\"scroll\" tabindex=\"0\">  has(&#39;spf_fial&#39;)\n      ^</pre>"},
		{url.Values{"kind": {"rule"}, "name": {"x y"}, "action": {"tag"}, "when": {"true"}}, "name = &#34;x y&#34;: use letters"},
		{url.Values{"kind": {"rule"}, "name": {"x"}, "action": {"greylist"}, "when": {"true"}}, "use accept, tag"},
		{url.Values{"kind": {"rule"}, "name": {"x"}, "action": {"tag"}}, "write a condition"},
		{url.Values{"kind": {"threshold"}, "action": {"tag"}, "from": {"7"}}, "use a probability above 0 up to 1"},
		{url.Values{"kind": {"threshold"}, "action": {"tag"}, "from": {"x"}}, "Write a probability"},
		{url.Values{"kind": {"threshold"}, "action": {"tag"}, "from": {"0.5"}, "whose": {"user"}}, "Say which"},
	} {
		if status, body := v.get("/rules/try?" + tt.query.Encode()); status != 200 || !strings.Contains(body, tt.want) || strings.Contains(body, "To put it in force") {
			t.Errorf("%v: %d, no %q in\n%s", tt.query, status, tt.want, body[max(0, strings.Index(body, `id="main"`)):])
		}
	}
	for _, query := range []string{"", "kind=other", "kind=rule&when=" + strings.Repeat("x", maxWhen+1)} {
		if status, _ := v.get("/rules/try?" + query); status != 400 {
			t.Errorf("%.20s: %d", query, status)
		}
	}
}

func TestPosition(t *testing.T) {
	for _, tt := range []struct {
		text         string
		n            int
		line, column int
		of           string
	}{{"", 0, 1, 1, ""}, {"abc", 1, 1, 2, "abc"}, {"é\nb", 2, 2, 1, "b"}, {"a\nb", 9, 2, 2, "b"}, {"a\nb", 1, 1, 2, "a"}} {
		if line, column, of := position(tt.text, tt.n); line != tt.line || column != tt.column || of != tt.of {
			t.Errorf("%q at %d: %d:%d %q", tt.text, tt.n, line, column, of)
		}
	}
}
