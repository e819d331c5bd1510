package spamd

import (
	"path/filepath"
	"strings"
	"testing"

	"rempart/message"
)

// Who may teach: a listed address, or whoever reaches a UNIX socket that is listed; never by the header User.
func TestWhoMayTeach(t *testing.T) {
	for _, tt := range []struct {
		name, listen, teachers string
		want, teacher          string
	}{
		{"off", "127.0.0.1:0", "", "SPAMD/1.0 69 Service Unavailable: TELL commands are not enabled", ""},
		{"listed", "127.0.0.1:0", "teachers = ['127.0.0.0/8']", "DidSet: local", "127.0.0.1"},
		{"not listed", "127.0.0.1:0", "teachers = ['192.0.2.7', 'unix']", "SPAMD/1.0 69 Service Unavailable: TELL commands are not enabled for this client", ""},
		{"socket", "unix:" + filepath.Join(t.TempDir(), "a"), "teachers = ['unix']", "DidSet: local", "unix"},
		{"socket, not listed", "unix:" + filepath.Join(t.TempDir(), "b"), "teachers = ['0.0.0.0/0']", "SPAMD/1.0 69", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRigOn(t, tt.listen, tt.teachers, "")
			if head, _ := r.ask("TELL", mail, "User: admin", "Message-class: spam", "Set: local"); !strings.Contains(head, tt.want) {
				t.Fatalf("%q", head)
			}
			if tt.teacher == "" {
				return
			}
			if l := <-r.taken; l.Teacher != tt.teacher || l.Message.Account != "" || l.Scope != (message.Scope{User: "admin"}) {
				t.Errorf("%+v", l)
			}
		})
	}
}

// What is set and removed, in turn; a lesson counts at once, and only for whom it was taught.
func TestTell(t *testing.T) {
	r := newRig(t, "teachers = ['127.0.0.1']", "")
	check := func(user string) float64 {
		head, _ := r.ask("CHECK", mail, "User: "+user)
		<-r.asked
		_, s := score(t, head)
		return s
	}
	before := check("ben@example.net")
	for _, tt := range []struct {
		class, set, remove string
		want               string
		stands             message.Label
	}{
		{"", "", "local", "", message.Forget},
		{"spam", "local", "", "DidSet: local", message.Spam},
		{"spam", "local", "", "", message.Spam},
		{"spam", "local,remote", "", "DidSet: remote", message.Spam},
		{"Ham", "Local", "Remote", "DidSet: local\r\nDidRemove: remote", message.Ham},
		{"", "", "local", "DidRemove: local", message.Forget},
		{"spam", "local, remote", "", "DidSet: local,remote", message.Spam},
		{"", "", "local,remote", "DidRemove: local,remote", message.Forget},
		{"", "", "", "", message.Forget},
		{"spam", "local", "", "DidSet: local", message.Spam},
	} {
		fields := []string{"User: Ben@example.net"}
		for name, value := range map[string]string{"Message-class": tt.class, "Set": tt.set, "Remove": tt.remove} {
			if value != "" {
				fields = append(fields, name+": "+value)
			}
		}
		head, rest := r.ask("TELL", mail, fields...)
		want := "SPAMD/1.1 0 EX_OK"
		if tt.want != "" {
			want += "\r\n" + tt.want + "\r\n" // and the line too many of spamd
		}
		if head+"\r\n" != strings.TrimSuffix(want, "\r\n")+"\r\n" || rest != "" && rest != "\r\n" {
			t.Errorf("%+v: %q %q", tt, head, rest)
		}
		if got := r.filter.Taught(message0(t, r), message.Scope{Domain: "example.net", User: "ben@example.net"}); got != tt.stands {
			t.Errorf("%+v: %v stands", tt, got)
		}
	}
	if after := check("ben@example.net"); after <= before+3 {
		t.Errorf("taught as spam: %v before, %v after", before, after)
	}
	if other := check("cora@example.net"); other > before+1.5 {
		t.Errorf("what Ben taught moved Cora's from %v to %v", before, other)
	}
	for _, tt := range []struct {
		fields []string
		mail   string
		want   string
	}{
		{[]string{"Set: local"}, mail, "SPAMD/1.0 76 Bad header line: (Set without Message-class)"},
		{[]string{"Message-class: eggs", "Set: local"}, mail, "SPAMD/1.0 76 Bad header line: (Message-class header contains invalid class)"},
		{[]string{"Message-class: forget", "Set: local"}, mail, "SPAMD/1.0 76"},
		{[]string{"Message-class: ham", "Set: remote", "Remove: remote"}, mail, "SPAMD/1.0 76 Bad header line: Unable to set remote and remove remote in the same operation."},
		{[]string{"Message-class: ham", "Set: local"}, "", "SPAMD/1.0 65 Data Error: (no mail)"},
		{[]string{"Message-class: ham", "Set: local"}, "Subject: disk full\r\n\r\n", "SPAMD/1.0 75 Temporary Failure: the lesson could not be kept; try again later"},
	} {
		if head, _ := r.ask("TELL", tt.mail, tt.fields...); !strings.HasPrefix(head, tt.want) {
			t.Errorf("%v: %q", tt.fields, head)
		}
	}
}

// message0 is the mail as the front door reads it.
func message0(t *testing.T, r *rig) *message.Message {
	t.Helper()
	r.ask("CHECK", mail)
	return <-r.asked
}

// Root and nobody teach for all.
func TestTellForAll(t *testing.T) {
	r := newRig(t, "teachers = ['127.0.0.1']", "")
	for _, user := range []string{"root", "nobody"} {
		r.ask("TELL", mail, "User: "+user, "Message-class: spam", "Set: local")
		if l := <-r.taken; l.Scope != (message.Scope{}) {
			t.Errorf("%s: %+v", user, l.Scope)
		}
		r.ask("TELL", mail, "User: "+user, "Remove: local")
		<-r.taken
	}
}

// A mail that comes back as it was delivered is learned without what we wrote into it: no mail has that when it is judged.
func TestTellWithoutMarks(t *testing.T) {
	r := newRig(t, "teachers = ['127.0.0.1']", "")
	_, marked := r.ask("PROCESS", scam)
	r.ask("TELL", marked, "Message-class: spam", "Set: local")
	if l := <-r.taken; strings.Contains(string(l.Message.Raw), "X-Spam-") || strings.Contains(string(l.Message.Raw), "X-Rempart-") || l.Message.Subject != "URGENT!!! YOUR ACCOUNT" {
		t.Errorf("%s", l.Message.Raw)
	}
}
