//go:build integration

package milter

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"rempart/config"
	"rempart/message"
)

// sink is the mail server behind Postfix: it takes everything and keeps it as it came.
type sink struct {
	listener net.Listener
	mu       sync.Mutex
	mails    []sunk
	group    sync.WaitGroup
}

type sunk struct {
	to   []string
	data string
}

func newSink(t *testing.T) *sink {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &sink{listener: l}
	s.group.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.group.Go(func() { s.serve(c) })
		}
	})
	return s
}

func (s *sink) serve(c net.Conn) {
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	r := bufio.NewReader(c)
	say := func(line string) { fmt.Fprintf(c, "%s\r\n", line) }
	say("220 sink")
	var m sunk
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		switch verb := strings.ToUpper(strings.Fields(line + " x")[0]); verb {
		case "RCPT":
			m.to = append(m.to, line[strings.IndexByte(line, '<')+1:strings.IndexByte(line, '>')])
			say("250 ok")
		case "DATA":
			say("354 go on")
			for {
				line, err := r.ReadString('\n')
				if err != nil {
					return
				}
				if line == ".\r\n" {
					break
				}
				m.data += strings.TrimPrefix(line, ".")
			}
			s.mu.Lock()
			s.mails = append(s.mails, m)
			s.mu.Unlock()
			m = sunk{}
			say("250 ok")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

// wait returns the mail for a recipient.
func (s *sink) wait(t *testing.T, to string) sunk {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		s.mu.Lock()
		for _, m := range s.mails {
			for _, r := range m.to {
				if r == to {
					s.mu.Unlock()
					return m
				}
			}
		}
		s.mu.Unlock()
	}
	t.Fatalf("no mail for %s came through", to)
	return sunk{}
}

func (s *sink) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.mails)
}

// postfix is a Postfix of its own: configuration, queue and ports. The second port asks no milter.
type postfix struct {
	t           *testing.T
	dir         string
	port, plain int
	sink        *sink
}

const master = `
127.0.0.1:%d inet n - n - - smtpd
127.0.0.1:%d inet n - n - - smtpd
  -o smtpd_milters=
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`

// newPostfix starts Postfix with settings, those of the page among them.
func newPostfix(t *testing.T, settings string) *postfix {
	t.Helper()
	for _, program := range []string{"postfix", "swaks"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed", program)
		}
	}
	owner, err := user.Lookup("postfix")
	if err != nil || os.Getuid() != 0 {
		t.Skip("Postfix can only be started by root, with its user")
	}
	dir, err := os.MkdirTemp("", "rempart-postfix-")
	if err != nil {
		t.Fatal(err)
	}
	p := &postfix{t: t, dir: dir, port: freePort(t), plain: freePort(t), sink: newSink(t)}
	uid, _ := strconv.Atoi(owner.Uid)
	for _, sub := range []string{"etc", "queue", "data", "log"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	_ = os.Chmod(dir, 0o755)
	_ = os.Chown(filepath.Join(dir, "data"), uid, -1)
	main := fmt.Sprintf(`compatibility_level = 3.6
queue_directory = %[1]s/queue
data_directory = %[1]s/data
maillog_file = %[1]s/log/mail.log
maillog_file_prefixes = %[1]s
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.example.net
mydestination =
mynetworks =
relay_domains = example.net
relay_recipient_maps =
relayhost = [127.0.0.1]:%[2]d
smtpd_relay_restrictions = permit_auth_destination, reject
smtp_host_lookup = native
smtp_dns_support_level = disabled
smtpd_peername_lookup = no
smtputf8_enable = no
smtp_tls_security_level =
import_environment = MAIL_CONFIG=%[1]s/etc
`, dir, p.sink.listener.Addr().(*net.TCPAddr).Port) + settings
	p.write("etc/main.cf", main)
	p.write("etc/master.cf", fmt.Sprintf(master, p.port, p.plain))
	t.Cleanup(func() {
		p.run("postfix", "-c", dir+"/etc", "stop")
		if t.Failed() {
			log, _ := os.ReadFile(dir + "/log/mail.log")
			t.Logf("Postfix's log:\n%s", log)
		}
		_ = os.RemoveAll(dir)
		p.sink.listener.Close()
		p.sink.group.Wait()
	})
	if out, err := p.run("postfix", "-c", dir+"/etc", "start"); err != nil {
		t.Fatalf("start Postfix: %v\n%s", err, out)
	}
	for _, port := range []int{p.port, p.plain} {
		waitPort(t, port)
	}
	return p
}

