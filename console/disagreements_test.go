package console

import (
	"encoding/json"
	"strings"
	"testing"

	"rempart/account"
	"rempart/message"
)

// The page counts what the index has, and lists the mails of each kind; filters narrow them down.
func TestDisagreements(t *testing.T) {
	s := newStand(t)
	v := s.admin(t)
	want := map[message.Agreement]int{}
	for _, e := range s.events {
		want[e.Agreement()]++
	}
	found, err := s.Events.Compare(t.Context(), now.AddDate(0, 0, -7))
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range found.Kinds {
		if k.Mails != want[k.Agreement] || k.Mails == 0 {
			t.Errorf("%v: %d mails, want %d", k.Agreement, k.Mails, want[k.Agreement])
		}
	}
	_, body := v.get("/disagreements")
	for _, part := range []string{"about 20 of them they disagree (12 %)", "taught later: 3 as spam, 0 as not spam", "Rempart was right about 0, the filter before about 3.",
		`href="/disagreements/only_incumbent"`, `href="/messages/` + hostileID + `"`} {
		if !strings.Contains(body, part) {
			t.Errorf("no %q in\n%s", part, body[max(0, strings.Index(body, `id="main"`)):])
		}
	}
	rows := func(path string) (n int) {
		t.Helper()
		for path != "" {
			status, body := v.get(path)
			var got struct {
				Rows []map[string]any
				Next string
			}
			if err := json.Unmarshal([]byte(body), &got); status != 200 || err != nil {
				t.Fatalf("%s: %d %v", path, status, err)
			}
			n, path = n+len(got.Rows), got.Next
		}
		return n
	}
	for kind, n := range want {
		if kind != message.NotCompared && rows("/disagreements/"+kind.String()+".json") != n {
			t.Errorf("%v: %d rows, want %d", kind, rows("/disagreements/"+kind.String()+".json"), n)
		}
	}
	for path, n := range map[string]int{"/disagreements/only_incumbent.json?signal=link_other_host": 3, "/disagreements/only_here.json?signal=link_other_host": 0,
		"/disagreements/only_here.json?q=shop7.example.com&signal=listed": 1, "/disagreements/only_here.json?hours=1": 1} {
		if got := rows(path); got != n {
			t.Errorf("%s: %d rows, want %d", path, got, n)
		}
	}
	for _, path := range []string{"/disagreements/other", "/disagreements/%232", "/disagreements/only_here/x"} {
		if status, _ := v.get(path); status != 404 {
			t.Errorf("%s: %d", path, status)
		}
	}
	if status, _ := s.as(t, account.Auditor).get("/disagreements"); status != 200 {
		t.Errorf("the auditor, who may see messages, gets %d", status)
	}
}
