//go:build integration

package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rempart/gateway/milter/postfix"
)

// A site with rspamd goes over to Rempart and back, by the commands of docs/migrate-rspamd.md.
func TestMigrateFromRspamd(t *testing.T) {
	need(t, "rspamd")
	port := postfix.FreePort(t)
	rspamd := fmt.Sprintf("127.0.0.1:%d", port)
	s := newSite(t, "migrate-rspamd.md", "inet:"+rspamd, "127.0.0.1:11332", rspamd)
	s.startRspamd(port)
	s.sorted()
	stop := s.trickle()
	s.wantMarked(s.four("alone"), "X-Spam: Yes", 1, 3)
	s.refused("alone-worst", "ann@worst.example", worstMail)

	s.configured(s.page["toml"][0])
	s.write("rspamd/local.d/milter_headers.conf", s.page["ucl"][0], 0o644)
	s.write("rspamd/local.d/actions.conf", s.page["ucl"][1], 0o644)
	s.next() // check and start
	s.next() // ask both
	s.until("both", func(mail string) bool { return strings.Contains(mail, "X-Spam-Status") && s.judged(mail) != "" })
	beside := s.four("beside")
	s.wantMarked(beside, "X-Spam-Status: Yes", 1, 3)
	s.wantMarked(beside, "X-Spam-Status: No", 0, 2)
	s.wantMarked(beside, "X-Rempart-")
	forged := s.deliver("forged", "ann@bulk.example", "X-Spam-Status: No, score=-9\r\n"+bulkMail)
	if !strings.Contains(forged, "X-Spam-Status: Yes") || strings.Contains(forged, "score=-9") {
		t.Errorf("rspamd let a forged verdict pass:\n%s", forged)
	}
	s.wantPrinted(s.next(), "2 entries to allow and 0 to deny", "0 entries to allow and 2 to deny")
	s.wantPrinted(s.next(), "taught")
	s.recorded("forged@bulk.example")
	s.wantCompared(s.next(), s.page["text"][0])
	if worst := s.deliver("beside-worst", "ann@worst.example", worstMail); !strings.Contains(worst, "X-Spam-Status: Yes") || s.judged(worst) == "" {
		t.Errorf("what rspamd would refuse does not come to Rempart, marked:\n%s", worst)
	}

	s.next() // switch
	s.until("switched", func(mail string) bool {
		return !strings.Contains(mail, "X-Spam") && strings.Contains(s.judged(mail), "mode=judge")
	})
	s.wantInShadow()
	after := s.four("after")
	s.wantMarked(after, "X-Spam")
	s.wantMarked(after, "X-Rempart-Action: tag", 2, 3)
	s.wantPrinted(s.next(), "shadow mode is on", "shadow mode is off")
	s.next() // go back
	s.until("gone-back", func(mail string) bool { return strings.Contains(mail, "X-Spam-Status") && s.judged(mail) == "" })
	back := s.four("back")
	s.wantMarked(back, "X-Spam-Status: Yes", 1, 3)
	s.wantMarked(back, "X-Rempart-")
	s.refused("back-worst", "ann@worst.example", worstMail)
	stop()
	s.ended()
}

// worstMail is from the domain that rspamd refuses.
var worstMail = strings.ReplaceAll(bulkMail, "bulk.example", "worst.example")

// refused sends a mail that must be refused for good.
func (s *site) refused(name, from, mail string) {
	s.t.Helper()
	if reply, err := s.send(from, name+"@mx.example", filled(mail, name)); err != nil || !strings.HasPrefix(reply, "5") {
		s.t.Errorf("%s: %s %v", name, reply, err)
	}
}

// offline are rspamd's modules that ask the network or Redis.
const offline = "antivirus arc asn clickhouse dcc dkim dkim_signing dmarc elastic external_services fuzzy_check greylist hfilter history_redis " +
	"metadata_exporter mx_check neural p0f ratelimit rbl replies reputation rspamd_update spf surbl url_redirector"

