//go:build integration

package smtp

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"rempart/config"
	"rempart/gateway"
	"rempart/gateway/milter/postfix"
	"rempart/message"
)

// snippet is the n-th fenced block of a kind in the page, so that the page is what runs.
func snippet(t testing.TB, kind string, n int) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/frontdoor-smtp.md")
	if err != nil {
		t.Fatal(err)
	}
	all := regexp.MustCompile("(?ms)^ *```"+regexp.QuoteMeta(kind)+"\n(.*?)^ *```").FindAllStringSubmatch(string(page), -1)
	if n >= len(all) {
		t.Fatalf("the page has no %s block %d", kind, n)
	}
	text := all[n][1]
	if strings.HasPrefix(text, "   ") {
		text = regexp.MustCompile("(?m)^   ").ReplaceAllString(text, "")
	}
	return text
}

// pageConfig is toml block n of the page, in mode judge.
func pageConfig(t testing.TB, n int, ports *strings.Replacer) Config {
	t.Helper()
	var file struct {
		Gateway struct {
			SMTP []Config `toml:"smtp"`
		} `toml:"gateway"`
	}
	if err := config.Parse("docs/frontdoor-smtp.md", []byte(ports.Replace(snippet(t, "toml", n))), &file); err != nil {
		t.Fatal(err)
	}
	cfg := file.Gateway.SMTP[0]
	cfg.Mode = message.ModeJudge
	return cfg
}

// fromPage starts the front door of toml block n of the page.
func fromPage(t testing.TB, n int, judge gateway.Judge, ports *strings.Replacer) {
	t.Helper()
	start(t, pageConfig(t, n, ports), judge)
}

