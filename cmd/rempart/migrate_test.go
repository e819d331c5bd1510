//go:build integration

package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rempart/gateway/milter/postfix"
	"rempart/message"
	"rempart/node"
)

// site is a mail site on which a page is walked: a Postfix that asks a filter, the filter, mailboxes behind, and the page's own commands,
// run by a shell with paths and ports of the test. Mail keeps coming in all the while.
type site struct {
	t       *testing.T
	dir     string
	mx      *postfix.Server
	inbox   *postfix.Sink
	page    map[string][]string // blocks by language, in their order
	env     []string
	said    int // shell blocks that were run
	walked  int // mails of the walk, without those that keep coming in
	rempart int // port of the front door
}

// newSite reads a page and starts what is there before Rempart; places says where of the page's paths and addresses things are here.
func newSite(t *testing.T, page string, filterPort string, places ...string) *site {
	t.Helper()
	dir, err := os.MkdirTemp("", "rempart-site-") // short, for the names of sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o755))
	s := &site{t: t, dir: dir, inbox: postfix.NewSink(t), rempart: postfix.FreePort(t), page: map[string][]string{}}
	for _, sub := range []string{"bin", "rempart", "vmail/ben/Maildir/cur", "vmail/ben/Maildir/new", "vmail/ben/Maildir/tmp", "vmail/ben/Maildir/.Junk/cur"} {
		must(t, os.MkdirAll(filepath.Join(dir, sub), 0o755))
	}
	s.mx = postfix.Start(t, fmt.Sprintf("myhostname = mx1.mx.example\nrelay_domains = mx.example\nrelayhost = [127.0.0.1]:%d\n"+
		"smtpd_authorized_xclient_hosts = 127.0.0.1\nsmtpd_milters = %s\nmilter_default_action = tempfail\n", s.inbox.Port, filterPort))
	places = append(places, "/etc/rempart", dir+"/rempart", "/var/lib/rempart", dir+"/rempart/data", "/var/vmail", dir+"/vmail", "/etc/rspamd", dir+"/rspamd", "/etc/spamassassin", dir+"/spamassassin",
		"127.0.0.1:8891", fmt.Sprintf("127.0.0.1:%d", s.rempart))
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", page))
	must(t, err)
	for _, m := range regexp.MustCompile("(?ms)^```([\\w.-]+)\n(.*?)^```").FindAllStringSubmatch(string(text), -1) {
		block := m[2]
		if m[1] != "text" {
			block = strings.NewReplacer(places...).Replace(block)
		}
		s.page[m[1]] = append(s.page[m[1]], block)
	}
	binary := buildRempart(t, dir+"/bin", "rempart")
	s.write("bin/systemctl", "#!/bin/sh\nexec "+dir+"/bin/$1-$2\n", 0o755)
	s.write("bin/start-rempart", fmt.Sprintf("#!/bin/sh\n%s serve --config %s/rempart/rempart.toml >>%s/rempart.log 2>&1 &\necho $! >%s/rempart.pid\n"+
		"for i in $(seq 200); do grep -q 'msg=serving' %s/rempart.log && exit 0; sleep 0.1; done\nexit 1\n", binary, dir, dir, dir, dir), 0o755)
	s.write("bin/restart-rempart", fmt.Sprintf("#!/bin/sh\np=$(cat %s/rempart.pid); kill $p; while kill -0 $p 2>/dev/null; do sleep 0.05; done; : >%s/rempart.log\n"+
		"exec %s/bin/start-rempart\n", dir, dir, dir), 0o755)
	t.Cleanup(func() {
		_, _ = postfix.Run("sh", "-c", "kill $(cat "+dir+"/rempart.pid)")
		if t.Failed() {
			log, _ := os.ReadFile(dir + "/rempart.log")
			t.Logf("Rempart's log:\n%s", log[max(0, len(log)-20_000):])
		}
	})
	s.env = append(os.Environ(), "PATH="+dir+"/bin:"+os.Getenv("PATH"), "MAIL_CONFIG="+s.mx.Dir+"/etc")
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (s *site) write(name, text string, mode os.FileMode) {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	must(s.t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(s.t, os.WriteFile(path, []byte(text), mode))
}

func (s *site) read(name string) string {
	s.t.Helper()
	b, err := os.ReadFile(filepath.Join(s.dir, name))
	must(s.t, err)
	return string(b)
}

// inShadow is what the site's configuration has in shadow beside the front door, and stays in shadow.
const inShadow = `
[[gateway.milter]]
name = "submission"
mode = "shadow"
listen = ["127.0.0.1:0"]

[[policy.rule]]
name = "trial"
when = "message.size > 100000"
action = "hold"
mode = "shadow"

[[policy.scope]]
domain = "trial.example"
mode = "shadow"
`

// configured writes the configuration: the page's, and behind it what the page knows nothing of.
func (s *site) configured(page string) {
	s.t.Helper()
	s.write("rempart/rempart.toml", page+inShadow+"[console]\nlisten = []\n[dns]\noff = true\n", 0o644)
}

// wantInShadow holds that the page's commands left alone what they are not about.
func (s *site) wantInShadow() {
	s.t.Helper()
	if file := s.read("rempart/rempart.toml"); !strings.Contains(file, inShadow) || strings.Count(file, "shadow") != strings.Count(inShadow, "shadow") {
		s.t.Errorf("a command changed what it is not about, or not the door:\n%s", file)
	}
}

// next runs the page's next shell block and returns what it printed.
func (s *site) next() string {
	s.t.Helper()
	if s.said == len(s.page["sh"]) {
		s.t.Fatal("the page has no further commands")
	}
	block := s.page["sh"][s.said]
	s.said++
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, "sh", "-euc", block)
	c.Env, c.Dir = s.env, s.dir
	c.WaitDelay = time.Second
	out, err := c.CombinedOutput()
	if err != nil {
		s.t.Fatalf("%v\n%s\n%s", err, block, out)
	}
	return string(out)
}

// ended holds that all commands of the page were run.
func (s *site) ended() {
	s.t.Helper()
	if s.said != len(s.page["sh"]) {
		s.t.Errorf("%d of the page's %d shell blocks were run", s.said, len(s.page["sh"]))
	}
}

// send hands the site a mail, again if it is put off, and returns what was said at last. A client of the world does the same.
func (s *site) send(from, to, mail string) (reply string, err error) {
	for range 300 {
		if reply, err = s.attempt(from, to, mail); err == nil && !strings.HasPrefix(reply, "4") {
			return reply, nil
		}
		time.Sleep(200 * time.Millisecond)
	}
	return reply, err
}

func (s *site) attempt(from, to, mail string) (string, error) {
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", s.mx.Port))
	if err != nil {
		return "", err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	r := textproto.NewReader(bufio.NewReader(conn))
	line := ""
	for _, command := range []string{"", "EHLO x", "XCLIENT ADDR=203.0.113.9 NAME=mail.else.example", "EHLO mail.else.example", "MAIL FROM:<" + from + ">",
		"RCPT TO:<" + to + ">", "DATA", mail + "\r\n.", "QUIT"} {
		if command != "" {
			if _, err := fmt.Fprintf(conn, "%s\r\n", command); err != nil {
				return "", err
			}
		}
		code, text, err := r.ReadResponse(0)
		if command == "QUIT" {
			return line, nil // what it says now changes nothing
		}
		if err != nil && code == 0 {
			return "", err
		}
		if line = fmt.Sprint(code, " ", text); code >= 400 {
			return line, nil
		}
	}
	return line, nil
}

// deliver sends a mail that must be taken and returns it as it came to its mailbox. Its recipient is its own.
func (s *site) deliver(name, from, mail string) string {
	s.t.Helper()
	to := name + "@mx.example"
	if reply, err := s.send(from, to, filled(mail, name)); err != nil || !strings.HasPrefix(reply, "250") {
		s.t.Fatalf("%s: %s %v", name, reply, err)
	}
	s.walked++
	return s.inbox.Wait(s.t, to, 1, 30*time.Second)[0].Data
}

// until sends honest mails until three in a row came through as they should: a process of Postfix may take one more mail by the old
// settings after a reload, and the node takes a changed file over within two seconds.
func (s *site) until(name string, came func(mail string) bool) {
	s.t.Helper()
	for i, row := 0, 0; row < 3; i++ {
		if i == 100 {
			s.t.Fatalf("mail never came through as it should: %s", name)
		}
		if came(s.deliver(fmt.Sprint(name, i), "ann@else.example", honestMail)) {
			row++
		} else {
			row = 0
		}
	}
}

// judged is the log line of the node about a mail that was delivered; empty if the node was not asked.
func (s *site) judged(mail string) string {
	s.t.Helper()
	log, err := os.ReadFile(s.dir + "/rempart.log")
	must(s.t, err)
	return regexp.MustCompile(`.*message_id=` + regexp.QuoteMeta(regexp.MustCompile(`(?m)^Message-ID: <(.*)>`).FindStringSubmatch(mail)[1]) + ` .*`).FindString(string(log))
}

// recorded waits until the node's index has a mail: it is written some tenths of a second after its verdict.
func (s *site) recorded(messageID string) {
	s.t.Helper()
	client, err := node.Dial(s.dir + "/rempart/data")
	must(s.t, err)
	defer client.Close()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		page, err := client.Events(s.t.Context(), node.EventsRequest{})
		must(s.t, err)
		for _, record := range page.Records {
			var e message.Event
			must(s.t, e.UnmarshalBinary(record))
			if e.MessageID == messageID {
				return
			}
		}
	}
	s.t.Fatalf("%s is not in the index", messageID)
}

// trickle keeps mail coming in until stop is called, which returns how many Postfix took; each is delivered once.
func (s *site) trickle() (stop func()) {
	ctx, cancel := context.WithCancel(s.t.Context())
	var taken []string
	var group sync.WaitGroup
	group.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			to := fmt.Sprintf("steady%d@mx.example", i)
			reply, err := s.send("ann@else.example", to, filled(honestMail, fmt.Sprint("steady", i)))
			if err != nil || !strings.HasPrefix(reply, "250") {
				s.t.Errorf("%s: %s %v", to, reply, err)
			}
			taken = append(taken, to)
			time.Sleep(50 * time.Millisecond)
		}
	})
	return func() {
		s.t.Helper()
		cancel()
		group.Wait()
		for _, to := range taken {
			if got := s.inbox.Wait(s.t, to, 1, 30*time.Second); len(got) != 1 {
				s.t.Errorf("%s was delivered %d times", to, len(got))
			}
		}
		s.t.Logf("%d mails came in while the page was walked", len(taken)+s.walked)
		if n := s.inbox.Count(); n != len(taken)+s.walked {
			s.t.Errorf("%d mails were delivered of %d", n, len(taken)+s.walked)
		}
		if len(taken) < 20 {
			s.t.Error("too few to tell")
		}
	}
}