// startRspamd runs Debian's rspamd as a milter, with lists of bad senders of its own, one of them to be refused.
func (s *site) startRspamd(port int) {
	s.t.Helper()
	conf := filepath.Join(s.dir, "rspamd")
	if out, err := postfix.Run("cp", "-r", "/etc/rspamd", conf); err != nil {
		s.t.Fatalf("%v %s", err, out)
	}
	for module := range strings.FieldsSeq(offline) {
		s.write("rspamd/override.d/"+module+".conf", "enabled = false;\n", 0o644)
	}
	for _, worker := range []string{"normal", "controller", "fuzzy"} {
		s.write("rspamd/override.d/worker-"+worker+".inc", "enabled = false;\n", 0o644)
	}
	data := filepath.Join(s.dir, "rspamd-data")
	must(s.t, os.MkdirAll(data, 0o777))
	must(s.t, os.Chmod(data, 0o777))
	s.write("rspamd/override.d/worker-proxy.inc", fmt.Sprintf("bind_socket = \"127.0.0.1:%d\";\nupstream \"local\" { self_scan = yes; default = yes; }\n", port), 0o644)
	s.write("rspamd/override.d/options.inc", fmt.Sprintf("dns { nameserver = [\"127.0.0.1:1\"]; timeout = 0.1s; retransmits = 1; }\ntempdir = \"%[1]s\"; pidfile = \"%[1]s/pid\"; hs_cache_dir = \"%[1]s\"; history_file = null; rrd = null;\n", data), 0o644)
	s.write("rspamd/override.d/logging.inc", fmt.Sprintf("type = \"file\"; filename = \"%s/log\"; level = \"info\";\n", data), 0o644)
	s.write("rspamd/local.d/classifier-bayes.conf", "autolearn = false;\n", 0o644)
	s.write("rspamd/local.d/maps.d/blacklist.map", "bulk.example\n", 0o644)
	s.write("rspamd/local.d/maps.d/whitelist.map", "friend.example\n", 0o644)
	s.write("rspamd/local.d/maps.d/worst.map", "worst.example\n", 0o644)
	bad := "%s { type = \"from\"; filter = \"email:domain\"; map = \"" + conf + "/local.d/maps.d/%s.map\"; score = %d.0; }\n"
	s.write("rspamd/local.d/multimap.conf", fmt.Sprintf(bad, "BULK", "blacklist", 8)+fmt.Sprintf(bad, "WORST", "worst", 40), 0o644)
	c := exec.Command("rspamd", "-f", "-i", "-c", conf+"/rspamd.conf", "--var=CONFDIR="+conf, "--var=LOCAL_CONFDIR="+conf, "--var=DBDIR="+data, "--var=RUNDIR="+data, "--var=LOGDIR="+data)
	must(s.t, c.Start())
	s.t.Cleanup(func() {
		_ = c.Process.Signal(os.Interrupt)
		_ = c.Wait()
		if s.t.Failed() {
			log, _ := os.ReadFile(data + "/log")
			s.t.Logf("rspamd's log:\n%s", log[max(0, len(log)-20_000):])
		}
	})
	s.answers(fmt.Sprintf("127.0.0.1:%d", port))
	s.write("bin/reload-rspamd", fmt.Sprintf("#!/bin/sh\nkill -HUP %d\nsleep 3\n", c.Process.Pid), 0o755)
}

// answers waits until somebody listens: rspamd compiles its patterns first, on a busy machine for a minute.
func (s *site) answers(address string) {
	s.t.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			return
		}
	}
	s.t.Fatalf("nobody listens at %s", address)
}

func (s *site) wantPrinted(out string, want ...string) {
	s.t.Helper()
	for _, w := range want {
		if !strings.Contains(out, w) {
			s.t.Errorf("no %q in\n%s", w, out)
		}
	}
}

// wantCompared holds what rempart compare printed against what the page shows of it, but for the mails about which both agree: of those
// as many come in as the machine takes.
func (s *site) wantCompared(out, page string) {
	s.t.Helper()
	if !strings.Contains(page, "takes it for spam") {
		s.t.Error("the page shows no figures")
	}
	for line := range strings.Lines(page) {
		if strings.Contains(line, "takes it for spam") && !strings.HasPrefix(line, "neither") || strings.Contains(line, "taught spam") {
			if !strings.Contains(out, line) {
				s.t.Errorf("the page has %q, the command printed\n%s", line, out)
			}
		}
	}
}

// need skips the test where a program is missing.
func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("no %s here: .ci/run installs it", program)
	}
}
