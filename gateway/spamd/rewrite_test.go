package spamd

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
)

// Verdict fields on top, forged ones gone, and of the rest not a byte changed.
func TestProcess(t *testing.T) {
	const (
		fields = `X-Spam-Checker-Version: Rempart on \S+\n`
		yes    = fields + `X-Spam-Flag: YES\nX-Spam-Level: \*{5,14}\nX-Spam-Status: Yes, score=\d+\.\d required=5\.0 tests=(\w+,(\n\t)?)*\w+\n` +
			`X-Rempart-Action: ACTION\nX-Rempart-Score: \S+\nX-Rempart-Probability: \S+\nX-Rempart-Reasons: .+\nX-Rempart-ID: \w{26}\n`
		no   = fields + `X-Spam-Level: \**\nX-Spam-Status: No, score=-?\d+\.\d required=5\.0 tests=(\w+,(\n\t)?)*\w+\n`
		rest = "From: Bank <service@example.org>\r\nTo: ben@example.net\r\nSubject: URGENT!!! YOUR ACCOUNT\r\nMessage-ID: <2@example.org>\r\nContent-Type: text/html\r\n\r\n" +
			"<a href=\"http://192.0.2.66/login\">https://bank.example/</a> verify your password now or lose $1,000,000\r\n"
	)
	tag, rewrite := strings.Replace(yes, "ACTION", "tag", 1), strings.Replace(yes, "ACTION", "rewrite", 1)
	lf := func(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }
	for _, tt := range []struct {
		name, door, rules string
		mail              string
		top, fields, rest string
	}{
		{"spam", "", "", scam, "", tag, rest},
		{"spam with LF", "", "", lf(scam), "", tag, lf(rest)},
		{"from an mbox", "", "", "From a@b Tue Nov 24 12:00:00 2026\n" + lf(scam), "From a@b Tue Nov 24 12:00:00 2026\n", tag, lf(rest)},
		{"honest", "", "", mail, "", no, mail},
		{"odd bytes", "", "[thresholds]\ntag = 0\n", "subject : \x00\xff\r\n\tfold\r\n \r\nx-spam-flag : YES\r\nNo colon\r\nX-Spammer: x\nTo:\r\n\r\n\x00\r\n.\r\nX-Spam-Flag: body\r\nlast", "", no,
			"subject : \x00\xff\r\n\tfold\r\n \r\nNo colon\r\nX-Spammer: x\nTo:\r\n\r\n\x00\r\n.\r\nX-Spam-Flag: body\r\nlast"},
		{"no header", "", "[thresholds]\ntag = 0\n", "\r\nX-Spam-Flag: YES\r\n", "", no, "\r\nX-Spam-Flag: YES\r\n"},
		{"no body", "", "[thresholds]\ntag = 0\n", "Subject: x\nX-Spam-A: y", "", no, "Subject: x\n"},
		{"subject", "", "[thresholds]\nrewrite = 0.9\n", scam, "", rewrite, strings.Replace(rest, "Subject: ", "Subject: [SPAM] ", 1)},
		{"subject beyond ASCII", "rewrite_subject = '[Müll] '", "[thresholds]\nrewrite = 0.9\n", scam, "", rewrite, strings.Replace(rest, "Subject: ", "Subject: =?utf-8?q?[M=C3=BCll]_?= ", 1)},
		{"no subject", "", "[thresholds]\nrewrite = 0.5\n", strings.Replace(scam, "Subject", "X-Subject", 1), "", rewrite + "Subject: \\[SPAM\\]\n", strings.Replace(rest, "Subject", "X-Subject", 1)},
		{"shadow", "mode = 'shadow'", "", scam, "", "", scam},
		{"shadow by policy", "", "mode = 'shadow'\n", scam, "", "", scam},
		{"no judgement", "budget = '20ms'\non_error = 'accept'", "", strings.Replace(scam, "URGENT!!! YOUR ACCOUNT", "hold", 1), "", "", strings.Replace(scam, "URGENT!!! YOUR ACCOUNT", "hold", 1)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, tt.door, tt.rules)
			_, got := r.ask("PROCESS", tt.mail)
			added, ok := strings.CutSuffix(got, tt.rest)
			if !ok {
				t.Fatalf("%q", got)
			}
			added, ok = strings.CutPrefix(added, tt.top)
			end := "\n"
			if strings.Contains(strings.SplitN(tt.mail, "\n", 2)[0], "\r") {
				end = "\r\n"
			}
			if !ok || strings.Count(added, end) != strings.Count(added, "\n") || !regexp.MustCompile("^"+tt.fields+"$").MatchString(lf(added)) {
				t.Errorf("%q", added)
			}
			for line := range strings.Lines(added) {
				if len(line) > 100 && !strings.HasPrefix(line, "X-Rempart") {
					t.Errorf("%q", line)
				}
			}
			_, header := r.ask("HEADERS", tt.mail)
			n := bytes.Index([]byte(got), []byte(end+end))
			if id := regexp.MustCompile(`X-Rempart-ID: \w+`); n >= 0 && id.ReplaceAllString(header, "") != id.ReplaceAllString(got[:n+2*len(end)], "") {
				t.Errorf("HEADERS: %q", header)
			}
		})
	}
}

// A mail that is not kept whole is not given back cut: its header section is, where it was kept.
func TestOversize(t *testing.T) {
	r := newRig(t, "max_size = 65536", "")
	long := mail + strings.Repeat("and so on\r\n", 100_000)
	for _, tt := range []struct{ command, mail, want string }{
		{"CHECK", long, "SPAMD/1.1 0 EX_OK"},
		{"REPORT", long, "SPAMD/1.1 0 EX_OK"},
		{"HEADERS", long, "SPAMD/1.1 0 EX_OK"},
		{"PROCESS", long, "SPAMD/1.0 65 Data Error: (a mail of more than 65536 bytes is not given back: max_size)"},
		{"HEADERS", "Subject: x\r\n" + strings.Repeat("X: y\r\n", 20_000) + "\r\n", "SPAMD/1.0 65 Data Error"},
	} {
		head, _ := r.ask(tt.command, tt.mail)
		if !strings.HasPrefix(head, tt.want) {
			t.Errorf("%s: %q", tt.command, head)
		}
		if m := <-r.asked; len(m.Raw) != 65536 || m.Size != len(tt.mail) || !m.HasAnomaly("cut_bytes") {
			t.Errorf("%s: %d bytes of %d, %v", tt.command, len(m.Raw), m.Size, m.Anomalies)
		}
	}
}
