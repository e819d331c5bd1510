//go:build integration

package spamd

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"rempart/config"
	"rempart/message"
)

// exim is a running Exim that asks r by its condition spam, as the page says, and delivers into files.
type exim struct {
	t    *testing.T
	dir  string
	port int
}

const eximConf = `primary_hostname = mx.example.net
spool_directory = %[1]s/spool
log_file_path = %[1]s/log/%%slog
pid_file_path = %[1]s/pid
exim_path = %[5]s
exim_user = nobody
exim_group = nogroup
deliver_drop_privilege = true
keep_environment = LD_LIBRARY_PATH : LD_PRELOAD : NSS_WRAPPER_PASSWD : NSS_WRAPPER_GROUP
daemon_smtp_ports = %[2]d
local_interfaces = 127.0.0.1
host_lookup =
rfc1413_query_timeout = 0s
tls_advertise_hosts =
acl_smtp_rcpt = accept
%[3]s
begin acl
%[4]s
begin routers
file:
  driver = accept
  transport = file
begin transports
file:
  driver = appendfile
  file = %[1]s/mail/box
  user = nobody
  group = nogroup
  envelope_to_add
  return_path_add
`

// openDir is a directory that Exim's user may enter, as it may not the test's own.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "rempart-exim-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// unpackExim gets Debian's exim4-daemon-heavy, which as a package cannot be beside Postfix: the program, and where its libraries
// are.
func unpackExim(t *testing.T) (program, libraries string) {
	t.Helper()
	needs(t, "swaks")
	needs(t, "apt-get")
	if os.Getuid() != 0 {
		t.Skip("Exim can only be started by root")
	}
	root := openDir(t)
	out, err := exec.Command("sh", "testdata/exim.sh", root).Output()
	if err != nil {
		t.Skipf("Exim cannot be downloaded: %v", err)
	}
	return root + "/usr/sbin/exim4", strings.TrimSpace(string(out))
}

// newExim starts the program.
func newExim(t *testing.T, program, libraries string, r *rig) *exim {
	t.Helper()
	dir := openDir(t)
	t.Cleanup(func() {
		if log, _ := os.ReadFile(dir + "/log/mainlog"); t.Failed() {
			t.Logf("Exim's log:\n%s", log)
		}
	})
	for _, sub := range []string{"", "spool", "log", "mail"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(filepath.Join(dir, sub), 65534, 65534); err != nil {
			t.Fatal(err)
		}
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e := &exim{t, dir, free.Addr().(*net.TCPAddr).Port}
	_ = free.Close()
	_, port, _ := net.SplitHostPort(r.addr)
	address := "127.0.0.1 " + port
	if r.network == "unix" {
		address = r.addr
	}
	main := strings.Replace(blocks(t, "exim-main")[0], "127.0.0.1 783", address, 1)
	conf := writeFile(t, dir, "exim.conf", fmt.Sprintf(eximConf, dir, e.port, main, blocks(t, "exim-acl")[0], program))
	// The program asks for the user that its package would make.
	accounts := func(name, user string) string {
		b, _ := os.ReadFile("/etc/" + name)
		return writeFile(t, dir, name, string(b)+user+"\n")
	}
	cmd := exec.Command(program, "-C", conf, "-bdf")
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LD_LIBRARY_PATH=" + libraries, "LD_PRELOAD=libnss_wrapper.so",
		"NSS_WRAPPER_PASSWD=" + accounts("passwd", "Debian-exim:x:65534:65534::/:/bin/false"), "NSS_WRAPPER_GROUP=" + accounts("group", "Debian-exim:x:65534:")}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", e.port)); err == nil {
			_ = c.Close()
			return e
		}
		if time.Now().After(end) {
			t.Fatal("Exim does not listen")
		}
	}
}