// Mails of the walk. Rempart takes the second kind for spam before it was taught anything; the filter before has bulk.example on a list.
const (
	honestMail = "From: Ann <ann@else.example>\r\nTo: NAME@mx.example\r\nSubject: lunch\r\nMessage-ID: <NAME@else.example>\r\n" +
		"Date: DATE\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nShall we meet at ten, as every week?\r\n\r\nAnn"
	bulkMail = "From: Ann <ann@bulk.example>\r\nTo: NAME@mx.example\r\nSubject: minutes\r\nMessage-ID: <NAME@bulk.example>\r\n" +
		"Date: DATE\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nThe minutes of our meeting are with Ben. See you on Monday.\r\n\r\nAnn"
	phishing = "From: PayPal <service@DOMAIN>\r\nTo: NAME@mx.example\r\nSubject: Your account was limited\r\nMessage-ID: <NAME@DOMAIN>\r\n" +
		"Date: DATE\r\nMIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Dear customer, we noticed an unusual login. Confirm your password " +
		"within 24 hours: <a href=\"http://192.0.2.1/paypal/login\">https://www.paypal.com/login</a></p>"
)

func filled(mail, name string) string {
	return strings.NewReplacer("NAME", name, "DATE", time.Now().Format(time.RFC1123Z)).Replace(mail)
}

