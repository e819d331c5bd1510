//go:build integration

package rspamd

import (
	"encoding/json"
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

// blocks are the page's snippets in that language.
func blocks(t *testing.T, language string) (all []string) {
	t.Helper()
	page, err := os.ReadFile("../../docs/frontdoor-rspamd.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```").FindAllStringSubmatch(string(page), -1) {
		all = append(all, m[1])
	}
	if len(all) == 0 {
		t.Fatalf("the page has no %s", language)
	}
	return all
}

func program(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("%s is not installed", name)
	}
}

// pageRig is the front door of the page, on a port of its own.
func pageRig(t *testing.T, more, rules string) *rig {
	t.Helper()
	text := blocks(t, "toml")[0]
	var file struct {
		Gateway struct {
			Rspamd []Config `toml:"rspamd"`
		} `toml:"gateway"`
	}
	if err := config.Parse("docs/frontdoor-rspamd.md", []byte(text), &file); err != nil {
		t.Fatal(err)
	}
	text = regexp.MustCompile(`(?m)^(\[\[|listen|name).*\n`).ReplaceAllString(text, "")
	return newRig(t, text+more, rules)
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// The page's commands as they stand, at the real rspamc.
func TestRspamcPage(t *testing.T) {
	program(t, "rspamc")
	r := pageRig(t, "", "")
	dir := t.TempDir()
	write(t, dir, "mail.eml", scam)
	want := [][]string{
		{"Action: no action", "Spam: false", "Score: 4.00 / 15.00", "Symbol: LINK_ADDRESS (", "192.0.2.66", "Message-ID: 2@example.org", `Urls: ["192.0.2.66"]`},
		{"success = true", "success = true"},
		{"success = true", "success = true", "Messages scanned: 1", "no action: 1, 100.00%", "Messages learned: 4", "Total learns: 4"},
	}
	all := blocks(t, "sh")
	if len(all) != len(want) {
		t.Fatalf("%d blocks on the page", len(all))
	}
	for i, b := range all {
		out := shell(t, dir, regexp.MustCompile(`127\.0\.0\.1:1133[34]`).ReplaceAllString(b, r.addr))
		for _, w := range want[i] {
			at := strings.Index(out, w)
			if at < 0 {
				t.Fatalf("%s\nlacks %q:\n%s", b, w, out)
			}
			out = out[at+len(w):]
		}
	}
}

func shell(t *testing.T, dir, script string) string {
	t.Helper()
	cmd := exec.Command("sh", "-ec", script)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s\n%v\n%s", script, err, out)
	}
	return string(out)
}

// What the page has no command for: judging, compression, a second lesson, passwords, encryption, many at a time.
func TestRspamc(t *testing.T) {
	program(t, "rspamc")
	r := newRig(t, "password_sha256 = '"+digest("q1")+"'", "")
	dir := t.TempDir()
	write(t, dir, "mail.eml", mail)
	write(t, dir, "scam.eml", scam)
	key := "xfpxk9s8p4xt9rezhkfenf1hjwxau8ku1g3zsit68zy5ozpnfpfy" // a public key of rspamadm keypair
	for _, tt := range []struct {
		args string
		want []string
	}{
		{"symbols scam.eml", []string{"Action: add header", "Spam: true"}},
		{"-z symbols scam.eml", []string{"Action: add header"}},
		{"-m symbols scam.eml", []string{"X-Spam-Action: add header"}},
		{"-j symbols mail.eml", []string{`"action": "no action"`, `"required_score": 15`}},
		{"-n 8 symbols mail.eml scam.eml mail.eml scam.eml", []string{"Action: add header", "Action: no action"}},
		{"learn_spam mail.eml", []string{"HTTP error: 401"}},
		{"-P q2 learn_spam mail.eml", []string{"HTTP error: 401"}},
		{"-P q1 learn_spam mail.eml", []string{"success = true"}},
		{"-P q1 learn_spam mail.eml", []string{"<1@example.com> has been already learned as spam, ignore it"}},
		{"-P q1 fuzzy_del -f 3 mail.eml", []string{"HTTP error: 404"}},
		{"stat", []string{"HTTP error: 401"}},
		{"-P q1 stat", []string{"Messages learned: 1"}},
		{"--key " + key + " symbols mail.eml", []string{"HTTP parser internal error"}}, // it waits for an encrypted answer
	} {
		out, _ := exec.Command("sh", "-c", "cd "+dir+" && rspamc -h "+r.addr+" "+tt.args).CombinedOutput() // its status tells nothing
		for _, w := range tt.want {
			if !strings.Contains(string(out), w) {
				t.Errorf("rspamc %s lacks %q:\n%s", tt.args, w, out)
			}
		}
	}
}

