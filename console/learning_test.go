package console

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"rempart/account"
)

// The tables add the lessons up; what is known of the verdict before tells what was wrong.
func TestLearning(t *testing.T) {
	v := newStand(t).admin(t)
	rows := func(path string) []map[string]any {
		t.Helper()
		status, body := v.get(path)
		var got struct{ Rows []map[string]any }
		if err := json.Unmarshal([]byte(body), &got); status != 200 || err != nil {
			t.Fatalf("%s: %d %v", path, status, err)
		}
		return got.Rows
	}
	teachers := map[any]map[string]any{}
	for _, r := range rows("/learning/teachers.json") {
		teachers[r["teachers"]] = r
	}
	// Judged before were those whose probability then is on record; wrong_before is the share of them on the other side.
	for who, want := range map[string]map[string]float64{
		seen(hostile): {"taught_spam": 1, "taught_ham": 0, "taken_back": 0, "judged_before": 1, "wrong_before": 1},
		"local":       {"taught_spam": 30, "taught_ham": 0, "taken_back": 0, "judged_before": 10, "wrong_before": 0},
		"ann":         {"taught_spam": 0, "taught_ham": 10, "taken_back": 1, "judged_before": 10, "wrong_before": 1},
	} {
		for column, n := range want {
			if teachers[who][column] != n {
				t.Errorf("%s: %s is %v, want %v", who, column, teachers[who][column], n)
			}
		}
	}
	if len(teachers) != 3 {
		t.Errorf("%v", teachers)
	}
	if got := rows("/learning/scopes.json"); len(got) != 3 || got[0]["scopes"] != "everybody" || got[1]["scopes"] != "b.example" {
		t.Errorf("%v", got)
	}
	days := rows("/learning/days.json")
	if len(days) != 3 || days[0]["days"] != "2026-03-08" || days[2]["days"] != "2026-03-06" {
		t.Errorf("%v", days)
	}
	if n := len(rows("/learning/lessons.json")); n != 42 {
		t.Errorf("%d lessons", n)
	}
	if n := len(rows("/learning/lessons.json?hours=1")); n != 1 {
		t.Errorf("%d lessons of the last hour", n)
	}
	if _, body := v.get("/learning"); !strings.Contains(body, "42 lessons: 31 as spam, 10 as not spam, 1 taken back.") {
		t.Error(body)
	}
	if status, _ := v.get("/learning/other"); status != 404 {
		t.Errorf("an unknown table: %d", status)
	}
}

// A lesson leads to its message, and is taken back once, by those who may teach.
func TestTakeBack(t *testing.T) {
	s := newStand(t)
	v := s.admin(t)
	_, body := v.get("/lessons/l0")
	for _, want := range []string{`href="/messages/` + hostileID, "It stands", "Take it back"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q in\n%s", want, body)
		}
	}
	if status, body := s.as(t, account.Viewer).get("/lessons/l0"); status != 200 || strings.Contains(body, "Take it back") {
		t.Errorf("a viewer: %d", status)
	}
	status, body := v.post("/lessons/l0/take-back", nil)
	if status != 200 || !strings.Contains(body, "The lesson is taken back") || !strings.Contains(body, "does not stand any more") || !slices.Contains(s.taught, "take back l0") {
		t.Errorf("%d %v\n%s", status, s.taught, body)
	}
	if status, body := v.post("/lessons/l0/take-back", nil); status != 409 || !strings.Contains(body, "teach the opposite") {
		t.Errorf("again: %d", status)
	}
	if status, _ := v.post("/lessons/nothing/take-back", nil); status != 404 {
		t.Errorf("an unknown lesson: %d", status)
	}
	if _, body := v.get("/audit"); !strings.Contains(body, "lesson taken back") || !strings.Contains(body, `href="/lessons/l0"`) {
		t.Error("the audit trail does not say so")
	}
}
