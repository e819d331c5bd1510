//go:build integration

package spamd

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"rempart/config"
	"rempart/message"
)

func needs(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("%s is not installed", name)
	}
}

// pageRig is the front door of the n-th toml of the page, on a port or socket of its own, in judge mode or as it stands there.
func pageRig(t *testing.T, n int, listen, rules string, mode message.Mode) *rig {
	t.Helper()
	text := blocks(t, "toml")[n]
	var file struct {
		Gateway struct {
			Spamd []Config `toml:"spamd"`
		} `toml:"gateway"`
	}
	if err := config.Parse("docs/frontdoor-spamd.md", []byte(text), &file); err != nil || len(file.Gateway.Spamd) != 1 {
		t.Fatal(err)
	}
	r := newRigOn(t, listen, regexp.MustCompile(`(?m)^(\[\[|listen|name).*\n`).ReplaceAllString(text, ""), rules)
	r.cfg.Mode = mode
	if err := r.door.Reconfigure(r.cfg); err != nil {
		t.Fatal(err)
	}
	return r
}

func writeFile(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// atPort is a script of the page whose spamc asks r.
func (r *rig) atPort(script string) string {
	_, port, _ := net.SplitHostPort(r.addr)
	return regexp.MustCompile(`spamc (-p \d+ )?`).ReplaceAllString(script, "spamc -d 127.0.0.1 -p "+port+" ")
}

// The page's commands as they stand, at the real spamc.
func TestSpamcPage(t *testing.T) {
	needs(t, "spamc")
	r := pageRig(t, 0, "127.0.0.1:0", "", message.ModeJudge)
	dir := t.TempDir()
	writeFile(t, dir, "mail.eml", scam)
	want := [][]string{
		{"/5.0\n", "Content analysis details:", "LINK_ADDRESS", "a link leads to the bare address 192.0.2.66"},
		{"X-Spam-Flag: YES\r\n", "X-Spam-Status: Yes, score=", "X-Rempart-Action: tag", "verify your password", "X-Spam-Flag: YES\r\n", "verify your password"},
		{"Message successfully un/learned", "Message successfully un/learned", "Message successfully un/learned"},
	}
	all := blocks(t, "sh")
	if len(all) != len(want) {
		t.Fatalf("%d blocks on the page", len(all))
	}
	for i, b := range all {
		cmd := exec.Command("sh", "-ec", r.atPort(b))
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s\n%v\n%s", b, err, out)
		}
		rest := string(out)
		for _, w := range want[i] {
			at := strings.Index(rest, w)
			if at < 0 {
				t.Fatalf("%s\nlacks %q:\n%s", b, w, out)
			}
			rest = rest[at+len(w):]
		}
	}
}

// All that spamc asks in another way, what it prints and with which code it ends.
func TestSpamc(t *testing.T) {
	needs(t, "spamc")
	const score = `\d+\.\d/5\.0\n`
	header := `X-Spam-Checker-Version: Rempart on \S+\r\nX-Spam-Flag: YES\r\nX-Spam-Level: \*+\r\nX-Spam-Status: Yes, (.+\r\n\t?)+`
	body := regexp.QuoteMeta(scam[strings.Index(scam, "Content-Type"):])
	r := newRig(t, "teachers = ['127.0.0.1']", "")
	for _, tt := range []struct {
		args, mail string
		code       int
		want       string
	}{
		{"-K", "", 0, `SPAMD/1\.5 0\n`},
		{"-c", scam, 1, score},
		{"-c", mail, 0, `-?` + score},
		{"--check -x", scam, 1, score},
		{"-y", scam, 0, `(\w+,)*LINK_ADDRESS(,\w+)*`},
		{"--tests", mail, 0, `(\w+,)*\w+`},
		{"-r", scam, 0, `Rempart on (?s).* LINK_ADDRESS .*`},
		{"-r", mail, 0, ``},
		{"--full-spam", scam, 0, `Rempart on (?s).*`},
		{"-R", mail, 0, `-?` + score + `Rempart on (?s).*`},
		{"--full", scam, 0, score + `Rempart on (?s).*`},
		{"", scam, 0, header + body},
		{"-E", scam, 1, header + body},
		{"--exitcode", mail, 0, `(?s)X-Spam-Checker-Version.*X-Spam-Status: No, .*` + regexp.QuoteMeta(mail)},
		{"--headers", scam, 0, header + body},
		{"-u ben@example.net -c", scam, 1, score},
		{"-s 100", scam, 0, regexp.QuoteMeta(scam)}, // too large for it: not sent, unchanged
		{"-s 100 -c", scam, 0, `0/0\n`},
		{"-s 100 -x", scam, 0, regexp.QuoteMeta(scam)},
		{"-L spam", mail, 0, `Message successfully un/learned\n`},
		{"-L spam", mail, 0, `Message was already un/learned\n`},
		{"-c", mail, 1, score},
		{"-L ham", mail, 0, `Message successfully un/learned\n`},
		{"-L forget", mail, 0, `Message successfully un/learned\n`},
		{"-L forget", mail, 0, `Message was already un/learned\n`},
		{"-C report", mail, 0, `Message successfully reported/revoked\n`},
		{"-C revoke", mail, 0, `Message successfully reported/revoked\n`},
	} {
		r.spamc(t, tt.args, tt.mail, tt.code, tt.want)
	}
	// Debian's is built without zlib and ends with EX_USAGE; elsewhere it compresses.
	if spamc := exec.Command("spamc", "-z", "-K"); spamc.Run() == nil {
		r.spamc(t, "-z -c", scam, 1, score)
	}
}