// four sends one mail of each agreement, and returns them as they were delivered: to neither spam, to the filter before, to us, to both.
func (s *site) four(name string) [4]string {
	s.t.Helper()
	return [4]string{
		s.deliver(name+"-honest", "ann@else.example", honestMail),
		s.deliver(name+"-bulk", "ann@bulk.example", bulkMail),
		s.deliver(name+"-phish", "service@fraud.example", strings.ReplaceAll(phishing, "DOMAIN", "fraud.example")),
		s.deliver(name+"-both", "service@bulk.example", strings.ReplaceAll(phishing, "DOMAIN", "bulk.example")),
	}
}

// marked are the places of the mails that have a field that begins so.
func marked(mails [4]string, field string) (at []int) {
	for i, m := range mails {
		head, _, _ := strings.Cut(m, "\r\n\r\n")
		if strings.Contains("\r\n"+head, "\r\n"+field) {
			at = append(at, i)
		}
	}
	return at
}

func (s *site) wantMarked(mails [4]string, field string, want ...int) {
	s.t.Helper()
	if got := marked(mails, field); !slices.Equal(got, want) {
		s.t.Errorf("%q stands in the mails %v, want %v:\n%s", field, got, want, strings.Join(mails[:], "\n----\n"))
	}
}

// sorted puts mails into ben's mail store, as he sorted them.
func (s *site) sorted() {
	for i := range 5 {
		name := fmt.Sprint("old", i)
		s.write(fmt.Sprintf("vmail/ben/Maildir/cur/%d.x:2,RS", i), filled(honestMail, name), 0o644)
		s.write(fmt.Sprintf("vmail/ben/Maildir/.Junk/cur/%d.x:2,S", i), filled(strings.ReplaceAll(phishing, "DOMAIN", "old.example"), name), 0o644)
	}
}