// start runs a front door until its test ends.
func start(t testing.TB, cfg Config, judge gateway.Judge) {
	t.Helper()
	host := &gateway.Host{Judge: judge, Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Metrics: gateway.NewMetrics(prometheus.NewRegistry())}
	p, err := New(cfg, host)
	if err != nil {
		t.Fatal(err)
	}
	l, err := gateway.ListenAll(t.Context(), cfg.Listen)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- p.Run(t.Context(), l) }() // the test's context ends before its cleanups
	t.Cleanup(func() {
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// site is a Postfix with Rempart where a page's blocks put it, and the mail server behind.
type site struct {
	t    *testing.T
	p    *postfix.Server
	sink *postfix.Sink
	port int // of the server that clients reach
}

const mainCF = "myhostname = mx.example.net\nrelay_domains = example.net\nminimal_backoff_time = 1s\nqueue_run_delay = 1s\n"

// ports are those of the page on free ones: what Postfix's clients reach, Rempart's, and the one behind it.
func ports(t testing.TB) (front int, r *strings.Replacer) {
	front = postfix.FreePort(t)
	at := func() string { return fmt.Sprintf("127.0.0.1:%d", postfix.FreePort(t)) }
	in, out := at(), at()
	return front, strings.NewReplacer("127.0.0.1:10025", in, "[127.0.0.1]:10025", strings.Replace(in, "127.0.0.1", "[127.0.0.1]", 1),
		"127.0.0.1:10026", out, "127.0.0.1:10024", in, "smtp inet", fmt.Sprintf("127.0.0.1:%d inet", front))
}

func (s *site) swaks(mail string, args ...string) string {
	s.t.Helper()
	s.p.Write(s.t, "mail.eml", mail)
	out, _ := postfix.Run("swaks", append([]string{"--server", fmt.Sprintf("127.0.0.1:%d", s.port), "--helo", "mx.example.org",
		"--from", "anna@example.com", "--data", "@" + s.p.Dir + "/mail.eml", "--suppress-data"}, args...)...)
	return out
}

func (s *site) through(to string) postfix.Mail {
	s.t.Helper()
	return s.sink.Wait(s.t, to, 1, 20*time.Second)[0]
}

const fromAnna = "From: Anna <anna@example.com>\r\nTo: b@example.net\r\nDate: Mon, 23 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@example.com>\r\n" +
	"Subject: hello\r\nX-Folded: one\r\n\ttwo\r\nX-Rempart-Action: hold\r\nx-rempart-action: accept\r\nX-Rempart-Score: -99\r\n\r\nHello\r\n\r\n..two dots\r\n"

func needSwaks(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("swaks"); err != nil {
		t.Skip("swaks is not installed")
	}
}

func TestPostfixBeforeQueue(t *testing.T) {
	needSwaks(t)
	asked := make(chan *message.Message, 100)
	front, at := ports(t)
	fromPage(t, 0, by(asked), at)
	sink := postfix.NewSink(t)
	hold := filepath.Join(t.TempDir(), "hold")
	if err := os.WriteFile(hold, []byte(snippet(t, "regexp", 0)), 0o644); err != nil {
		t.Fatal(err)
	}
	_ = os.Chmod(filepath.Dir(hold), 0o755)
	p := postfix.Start(t, mainCF+fmt.Sprintf("relayhost = [127.0.0.1]:%d\n", sink.Port)+
		strings.Replace(snippet(t, "main.cf", 0), "/etc/postfix/rempart_hold", hold, 1), at.Replace(snippet(t, "master.cf", 0)))
	s := &site{t, p, sink, front}

	s.swaks(fromAnna, "--to", "accept@example.net")
	if got := s.through("accept@example.net").Data; strings.Contains(strings.ToLower(got), "x-rempart") || !strings.Contains(got, "..two dots\r\n") {
		t.Errorf("came through as\n%s", got)
	}
	if m := <-asked; m.Source.Address.String() != "127.0.0.1" || m.Helo != "mx.example.org" || m.MailFrom != "anna@example.com" || m.Subject != "hello" {
		t.Errorf("judged %v %q", m.Source, m.Helo)
	}
	s.swaks(fromAnna, "--to", "rewrite@example.net,remove@example.net,rewrite1@example.net")
	if got := s.through("rewrite@example.net"); !strings.Contains(got.Data, "\r\nX-Rempart-Action: rewrite\r\n") || !strings.Contains(got.Data, "Subject: [SPAM] hello\r\n") ||
		len(got.To) != 2 || strings.Contains(got.Data, "-99") {
		t.Errorf("for %v\n%s", got.To, got.Data)
	}
	for to, want := range map[string]string{"reject@example.net": "550 5.7.1 no, reject", "greylist@example.net": "451 4.7.1 no, greylist",
		"panic@example.net": "451 4.7.1 this message cannot", "discard@example.net": "250 2.0.0 Ok", "nobody@elsewhere.example": "554 5.7.1"} {
		if out := s.swaks(fromAnna, "--to", to); !strings.Contains(out, want) {
			t.Errorf("for %s, want %s\n%s", to, want, out)
		}
	}
	if out := s.swaks(fromAnna, "--to", "hold@example.net"); !strings.Contains(out, "queued as") || p.Held() != 1 {
		t.Errorf("%d held\n%s", p.Held(), out)
	}
	// Whatever was queued before this one has gone by when it arrives.
	s.swaks(fromAnna, "--to", "accept9@example.net")
	s.through("accept9@example.net")
	if n := sink.Count(); n != 3 {
		t.Errorf("%d mails came through", n)
	}
}

func TestPostfixAfterQueue(t *testing.T) {
	needSwaks(t)
	asked := make(chan *message.Message, 100)
	_, at := ports(t)
	fromPage(t, 1, by(asked), at)
	sink := postfix.NewSink(t)
	p := postfix.Start(t, mainCF+fmt.Sprintf("relayhost = [127.0.0.1]:%d\n", sink.Port)+at.Replace(snippet(t, "main.cf", 1)), at.Replace(snippet(t, "master.cf", 1)))
	s := &site{t, p, sink, p.Port}
	out := s.swaks(fromAnna, "--to", "tag@example.net")
	if got := s.through("tag@example.net").Data; strings.Count(got, "X-Rempart-Action: tag\r\n") != 1 || strings.Contains(got, "-99") {
		t.Errorf("%s", got)
	}
	m := <-asked
	if m.QueueID == "" || !strings.Contains(out, "queued as "+m.QueueID) || m.Helo != "mx.example.org" || m.Source.Address.String() != "127.0.0.1" {
		t.Errorf("queue id %q, helo %q\n%s", m.QueueID, m.Helo, out)
	}
	s.swaks(fromAnna, "--to", "tempfail@example.net")
	for range 2 { // it stays in the queue and comes again
		if m := <-asked; m.Recipients[0].Address != "tempfail@example.net" {
			t.Errorf("asked for %v", m.Recipients)
		}
	}
}

// A Postfix that sends nothing in clear begins TLS first.
func TestPostfixStartTLS(t *testing.T) {
	needSwaks(t)
	_, at := ports(t)
	cfg := pageConfig(t, 1, at)
	cfg.Certificate, cfg.Key, _ = certificate(t)
	start(t, cfg, by(nil))
	sink := postfix.NewSink(t)
	p := postfix.Start(t, mainCF+fmt.Sprintf("relayhost = [127.0.0.1]:%d\n", sink.Port)+at.Replace(snippet(t, "main.cf", 1)),
		at.Replace(strings.Replace(snippet(t, "master.cf", 1), "  -o disable_dns_lookups=yes\n", "  -o disable_dns_lookups=yes\n"+
			"  -o smtp_tls_security_level=encrypt\n  -o smtp_tls_loglevel=1\n", 1)), "tlsmgr unix - - n 1000? 1 tlsmgr")
	s := &site{t, p, sink, p.Port}
	s.swaks(fromAnna, "--to", "tag@example.net")
	s.through("tag@example.net")
	if log, _ := os.ReadFile(p.Dir + "/log/mail.log"); !strings.Contains(string(log), "TLS connection established to 127.0.0.1") {
		t.Error("there was no TLS")
	}
}

// Addresses and headers in UTF-8, all the way.
func TestPostfixUTF8(t *testing.T) {
	front, at := ports(t)
	fromPage(t, 0, by(nil), at)
	sink := postfix.NewSink(t)
	sink.Offers = []string{"8BITMIME", "SMTPUTF8"}
	postfix.Start(t, strings.Replace(mainCF, "relay_domains = ", "relay_domains = 例子.example, ", 1)+fmt.Sprintf("smtputf8_enable = yes\nrelayhost = [127.0.0.1]:%d\n", sink.Port),
		at.Replace(strings.Replace(snippet(t, "master.cf", 0), "  -o smtpd_proxy_options=speed_adjust\n", "", 1))) // in step with its client
	postfix.WaitPort(t, front)
	c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", front))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	d := &dialogue{t, c, newClient(c).r}
	d.want("220")
	d.do("EHLO client.example", "250")
	d.do("MAIL FROM:<jürgen@example.com> SMTPUTF8 BODY=8BITMIME", "250")
	d.do("RCPT TO:<用户@例子.example>", "250")
	d.do("DATA", "354")
	d.write("Subject: Grüße\r\nFrom: jürgen@example.com\r\n\r\nschön\r\n.\r\n")
	d.want("250")
	if got := sink.Wait(t, "用户@例子.example", 1, 20*time.Second)[0]; got.From != "jürgen@example.com" || !strings.Contains(got.Data, "Subject: Grüße\r\n") ||
		!strings.HasSuffix(got.Data, "schön\r\n") {
		t.Errorf("%+v", got)
	}
}

// Postfix, Rempart and Dovecot by LMTP: one mail for three, of whom one is refused it and one does not exist.
func TestDovecotLMTP(t *testing.T) {
	needSwaks(t)
	if _, err := exec.LookPath("dovecot"); err != nil {
		t.Skip("dovecot is not installed")
	}
	if _, err := os.Stat("/usr/lib/dovecot/lmtp"); err != nil {
		t.Skip("dovecot-lmtpd is not installed")
	}
	dir, socket := startDovecot(t)
	_, at := ports(t)
	fromPage(t, 2, by(nil), strings.NewReplacer("127.0.0.1:10024", at.Replace("127.0.0.1:10024"), "/run/dovecot/lmtp", socket))
	sink := postfix.NewSink(t)
	p := postfix.Start(t, strings.Replace(mainCF, "relay_domains = example.net\n", "virtual_mailbox_domains = example.net\n", 1)+
		fmt.Sprintf("relayhost = [127.0.0.1]:%d\n", sink.Port)+at.Replace(snippet(t, "main.cf", 2)),
		"lmtp unix - - n - - lmtp")
	s := &site{t, p, sink, p.Port}
	s.swaks(fromAnna, "--to", "accept1@example.net,tag1@example.net,reject1@example.net,full@example.net")
	bounce := s.through("anna@example.com").Data // tells of those two alone
	for _, want := range []string{"550 5.7.1 no, reject", "full@example.net"} {
		if !strings.Contains(bounce, want) {
			t.Errorf("%q is missing in the bounce\n%s", want, bounce)
		}
	}
	if strings.Contains(bounce, "<accept1@") || strings.Contains(bounce, "<tag1@") {
		t.Errorf("bounced for all\n%s", bounce)
	}
	for user, marked := range map[string]bool{"accept1": false, "tag1": true} {
		files, _ := filepath.Glob(filepath.Join(dir, "mail", user, "new", "*"))
		if len(files) != 1 {
			t.Fatalf("%s has %d mails", user, len(files))
		}
		b, err := os.ReadFile(files[0])
		if err != nil || strings.Contains(string(b), "X-Rempart-Action: tag") != marked || strings.Contains(string(b), "-99") || !strings.Contains(string(b), "..two dots") {
			t.Errorf("%s has\n%s", user, b)
		}
	}
}

// startDovecot starts a Dovecot that knows any user but "full" by LMTP on a socket.
func startDovecot(t *testing.T) (dir, socket string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("Dovecot can only be started by root")
	}
	dir, err := os.MkdirTemp("", "rempart-dovecot-")
	if err != nil {
		t.Fatal(err)
	}
	_ = os.Chmod(dir, 0o755)
	_ = os.MkdirAll(dir+"/mail", 0o777)
	_ = os.Chmod(dir+"/mail", 0o777)
	socket = dir + "/run/lmtp"
	conf := fmt.Sprintf(`base_dir = %[1]s/run
state_dir = %[1]s/state
log_path = %[1]s/log
protocols = lmtp
ssl = no
mail_location = maildir:%[1]s/mail/%%n
first_valid_uid = 1
userdb {
  driver = passwd-file
  args = username_format=%%n %[1]s/users
  override_fields = uid=mail gid=mail home=%[1]s/mail/%%n
}
passdb {
  driver = static
  args = nopassword=y
}
service lmtp {
  unix_listener lmtp {
    mode = 0666
  }
}
service anvil {
  chroot =
}
service stats {
  chroot =
}
`, dir)
	if err := os.WriteFile(dir+"/users", []byte("accept1:::::::\ntag1:::::::\nreject1:::::::\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/dovecot.conf", []byte(conf), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("dovecot", "-F", "-c", dir+"/dovecot.conf")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		if t.Failed() {
			log, _ := os.ReadFile(dir + "/log")
			t.Logf("Dovecot's log:\n%s", log)
		}
		_ = os.RemoveAll(dir)
	})
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("unix", socket); err == nil {
			c.Close()
			return dir, socket
		}
	}
	t.Fatal("Dovecot does not listen")
	return "", ""
}