// send gives a mail to Exim and returns what it answered at the end of the data.
func (e *exim) send(mail string, to ...string) string {
	e.t.Helper()
	file := writeFile(e.t, e.dir, "mail.eml", mail)
	out, _ := exec.Command("swaks", "--server", fmt.Sprintf("127.0.0.1:%d", e.port), "--helo", "sender.example.org", "--from", "bounce@example.com",
		"--to", strings.Join(to, ","), "--data", "@"+file, "--suppress-data").CombinedOutput()
	_, answer, _ := strings.Cut(string(out), "lines sent\n")
	answer, _, _ = strings.Cut(answer, "\n -> QUIT")
	return answer
}

// delivered is the first mail that was.
func (e *exim) delivered() string {
	e.t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if b, err := os.ReadFile(filepath.Join(e.dir, "mail", "box")); err == nil && strings.HasSuffix(string(b), "\n\n") {
			return string(b)
		}
	}
	e.t.Fatal("nothing came")
	return ""
}

// Exim's condition spam with the page's access list: marked, refused, put off, and judged for each recipient.
func TestExim(t *testing.T) {
	program, libraries := unpackExim(t)
	for _, tt := range []struct {
		name        string
		mode        message.Mode
		rules, mail string
		answer      string
		marked      bool
	}{
		{"honest", message.ModeJudge, "", mail, `^<-  250 OK`, false},
		{"spam", message.ModeJudge, "", scam, `^<-  250 OK`, true},
		{"refused", message.ModeJudge, "[[deny]]\nnetwork = '127.0.0.1'\n", scam, `^<\*\* 550 this message was refused as spam \(15\.0 points\)`, false},
		{"put off", message.ModeJudge, "", "Subject: hold\r\n\r\nbody\r\n", `^<\*\* 451 `, false},
		{"shadow", message.ModeShadow, "[[deny]]\nnetwork = '127.0.0.1'\n", scam, `^<-  250 OK`, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := pageRig(t, 0, "127.0.0.1:0", tt.rules, tt.mode)
			r.cfg.Budget = config.Duration(time.Second)
			if err := r.door.Reconfigure(r.cfg); err != nil {
				t.Fatal(err)
			}
			e := newExim(t, program, libraries, r)
			if got := e.send(tt.mail, "ben@example.net", "cora@example.net"); !regexp.MustCompile(tt.answer).MatchString(got) {
				t.Fatalf("%s", got)
			}
			if tt.name == "put off" {
				return
			}
			m := <-r.asked
			if m.MailFrom != "bounce@example.com" || len(m.Recipients) != 2 || m.Recipients[1].Address != "cora@example.net" || m.Source.Address.String() != "127.0.0.1" || m.Helo != "sender.example.org" {
				t.Errorf("%q %+v %+v %q", m.MailFrom, m.Recipients, m.Source, m.Helo)
			}
			if n := len(r.asked); n != 0 {
				t.Error("Exim asked more than once")
			}
			if strings.HasPrefix(tt.answer, `^<\*\*`) {
				return
			}
			got := e.delivered()
			if marked := strings.Contains(got, "\nX-Spam-Flag: YES\n"); marked != tt.marked {
				t.Errorf("%s", got)
			}
			if !regexp.MustCompile(`\nX-Spam-Score: -?\d+\.\d\n`).MatchString(got) || !regexp.MustCompile(`\nX-Spam-Report: Rempart on (?s).*points, 5\.0 required.*\n `).MatchString(got) {
				t.Errorf("%s", got)
			}
		})
	}
	t.Run("UNIX socket", func(t *testing.T) {
		r := pageRig(t, 1, "unix:"+openDir(t)+"/spamd.sock", "", message.ModeJudge)
		if got := newExim(t, program, libraries, r).send(scam, "ben@example.net"); !strings.HasPrefix(got, "<-  250 OK") {
			t.Errorf("%s", got)
		}
		if m := <-r.asked; m.Recipients[0].Address != "ben@example.net" {
			t.Errorf("%+v", m.Recipients)
		}
	})
}