func (p *postfix) write(name, text string) {
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

func (p *postfix) run(name string, args ...string) (string, error) {
	out, err := exec.Command(name, args...).CombinedOutput()
	return string(out), err
}

// swaks sends a mail and returns the conversation.
func (p *postfix) swaks(port int, mail string, to ...string) string {
	p.t.Helper()
	p.write("mail.eml", mail)
	out, _ := p.run("swaks", "--server", fmt.Sprintf("127.0.0.1:%d", port), "--helo", "mx.example.org", "--from", "anna@example.com",
		"--to", strings.Join(to, ","), "--data", "@"+p.dir+"/mail.eml", "--suppress-data")
	return out
}

func (p *postfix) held() int {
	files, _ := filepath.Glob(p.dir + "/queue/hold/*")
	return len(files)
}

func freePort(t *testing.T) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func waitPort(t *testing.T, port int) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			c.Close()
			return
		}
	}
	t.Fatalf("nobody listens on port %d", port)
}

// snippet is the n-th fenced block of a kind in the page, so that the page is what runs.
func snippet(t *testing.T, kind string, n int) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/frontdoor-milter.md")
	if err != nil {
		t.Fatal(err)
	}
	all := regexp.MustCompile("(?ms)^ *```"+regexp.QuoteMeta(kind)+"\n(.*?)^ *```").FindAllStringSubmatch(string(page), -1)
	if n >= len(all) {
		t.Fatalf("the page has no %s block %d", kind, n)
	}
	return regexp.MustCompile("(?m)^   ").ReplaceAllString(all[n][1], "")
}

// fromPage starts the front door and Postfix as snippet n of the page sets them up, in a mode.
func fromPage(t *testing.T, n int, mode message.Mode, replace ...string) *postfix {
	t.Helper()
	toml, main := snippet(t, "toml", n), snippet(t, "main.cf", n)
	if n == 0 {
		replace = append(replace, "127.0.0.1:8891", fmt.Sprintf("127.0.0.1:%d", freePort(t)))
	}
	r := strings.NewReplacer(replace...)
	var file struct {
		Gateway struct {
			Milter []Config `toml:"milter"`
		} `toml:"gateway"`
	}
	if err := config.Parse("docs/frontdoor-milter.md", []byte(r.Replace(toml)), &file); err != nil {
		t.Fatal(err)
	}
	newRig(t, by(nil), func(c *Config) {
		*c = file.Gateway.Milter[0]
		c.Mode = mode
	})
	return newPostfix(t, r.Replace(main))
}

const plainMail = "From: Anna <anna@example.com>\r\nTo: b@example.net\r\nDate: Mon, 23 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@example.com>\r\n" +
	"Subject:no space\r\nX-Folded: one\r\n\ttwo\r\nX-Rempart-Action: accept\r\nx-rempart-action: accept\r\nX-Rempart-Score: -99\r\n\r\nHello\r\n\r\n..two dots\r\n"

