// Package postfix runs real Postfix servers for tests, each with a configuration, a queue and ports of its own, and takes
// what they send on. It needs Debian's postfix and root; where one is missing the test skips.
package postfix

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Server is a running Postfix. It stops with its test, which gets its log if it failed.
type Server struct {
	Dir   string // with etc, queue, data and log
	Port  int    // SMTP, on 127.0.0.1
	Plain int    // SMTP without a milter
}

const settings = `compatibility_level = 3.6
queue_directory = %[1]s/queue
data_directory = %[1]s/data
maillog_file = %[1]s/log/mail.log
maillog_file_prefixes = %[1]s
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mydestination =
mynetworks =
relay_recipient_maps =
smtpd_relay_restrictions = permit_auth_destination, reject
smtp_host_lookup = native
smtp_dns_support_level = disabled
smtpd_peername_lookup = no
smtputf8_enable = no
smtp_tls_security_level =
import_environment = MAIL_CONFIG=%[1]s/etc
`

// common are the lines of main.cf that main does not replace. A key that stands there twice makes every process log so at
// its start, the one that writes the log included: it may then wait for itself for ever.
func common(dir, main string) (out string) {
	for line := range strings.Lines(fmt.Sprintf(settings, dir)) {
		key, _, _ := strings.Cut(line, "=")
		if !strings.Contains("\n"+main, "\n"+key+"=") {
			out += line
		}
	}
	return out
}

const services = `
127.0.0.1:%d inet n - n - - smtpd
127.0.0.1:%d inet n - n - - smtpd
  -o smtpd_milters=
cleanup unix n - n - 0 cleanup
qmgr unix n - n 5 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
local unix - n n - - local
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`

// Start starts Postfix. main are more lines of main.cf, which win over the common ones; more are lines of master.cf.
func Start(t testing.TB, main string, more ...string) *Server {
	t.Helper()
	if _, err := exec.LookPath("postfix"); err != nil {
		t.Skip("postfix is not installed")
	}
	owner, err := user.Lookup("postfix")
	if err != nil || os.Getuid() != 0 {
		t.Skip("Postfix can only be started by root, with its user")
	}
	dir, err := os.MkdirTemp("", "rempart-postfix-")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Dir: dir, Port: FreePort(t), Plain: FreePort(t)}
	uid, _ := strconv.Atoi(owner.Uid)
	for _, sub := range []string{"etc", "queue", "data", "log"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	_ = os.Chmod(dir, 0o755)
	_ = os.Chown(filepath.Join(dir, "data"), uid, -1)
	s.Write(t, "etc/main.cf", common(dir, main)+main)
	s.Write(t, "etc/master.cf", fmt.Sprintf(services, s.Port, s.Plain)+strings.Join(more, "\n")+"\n")
	t.Cleanup(func() {
		_, _ = Run("postfix", "-c", dir+"/etc", "stop")
		if t.Failed() {
			log, _ := os.ReadFile(dir + "/log/mail.log")
			t.Logf("Postfix's log:\n%s", log[max(0, len(log)-maxLog):])
		}
		_ = os.RemoveAll(dir)
	})
	if out, err := Run("postfix", "-c", dir+"/etc", "start"); err != nil {
		t.Fatalf("start Postfix: %v\n%s", err, out)
	}
	WaitPort(t, s.Port)
	WaitPort(t, s.Plain)
	return s
}

const maxLog = 1 << 15

// Write writes a file in the server's directory.
func (s *Server) Write(t testing.TB, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.Dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Held is how many mails are in the hold queue.
func (s *Server) Held() int {
	files, _ := filepath.Glob(s.Dir + "/queue/hold/*")
	return len(files)
}

// Run runs a program to its end and returns all that it wrote.
func Run(name string, args ...string) (string, error) {
	out, err := exec.Command(name, args...).CombinedOutput()
	return string(out), err
}

// FreePort is a port on which nobody listens.
func FreePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// WaitPort waits until somebody listens.
func WaitPort(t testing.TB, port int) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			c.Close()
			return
		}
	}
	t.Fatalf("nobody listens on port %d", port)
}
