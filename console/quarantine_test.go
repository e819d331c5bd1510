package console

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"rempart/account"
)

// An operator looks at a mail as text, which the audit trail has, and releases or deletes it; others may not even look.
func TestQuarantine(t *testing.T) {
	s := newStand(t)
	s.admin(t)
	if status, _ := s.as(t, account.Viewer).get(quarantinedPath); status != http.StatusForbidden {
		t.Errorf("a viewer looks: %d", status)
	}
	v := s.as(t, account.Operator)
	_, body := v.get("/quarantine")
	if !strings.Contains(body, "ben@b.example") || !strings.Contains(body, "waiting, with malware") {
		t.Error("the list lacks the mail")
	}
	_, body = v.get(quarantinedPath)
	for _, want := range []string{"Claim", "Malware was found", "/messages/" + hostileID} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	form := url.Values{"recipient": {"ben@b.example"}}
	for _, tt := range []struct {
		path   string
		form   url.Values
		status int
	}{
		{"/quarantine/x/release", form, http.StatusNotFound},
		{"/quarantine/" + hostileID + "/release", nil, http.StatusNotFound},
		{"/quarantine/" + hostileID + "/other", form, http.StatusNotFound},
		{"/quarantine/" + hostileID + "/release", form, http.StatusOK},
		{"/quarantine/" + hostileID + "/delete", form, http.StatusOK},
	} {
		if status, body := v.post(tt.path, tt.form); status != tt.status {
			t.Errorf("%s %v: %d\n%s", tt.path, tt.form, status, body)
		}
	}
	if want := []string{"release 01hostile ben@b.example some.operator true", "delete 01hostile ben@b.example some.operator"}; !slices.Equal(s.taught, want) {
		t.Errorf("did %q", s.taught)
	}
	if status, _ := v.get(quarantinedPath); status != http.StatusNotFound {
		t.Errorf("deleted: %d", status)
	}
	looked := slices.ContainsFunc(s.book.Latest(0, 10), func(e account.Entry) bool { return e.What == "quarantine.looked_at" && e.Object == hostileID })
	if !looked {
		t.Error("the look is not in the audit trail")
	}
}
