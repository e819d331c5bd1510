package rspamd

import (
	"encoding/json"
	"strings"
	"testing"

	"rempart/message"
)

// Who may teach: the password or a listed address, and never by the header User.
func TestWhoMayTeach(t *testing.T) {
	password := "password_sha256 = '" + digest("q1") + "'"
	for _, tt := range []struct {
		name, door string
		headers    []string
		status     int
		teacher    string
	}{
		{"off", "", []string{"Password: q1", "User: admin"}, 401, ""},
		{"off, no password", "", []string{"Password: "}, 401, ""},
		{"password", password, []string{"password: q1", "User: mallory"}, 200, "mx"},
		{"wrong password", password, []string{"Password: q2"}, 401, ""},
		{"none", password, []string{"User: admin"}, 401, ""},
		{"listed", "teachers = ['127.0.0.0/8']", []string{"User: mallory"}, 200, "127.0.0.1"},
		{"not listed", "teachers = ['192.0.2.7']", nil, 401, ""},
		{"listed, but passed on", "teachers = ['127.0.0.1']", []string{"X-Forwarded-For: 203.0.113.7"}, 401, ""},
		{"passed on with password", password, []string{"X-Forwarded-For: 203.0.113.7", "Password: q1"}, 200, "mx"},
		{"a web page in the teacher's browser", "teachers = ['127.0.0.1']", []string{"Origin: http://evil.example"}, 403, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, tt.door, "")
			for _, path := range []string{"/learnspam", "/learnham", "/fuzzyadd", "/fuzzydel"} { // each corrects the one before
				status, text := r.post(path, mail, tt.headers...)
				if status != tt.status {
					t.Errorf("%s: %d %s", path, status, text)
				}
				if tt.status == 200 {
					if l := <-r.taken; l.Teacher != tt.teacher || l.Message.Account != "" || l.Message.Direction != message.In {
						t.Errorf("%s: taught by %q, account %q", path, l.Teacher, l.Message.Account)
					}
				}
			}
			if status, _ := r.send("GET", "/stat", nil, tt.headers...); status != tt.status && tt.status != 403 {
				t.Errorf("/stat: %d", status)
			}
		})
	}
}

// The very lesson is not learned twice; a correction always is, and at once.
func TestLearn(t *testing.T) {
	r := newRig(t, "teachers = ['127.0.0.1', '::1']", "")
	before := r.check(mail).Score
	for _, tt := range []struct {
		path, flag string
		status     int
		want       string
	}{
		{"/fuzzydel", "1", 404, "<1@example.com> was not taught as spam"},
		{"/learnspam", "", 200, `{"success":true}`},
		{"/learnspam", "", 208, `{"error":"<1@example.com> has been already learned as spam, ignore it"}`},
		{"/fuzzyadd", "1", 200, `"success":true`},
		{"/learnham", "", 200, `{"success":true}`},
		{"/learnham", "", 208, "already learned as ham"},
		{"/fuzzyadd", "3", 200, `{"success":true}`},
		{"/fuzzydel", "3", 200, `{"success":true}`},
		{"/fuzzydel", "3", 404, "was not taught as ham"},
		{"/fuzzydel", "1", 200, `"success":true`},
		{"/learnspam", "", 200, `{"success":true}`},
	} {
		var headers []string
		if tt.flag != "" {
			headers = []string{"Flag: " + tt.flag}
		}
		if status, text := r.post(tt.path, mail, headers...); status != tt.status || !strings.Contains(text, tt.want) {
			t.Errorf("%s %s: %d %s, want %d %s", tt.path, tt.flag, status, text, tt.status, tt.want)
		}
	}
	if after := r.check(mail).Score; after <= before {
		t.Errorf("taught as spam: %v before, %v after", before, after)
	}
	for _, tt := range []struct {
		body   string
		status int
		want   string
	}{
		{"", 400, "empty body"},
		{"Subject: disk full\r\n\r\n", 503, "try again later"},
	} {
		if status, text := r.post("/learnspam", tt.body); status != tt.status || !strings.Contains(text, tt.want) {
			t.Errorf("%q: %d %s", tt.body, status, text)
		}
	}
	var s statReply
	if _, text := r.send("GET", "/stat", nil); json.Unmarshal([]byte(text), &s) != nil || s.Scanned != 2 || s.Learned != 5 ||
		s.Actions[noAction]+s.Actions[addHeader] != 2 || s.SpamCount+s.HamCount != 2 || s.ScanTimes[1] == nil || s.ScanTimes[2] != nil {
		t.Errorf("%s", text)
	}
}