// Postfix's own load generator and sink, with many connections at once: every mail is answered, and comes through once.
func TestSMTPSource(t *testing.T) {
	for _, tool := range []string{"smtp-source", "smtp-sink"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed", tool)
		}
	}
	const mails = 3000
	dir, err := os.MkdirTemp("", "rempart-sink-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	_ = os.Chmod(dir, 0o777) // the sink is nobody's
	in, out := postfix.FreePort(t), postfix.FreePort(t)
	sink := exec.Command("smtp-sink", "-u", "nobody", "-d", dir+"/%H%M%S.", fmt.Sprintf("127.0.0.1:%d", out), "1000")
	if err := sink.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = sink.Process.Kill()
		_ = sink.Wait()
	})
	postfix.WaitPort(t, out)
	for _, flags := range [][]string{{"-s", "40"}, {"-s", "40", "-d"}, {"-s", "10", "-d", "-l", "300000"}} {
		cfg := Config{MailDoor: gateway.MailDoor{Door: gateway.Door{Name: "relay", Listen: []string{fmt.Sprintf("127.0.0.1:%d", in)}}}, NextHops: []string{fmt.Sprintf("127.0.0.1:%d", out)}}
		t.Run(strings.Join(flags, " "), func(t *testing.T) {
			start(t, cfg, by(nil))
			n := mails
			if len(flags) > 3 {
				n /= 10
			}
			began := time.Now()
			args := append(append([]string{}, flags...), "-m", fmt.Sprint(n), "-f", "a@example.com", "-t", "accept@example.net", fmt.Sprintf("inet:127.0.0.1:%d", in))
			if out, err := postfix.Run("smtp-source", args...); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			t.Logf("%d mails, %.0f a second", n, float64(n)/time.Since(began).Seconds())
			files, _ := filepath.Glob(dir + "/*")
			if len(files) != n {
				t.Errorf("%d of %d mails came through", len(files), n)
			}
			for _, f := range files {
				_ = os.Remove(f)
			}
		})
	}
}