func TestPostfix(t *testing.T) {
	p := fromPage(t, 0, message.ModeJudge)

	t.Run("accepted, forged headers removed", func(t *testing.T) {
		p.swaks(p.port, plainMail, "accept@example.net")
		if got := p.sink.wait(t, "accept@example.net").data; strings.Contains(strings.ToLower(got), "x-rempart") || !strings.Contains(got, "Hello\r\n") {
			t.Errorf("came through as\n%s", got)
		}
	})
	t.Run("tagged", func(t *testing.T) {
		p.swaks(p.port, plainMail, "tag@example.net")
		got := p.sink.wait(t, "tag@example.net").data
		for _, want := range []string{"\r\nX-Rempart-Action: tag\r\n", "\r\nX-Rempart-Score: 3.250\r\n", "\r\nX-Rempart-Probability: 0.9627\r\n",
			"\r\nX-Rempart-Reasons: link_host=+2.00 date_ahead=+1.25\r\n", "\r\nX-Rempart-ID: "} {
			if strings.Count(got, want) != 1 {
				t.Errorf("%q is missing in\n%s", want, got)
			}
		}
		if strings.Contains(got, "-99") || strings.Contains(got, "Action: accept") {
			t.Errorf("a forged header stayed in\n%s", got)
		}
	})
	t.Run("rewritten", func(t *testing.T) {
		p.swaks(p.port, plainMail, "rewrite@example.net")
		if got := p.sink.wait(t, "rewrite@example.net").data; !strings.Contains(got, "\r\nSubject: [SPAM] no space\r\n") {
			t.Errorf("%s", got)
		}
	})
	t.Run("two recipients of unlike decisions", func(t *testing.T) {
		p.swaks(p.port, plainMail, "tag1@example.net", "remove@example.net", "tag2@example.net")
		if got := p.sink.wait(t, "tag1@example.net"); strings.Join(got.to, " ") != "tag1@example.net tag2@example.net" {
			t.Errorf("for %v", got.to)
		}
	})
	t.Run("refused", func(t *testing.T) {
		before := p.sink.count()
		if out := p.swaks(p.port, plainMail, "reject@example.net"); !strings.Contains(out, "550 5.7.1 no, reject") {
			t.Errorf("%s", out)
		}
		if out := p.swaks(p.port, plainMail, "tempfail@example.net"); !strings.Contains(out, "451 4.7.1 no, tempfail") {
			t.Errorf("%s", out)
		}
		if out := p.swaks(p.port, plainMail, "panic@example.net"); !strings.Contains(out, "451 4.7.1 this message cannot be taken now") {
			t.Errorf("%s", out)
		}
		if out := p.swaks(p.port, plainMail, "discard@example.net"); !strings.Contains(out, "250 2.0.0 Ok") {
			t.Errorf("%s", out)
		}
		// Whatever was queued before this one has gone by when it arrives.
		p.swaks(p.port, plainMail, "accept9@example.net")
		p.sink.wait(t, "accept9@example.net")
		if n := p.sink.count() - before; n != 1 {
			t.Errorf("%d mails came through", n)
		}
	})
	t.Run("held", func(t *testing.T) {
		if out := p.swaks(p.port, plainMail, "hold@example.net"); !strings.Contains(out, "250 2.0.0 Ok") || p.held() != 1 {
			t.Errorf("%d held\n%s", p.held(), out)
		}
	})
}

// In shadow a mail comes through byte for byte as without us, whatever was decided.
func TestPostfixShadow(t *testing.T) {
	p := fromPage(t, 0, message.ModeShadow)
	p.swaks(p.plain, plainMail, "without@example.net")
	want := p.sink.wait(t, "without@example.net").data
	for _, to := range []string{"reject@example.net", "tag@example.net", "hold@example.net", "discard@example.net", "panic@example.net"} {
		p.swaks(p.port, plainMail, to)
		got := p.sink.wait(t, to).data
		if rest(got) != rest(want) || !bytes.HasPrefix([]byte(got), []byte("Received: ")) {
			t.Errorf("for %s\n%q\nwithout us\n%q", to, got, want)
		}
	}
	if p.held() != 0 {
		t.Errorf("%d held", p.held())
	}
}

// rest is the mail without Postfix's own Received field, which has time and queue id.
func rest(mail string) string {
	at := strings.Index(mail, "\r\nFrom: ")
	return mail[max(at, 0):]
}

func TestPostfixUnixSocket(t *testing.T) {
	dir, err := os.MkdirTemp("", "rempart-milter-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	_ = os.Chmod(dir, 0o755)
	p := fromPage(t, 1, message.ModeJudge, "/run/rempart", dir)
	p.swaks(p.port, plainMail, "tag@example.net")
	if got := p.sink.wait(t, "tag@example.net").data; !strings.Contains(got, "X-Rempart-Action: tag") {
		t.Errorf("%s", got)
	}
}
