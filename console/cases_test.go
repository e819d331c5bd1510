package console

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"rempart/abuse"
	"rempart/account"
)

// An operator answers, notes and closes a case, whose text is shown as text; a viewer only looks.
func TestCases(t *testing.T) {
	s := newStand(t)
	s.admin(t)
	form := url.Values{"text": {"The account\nwas <b>locked</b>."}}
	if status, body := s.as(t, account.Viewer).get(casePath(caseID)); status != http.StatusOK || strings.Contains(body, "<textarea") {
		t.Errorf("a viewer looks: %d", status)
	}
	v := s.as(t, account.Operator)
	s.Tallies.Complained(now)
	s.Tallies.Complained(now.Add(-30 * time.Hour))
	_, body := v.get("/cases?open=1&q=192.0.2")
	if !strings.Contains(body, "within 24 hours: 1; within seven days: 2.") {
		t.Error("the page lacks how many came")
	}
	if !strings.Contains(body, "192.0.2.0/24") || !strings.Contains(body, "did not authenticate") || strings.Contains(body, caseID) {
		t.Errorf("the list lacks the case, or has others:\n%s", body)
	}
	for _, tt := range []struct {
		path   string
		form   url.Values
		status int
		state  abuse.State
	}{
		{"/cases/x/note", form, http.StatusNotFound, abuse.StateOpen},
		{"/cases/case2/note", nil, http.StatusBadRequest, abuse.StateOpen},
		{"/cases/case2/other", form, http.StatusNotFound, abuse.StateOpen},
		{"/cases/case2/note", form, http.StatusOK, abuse.StateOpen},
		{"/cases/case2/answer", form, http.StatusOK, abuse.StateAnswered},
		{"/cases/case2/close", form, http.StatusOK, abuse.StateClosed},
		{"/cases/case2/note", form, http.StatusConflict, abuse.StateClosed},
	} {
		status, body := v.post(tt.path, tt.form)
		if k, err := s.Abuse.Case("case2"); status != tt.status || err != nil || k.State != tt.state {
			t.Errorf("%s %v: %d, %s, %v\n%s", tt.path, tt.form, status, k.State, err, body)
		}
	}
	_, body = v.get("/cases/case2")
	if !strings.Contains(body, "was &lt;b&gt;locked") || strings.Contains(body, "<textarea") {
		t.Errorf("the page of a closed case:\n%s", body)
	}
}
