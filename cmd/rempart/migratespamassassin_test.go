//go:build integration

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rempart/gateway/milter/postfix"
)

// A site with SpamAssassin goes over to Rempart and back, by the commands of docs/migrate-spamassassin.md: by Postfix's milters, and by
// the port of spamd.
func TestMigrateFromSpamAssassin(t *testing.T) {
	for _, program := range []string{"spamd", "spamass-milter", "spamc"} {
		need(t, program)
	}
	port := fmt.Sprint(postfix.FreePort(t))
	s := newSite(t, "migrate-spamassassin.md", "unix:spamass/spamass.sock", "127.0.0.1:783", "127.0.0.1:"+port, "spamc -R", "spamc -p "+port+" -R")
	s.startSpamAssassin(port)
	s.sorted()
	stop := s.trickle()
	s.wantMarked(s.four("alone"), "X-Spam-Flag: YES", 1, 3)

	s.configured(s.page["toml"][0])
	s.write("spamassassin/local.cf", localCF+s.page["spamassassin"][0], 0o644)
	s.next() // check and start
	s.next() // ask both
	s.until("both", func(mail string) bool { return strings.Contains(mail, "X-Spam-Status") && s.judged(mail) != "" })
	beside := s.four("beside")
	s.wantMarked(beside, "X-Spam-Status: Yes", 1, 3)
	s.wantMarked(beside, "X-Spam-Status: No", 0, 2)
	s.wantMarked(beside, "X-Rempart-")
	forged := s.deliver("forged", "ann@bulk.example", "X-Spam-Status: No, score=-9\r\nX-Spam-Flag: NO\r\n"+bulkMail)
	if !strings.Contains(forged, "X-Spam-Status: Yes") || strings.Contains(forged, "score=-9") || strings.Contains(forged, "Flag: NO") {
		t.Errorf("SpamAssassin let a forged verdict pass:\n%s", forged)
	}
	s.wantPrinted(s.next(), "2 entries to allow and 2 to deny")
	s.wantPrinted(s.next(), "taught")
	s.recorded("forged@bulk.example")
	s.wantCompared(s.next(), s.page["text"][0])

	s.next() // switch
	s.until("switched", func(mail string) bool {
		return !strings.Contains(mail, "X-Spam") && strings.Contains(s.judged(mail), "mode=judge")
	})
	s.wantInShadow()
	after := s.four("after")
	s.wantMarked(after, "X-Spam")
	s.wantMarked(after, "X-Rempart-Action: tag", 2, 3)
	s.wantPrinted(s.next(), "shadow mode is on", "shadow mode is off")

	s.postconf("smtpd_milters = unix:spamass/spamass.sock") // as a site that leaves spamass-milter where it is
	s.write("rempart/rempart.toml", s.read("rempart/rempart.toml")+s.page["toml"][1]+lastTable, 0o644)
	s.write("mail.eml", filled(strings.ReplaceAll(phishing, "DOMAIN", "fraud.example"), "spamc"), 0o644)
	s.wantPrinted(s.next(), "BRAND_NAME")
	s.until("at-its-port", func(mail string) bool { return strings.Contains(s.judged(mail), "door=spamc") })
	port783 := s.four("spamc")
	s.wantMarked(port783, "X-Spam-Flag: YES", 2, 3)
	s.wantMarked(port783, "X-Spam-Checker-Version: Rempart", 0, 1, 2, 3)

	s.next() // go back
	s.wantInShadow()
	if file := s.read("rempart/rempart.toml"); !strings.HasSuffix(file, lastTable) || strings.Contains(file, "gateway.spamd") {
		t.Errorf("not the table of spamd alone was taken out:\n%s", file)
	}
	s.until("gone-back", func(mail string) bool { return strings.Contains(mail, "X-Spam-Status") && s.judged(mail) == "" })
	back := s.four("back")
	s.wantMarked(back, "X-Spam-Status: Yes", 1, 3)
	s.wantMarked(back, "X-Rempart-")
	stop()
	s.ended()
}

// lastTable stands behind the table that the page takes out again.
const lastTable = "[[policy.deny]]\nname = \"last\"\ndkim = \"last.example\"\n"

// localCF is what the site has of its own.
const localCF = "blacklist_from *@bulk.example\nscore USER_IN_BLOCKLIST 8.0\nscore USER_IN_BLACKLIST 0\nwhitelist_auth *@friend.example\n"

// startSpamAssassin runs Debian's spamd, without the tests that ask the network, and spamass-milter before it.
func (s *site) startSpamAssassin(port string) {
	s.t.Helper()
	conf := filepath.Join(s.dir, "spamassassin")
	if out, err := postfix.Run("cp", "-r", "/etc/spamassassin", conf); err != nil {
		s.t.Fatalf("%v %s", err, out)
	}
	s.write("spamassassin/local.cf", localCF, 0o644)
	home := filepath.Join(s.dir, "sa")
	must(s.t, os.MkdirAll(home, 0o777))
	must(s.t, os.Chmod(home, 0o777))
	s.write("bin/start-spamd", fmt.Sprintf("#!/bin/sh\nspamd -L -x -u nobody -i 127.0.0.1 -p %[1]s --siteconfigpath=%[2]s -H %[3]s --max-children=2 >>%[3]s/log 2>&1 &\necho $! >%[3]s/pid\n"+
		"for i in $(seq 900); do spamc -d 127.0.0.1 -p %[1]s -K >/dev/null 2>&1 && exit 0; sleep 0.1; done\nexit 1\n", port, conf, home), 0o755)
	s.write("bin/stop-spamd", fmt.Sprintf("#!/bin/sh\np=$(cat %s/pid); kill $p; while kill -0 $p 2>/dev/null; do sleep 0.05; done\n", home), 0o755)
	s.write("bin/restart-spamd", fmt.Sprintf("#!/bin/sh\n%[1]s/bin/stop-spamd\nexec %[1]s/bin/start-spamd\n", s.dir), 0o755)
	s.t.Cleanup(func() {
		_, _ = postfix.Run(s.dir + "/bin/stop-spamd")
		if s.t.Failed() {
			log, _ := os.ReadFile(home + "/log")
			s.t.Logf("spamd's log:\n%s", log[max(0, len(log)-20_000):])
		}
	})
	if out, err := postfix.Run(s.dir + "/bin/start-spamd"); err != nil {
		s.t.Fatalf("%v %s", err, out)
	}
	socket := filepath.Join(s.mx.Dir, "queue", "spamass", "spamass.sock")
	must(s.t, os.MkdirAll(filepath.Dir(socket), 0o755))
	c := exec.Command("spamass-milter", "-p", socket, "-u", "nobody", "-i", "192.0.2.99", "--", "-d", "127.0.0.1", "-p", port, "-x")
	must(s.t, c.Start())
	s.t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if os.Chmod(socket, 0o666) == nil {
			return
		}
	}
	s.t.Fatal("spamass-milter opened no socket")
}

func (s *site) postconf(setting string) {
	s.t.Helper()
	for _, args := range [][]string{{"postconf", "-c", s.mx.Dir + "/etc", "-e", setting}, {"postfix", "-c", s.mx.Dir + "/etc", "reload"}} {
		if out, err := postfix.Run(args[0], args[1:]...); err != nil {
			s.t.Fatalf("%v %s", err, out)
		}
	}
}