// spamc runs it with the arguments; all that it prints must be as wanted.
func (r *rig) spamc(t *testing.T, args, mail string, code int, want string) {
	t.Helper()
	where := []string{"-U", r.addr}
	if r.network == "tcp" {
		_, port, _ := net.SplitHostPort(r.addr)
		where = []string{"-d", "127.0.0.1", "-p", port}
	}
	cmd := exec.Command("spamc", append(where, strings.Fields(args)...)...)
	cmd.Stdin = strings.NewReader(mail)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if cmd.ProcessState.ExitCode() != code || !regexp.MustCompile(`^`+want+`$`).MatchString(out.String()) {
		t.Errorf("spamc %s: %v, want code %d:\n%q %s", args, err, code, out.String(), errs.String())
	}
}

// The page's UNIX socket.
func TestSpamcSocket(t *testing.T) {
	needs(t, "spamc")
	r := pageRig(t, 1, "unix:"+filepath.Join(t.TempDir(), "spamd.sock"), "", message.ModeJudge)
	r.spamc(t, "-c", scam, 1, `\d+\.\d/5\.0\n`)
	r.spamc(t, "-L ham -u ben@example.net", scam, 0, `Message successfully un/learned\n`)
}

// What spamc does where there is no answer of the usual kind: it tells all statuses by one, EX_IOERR, as of spamd.
func TestSpamcFailures(t *testing.T) {
	needs(t, "spamc")
	hold := "Subject: hold\r\n\r\nbody\r\n"
	for _, tt := range []struct {
		name, door string
		args, mail string
		code       int
		want       string
	}{
		{"no verdict", "budget = '20ms'", "-x", hold, 74, ``},
		{"no verdict, handed on", "budget = '20ms'", "", hold, 0, regexp.QuoteMeta(hold)},
		{"no verdict, check", "budget = '20ms'", "-x -c", hold, 74, `0/0\n`},
		{"no verdict, accept", "budget = '20ms'\non_error = 'accept'", "-x", hold, 0, regexp.QuoteMeta(hold)},
		{"shadow", "mode = 'shadow'", "-x", scam, 0, regexp.QuoteMeta(scam)},
		{"shadow, exit code", "mode = 'shadow'", "-x -c", scam, 0, `3\.9/5\.0\n`},
		{"teaching is off", "", "-x -L spam", mail, 74, ``},
		{"too large to give back", "max_size = 65536", "-x", mail + strings.Repeat("and so on\r\n", 20_000), 74, ``},
		{"too large to give back, handed on", "max_size = 65536", "", mail + strings.Repeat("and so on\r\n", 20_000), 0, `(?s).*and so on\r\n`},
		{"large, header alone", "max_size = 65536", "-x --headers", mail + strings.Repeat("and so on\r\n", 20_000), 0, `X-Spam-Checker(?s).*and so on\r\n`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			newRig(t, tt.door, "").spamc(t, tt.args, tt.mail, tt.code, tt.want)
		})
	}
}

// The page's procmail recipes: spam goes to Junk with its marks, honest mail to the inbox; and beside SpamAssassin, in shadow, a copy
// of each is judged and no mail changes.
func TestProcmail(t *testing.T) {
	needs(t, "procmail")
	recipes := blocks(t, "procmail")
	lf := func(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }
	deliver := func(r *rig, recipe, mail string) (inbox, junk string) {
		t.Helper()
		dir := t.TempDir()
		rc := writeFile(t, dir, "rc", fmt.Sprintf("MAILDIR=%s\nDEFAULT=%[1]s/inbox\nLOGFILE=%[1]s/log\nSHELL=/bin/sh\nPATH=/usr/bin:/bin\n%s", dir, r.atPort(recipe)))
		cmd := exec.Command("procmail", rc)
		cmd.Stdin = strings.NewReader("From sender@example.org Tue Nov 24 12:00:00 2026\n" + lf(mail))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v %s", err, out)
		}
		read := func(name string) string {
			b, _ := os.ReadFile(filepath.Join(dir, name))
			return string(b)
		}
		return read("inbox"), read("Junk")
	}
	r := pageRig(t, 0, "127.0.0.1:0", "", message.ModeJudge)
	if inbox, junk := deliver(r, recipes[0], scam); inbox != "" || !strings.HasPrefix(junk, "From sender@example.org ") || strings.Count(junk, "X-Spam-Flag: YES\n") != 1 {
		t.Errorf("inbox %q, junk %q", inbox, junk)
	}
	if inbox, junk := deliver(r, recipes[0], mail); junk != "" || !strings.HasSuffix(strings.TrimRight(inbox, "\n")+"\n", lf(mail)) || !strings.Contains(inbox, "X-Spam-Status: No, ") {
		t.Errorf("inbox %q, junk %q", inbox, junk)
	}
	shadow := pageRig(t, 0, "127.0.0.1:0", "", message.ModeShadow)
	if inbox, junk := deliver(shadow, recipes[1], scam); junk != "" || !strings.HasSuffix(strings.TrimRight(inbox, "\n")+"\n", lf(scam)) {
		t.Errorf("inbox %q, junk %q", inbox, junk)
	}
	if m := <-shadow.asked; m.Mode != message.ModeShadow || m.Subject != "URGENT!!! YOUR ACCOUNT" {
		t.Errorf("%+v", m)
	}
}
