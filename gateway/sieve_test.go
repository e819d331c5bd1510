//go:build integration

package gateway

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"rempart/message"
)

// sieve runs a script of the page in Dovecot's Sieve and says where the mail goes.
func sieve(t *testing.T, script, mail string) string {
	t.Helper()
	if _, err := exec.LookPath("sieve-test"); err != nil {
		t.Skip("sieve-test is not installed: apt-get install dovecot-sieve")
	}
	dir := t.TempDir()
	who, err := user.Current()
	if err == nil && who.Uid == "0" {
		who, err = user.Lookup("nobody") // Dovecot gives no mail to root
	}
	if err != nil {
		t.Fatal(err)
	}
	settings := fmt.Sprintf("protocols =\nmail_location = maildir:%[1]s/mail\nmail_home = %[1]s\nmail_uid = %[2]s\nmail_gid = %[3]s\nfirst_valid_uid = 1\n%[4]s",
		dir, who.Uid, who.Gid, blocks(t, "dovecot")[0])
	for name, text := range map[string]string{"dovecot.conf": settings, "s.sieve": script, "m.eml": mail} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for d := dir; strings.HasPrefix(d, os.TempDir()+"/"); d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	c := exec.CommandContext(t.Context(), "sieve-test", "-c", "dovecot.conf", "s.sieve", "m.eml")
	c.Dir = dir
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("sieve-test: %v\n%s", err, out)
	}
	switch place := regexp.MustCompile(`store message in folder: (\S+)`).FindStringSubmatch(string(out)); {
	case place != nil:
		return place[1]
	case strings.Contains(string(out), "discard"):
		return "discard"
	}
	t.Fatalf("what happens to the mail?\n%s", out)
	return ""
}

// blocks are the fenced blocks of a kind in docs/sieve.md.
func blocks(t *testing.T, kind string) (all []string) {
	t.Helper()
	page, err := os.ReadFile("../docs/sieve.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?ms)^```"+kind+"\n(.*?)^```").FindAllStringSubmatch(string(page), -1) {
		all = append(all, m[1])
	}
	if len(all) == 0 {
		t.Fatalf("docs/sieve.md has no %s block", kind)
	}
	return all
}

// marked is a mail as the front doors mark it; without a mark if action is accept.
func marked(p float64, action message.Action) string {
	var b strings.Builder
	if action != message.Accept {
		for _, f := range Mark(&message.Message{ID: "01x"}, &message.Verdict{Probability: p}, action, false) {
			fmt.Fprintf(&b, "%s: %s\r\n", f.Name, f.Value)
		}
	}
	return b.String() + "From: a@a.example\r\nTo: b@b.example\r\nSubject: hello\r\n\r\nHello.\r\n"
}

// The page's table of values is what Dovecot makes of our header.
func TestSpamtestValues(t *testing.T) {
	const script = `require ["fileinto", "spamtestplus", "variables"];
if spamtest :matches "*" { set "v" "${1}"; }
if spamtest :percent :matches "*" { set "p" "${1}"; }
fileinto "${v}-${p}";
`
	page, err := os.ReadFile("../docs/sieve.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile(`(?m)^\| (no header|[01]\.\d{4}) \| (\d+)[^|]*\| (\d+) \|$`).FindAllStringSubmatch(string(page), -1)
	if len(rows) < 8 {
		t.Fatalf("the page has %d rows", len(rows))
	}
	for _, row := range rows {
		mail := marked(0, message.Accept)
		if row[1] != "no header" {
			var p float64
			fmt.Sscan(row[1], &p)
			mail = marked(p, message.Tag)
		}
		if got, want := sieve(t, script, mail), row[2]+"-"+row[3]; got != want {
			t.Errorf("%s: %s, the page says %s", row[1], got, want)
		}
	}
}

// The page's scripts do what it says.
func TestSieveScripts(t *testing.T) {
	scripts := blocks(t, "sieve")
	for _, tt := range []struct {
		script int
		p      float64
		action message.Action
		want   string
	}{
		{0, 0.2, message.Tag, "INBOX"}, {0, 0.888, message.Tag, "INBOX"}, {0, 0.9, message.Tag, "Junk"}, {0, 1, message.Tag, "Junk"}, {0, 1, message.Accept, "INBOX"},
		{1, 0.79, message.Tag, "INBOX"}, {1, 0.8, message.Tag, "Junk"}, {1, 0.9699, message.Tag, "Junk"}, {1, 0.97, message.Tag, "discard"},
		{2, 0.99, message.Tag, "Junk"}, {2, 0.99, message.Rewrite, "Junk"}, {2, 0.1, message.Accept, "INBOX"},
	} {
		if got := sieve(t, scripts[tt.script], marked(tt.p, tt.action)); got != tt.want {
			t.Errorf("script %d, probability %v, %s: %s, want %s", tt.script, tt.p, tt.action, got, tt.want)
		}
	}
}
