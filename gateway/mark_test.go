package gateway

import "testing"

func TestUnmarked(t *testing.T) {
	for _, tt := range []struct{ name, mail, want string }{
		{"nothing to take", "From: ann@a.example\nSubject: hi\n\nX-Spam-Flag: YES\n", "From: ann@a.example\nSubject: hi\n\nX-Spam-Flag: YES\n"},
		{"ours, SpamAssassin's, rspamd's, folded", "X-REMPART-action: tag\r\nX-Spam-Status: Yes,\r\n\tscore=7\r\nX-Spamd-Result: default\r\nX-Rspamd-Server: a\r\nFrom: ann@a.example\r\n\r\nhi\r\n",
			"From: ann@a.example\r\n\r\nhi\r\n"},
		{"rspamd's proxy, amavis", "X-Spam: Yes\nX-Amavis-Alert: BAD HEADER\nSubject: hi\n\n", "Subject: hi\n\n"},
		{"others stay", "X-Spammer: yes\nX-Rempart-Other: 1\n\n", "X-Spammer: yes\nX-Rempart-Other: 1\n\n"},
		{"no body", "X-Spam-Flag: YES\nSubject: hi\n", "Subject: hi\n"},
		{"the line of an mbox", "From ann Thu Jan  1\nX-Spam-Flag: YES\nSubject: hi\n\n", "From ann Thu Jan  1\nSubject: hi\n\n"},
		{"empty", "", ""},
	} {
		in := []byte(tt.mail)
		if got := string(Unmarked(in)); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
		if string(in) != tt.mail {
			t.Errorf("%s: the mail was changed in place", tt.name)
		}
	}
}