// The page's settings at the real plugin of Haraka, which does what was decided.
func TestHarakaPlugin(t *testing.T) {
	program(t, "npm")
	modules := t.TempDir()
	if out, err := exec.Command("npm", "install", "--no-audit", "--no-fund", "--prefix", modules, "haraka-plugin-rspamd@1.6.1").CombinedOutput(); err != nil {
		t.Skipf("npm: %v %s", err, out)
	}
	dir := t.TempDir()
	ini := write(t, dir, "rspamd.ini", blocks(t, "ini")[0])
	for _, tt := range []struct {
		name, more, rules, mail, code string
		did                           []string
	}{
		{"shadow", "", "", scam, "", []string{`"action":"no action"`}},
		{"honest", "judge", "", mail, "", []string{`"action":"no action"`}},
		{"tag", "judge", "", scam, "", []string{`"action":"add header"`, `{"removed":"X-Rempart-Action"}`, `{"added":"X-Rempart-Action","value":"tag"}`}},
		{"rewrite", "judge", "[thresholds]\nrewrite = 0.9\n", scam, "", []string{`{"added":"Subject","value":"[SPAM] URGENT!!! YOUR ACCOUNT"}`}},
		{"tempfail", "judge", "[thresholds]\ntempfail = 0.9\n", scam, "DENYSOFT", nil},
		{"greylist", "judge", "[thresholds]\ngreylist = 0.001\ntag = 0\n", scam, "DENYSOFT", nil},
		{"signed", "judge", "", mail, "", []string{`{"added":"DKIM-Signature","value":"a=rsa;\r\n\t[]"},{"added":"DKIM-Signature","value":"a=ed"}`}},
		{"sealed", "judge", "", mail, "", []string{`{"added":"ARC-Authentication-Results","value":"r"},{"added":"ARC-Message-Signature","value":"m"},{"added":"ARC-Seal","value":"s"}`}},
		{"denied", "judge", "[[deny]]\nnetwork = '192.0.2.7'\n", mail, "DENY", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := pageRig(t, "", tt.rules)
			if tt.more == "judge" {
				r.cfg.Mode = 0
				r.signs.Store(tt.name == "signed" || tt.name == "sealed")
				if tt.name == "signed" {
					r.cfg.Direction = message.Out
				}
				if err := r.door.Reconfigure(r.cfg); err != nil {
					t.Fatal(err)
				}
			}
			_, port, _ := net.SplitHostPort(r.addr)
			cmd := exec.Command("node", "testdata/haraka.js", ini, port, write(t, dir, "mail.eml", tt.mail))
			cmd.Env = append(os.Environ(), "NODE_PATH="+filepath.Join(modules, "node_modules"))
			out, err := cmd.CombinedOutput()
			var did struct {
				Code, Text string
				Did        json.RawMessage
			}
			if err != nil || json.Unmarshal(out, &did) != nil || did.Code != tt.code || (did.Code != "") != (did.Text != "") {
				t.Fatalf("%v %s", err, out)
			}
			for _, w := range tt.did {
				if !strings.Contains(string(did.Did), w) {
					t.Errorf("lacks %s: %s", w, did.Did)
				}
			}
			if tt.name == "shadow" && (strings.Contains(string(did.Did), "added") || strings.Contains(string(did.Did), "removed")) {
				t.Errorf("shadow changed the mail: %s", did.Did)
			}
		})
	}
}
