//go:build integration

package node

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"rempart/gateway/milter/postfix"
	"rempart/world"
)

// relay is real software that hands mails on.
type relay struct {
	port   int    // where it takes them, SMTP
	to     string // the address that it hands on to the recipient
	finish func() // what is left to do when all were sent; may be nil
}

// mailingList is mlmmj behind a Postfix, with one subscriber. It adds header fields, and a footer.
func mailingList(t *testing.T, mx int, subscriber, from string) relay {
	need(t, "mlmmj-make-ml")
	dir := newDir(t)
	make := exec.Command("/usr/bin/mlmmj-make-ml", "-s", dir, "-L", "talk")
	make.Stdin = strings.NewReader("lists.example\nowner@lists.example\nen\n")
	if out, err := make.CombinedOutput(); err != nil {
		t.Fatalf("make a list: %v\n%s", err, out)
	}
	headers := from + "List-Id: Friends of the Valley <talk.lists.example>\nList-Post: <mailto:talk@lists.example>\n" +
		"List-Unsubscribe: <mailto:talk+unsubscribe@lists.example>\nPrecedence: list\nReply-To: talk@lists.example\n"
	dropped := "Reply-To:\nList-Id:\nList-Unsubscribe:\nList-Unsubscribe-Post:\n"
	if from != "" {
		dropped += "From:\nDKIM-Signature:\n"
	}
	for name, text := range map[string]string{
		"control/customheaders": headers, "control/delheaders": dropped, "control/smtpport": strconv.Itoa(from203(t, listHost, "lists.example", mx)),
		"control/footer": "_______________________________________________\nFriends of the Valley, talk@lists.example\n", "control/prefix": "[talk]",
		"control/noarchive": "", "subscribers.d/" + subscriber[:1]: subscriber + "\n",
	} {
		write(t, filepath.Join(dir, "talk"), name, text)
	}
	if out, err := postfix.Run("chown", "-R", "nobody", dir); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s := postfix.Start(t, "myhostname = lists.example\nrelay_domains = lists.example\nrelay_transport = mlmmj\n"+
		"mlmmj_destination_recipient_limit = 1\nrecipient_delimiter = +\n"+xclient,
		"mlmmj unix - n n - 4 pipe flags=ORhu user=nobody argv=/usr/bin/mlmmj-receive -F -L "+dir+"/${user}")
	return relay{port: s.Port, to: "talk@lists.example"}
}

// forward is a user's .forward file, as Postfix's local(8) reads it; with SRS, postsrsd rewrites the envelope's sender first.
func forward(t *testing.T, mx int, to string, srs bool) relay {
	const account = "games" // a user of every Debian, with a mailbox that nobody has
	dir := newDir(t)
	owner, err := user.Lookup(account)
	if err != nil {
		t.Skip(err)
	}
	uid, _ := strconv.Atoi(owner.Uid)
	if err := os.Chown(write(t, dir, ".forward", to+"\n"), uid, -1); err != nil {
		t.Fatal(err)
	}
	main := fmt.Sprintf("myhostname = forward.example\nmydestination = forward.example\nforward_path = %s/.forward\nalias_maps =\n"+
		"relayhost = [127.0.0.1]:%d\n%s", dir, from203(t, forwarder, "forward.example", mx), xclient)
	if srs {
		main += fmt.Sprintf("sender_canonical_maps = tcp:127.0.0.1:%d\nsender_canonical_classes = envelope_sender\n", rewriter(t, dir))
	}
	return relay{port: postfix.Start(t, main).Port, to: account + "@forward.example"}
}

// rewriter is postsrsd; the port is where Postfix asks it.
func rewriter(t *testing.T, dir string) int {
	need(t, "postsrsd")
	port, back := postfix.FreePort(t), postfix.FreePort(t)
	start(t, exec.Command("postsrsd", "-4", "-s", write(t, dir, "secret", "a secret of this test\n"), "-d", "forward.example",
		"-f", strconv.Itoa(port), "-r", strconv.Itoa(back)))
	postfix.WaitPort(t, port)
	return port
}

// backupServer is a second server of the operator, which takes mail when the first does not answer.
func backupServer(t *testing.T, mx int, to string) relay {
	s := postfix.Start(t, fmt.Sprintf("myhostname = mx2.mx.example\nrelay_domains = mx.example\nrelayhost = [127.0.0.1]:%d\n%s",
		from203(t, backupHost, "mx2.mx.example", mx), xclient))
	return relay{port: s.Port, to: to}
}

// fetched is a mailbox elsewhere that fetchmail empties over POP3 and hands to the operator's server, on the same machine.
func fetched(t *testing.T, mx int, to string) relay {
	need(t, "fetchmail")
	box := postfix.NewSink(t)
	const address = "ben@provider.example"
	s := postfix.Start(t, fmt.Sprintf("myhostname = provider.example\nrelay_domains = provider.example\nrelayhost = [127.0.0.1]:%d\n%s",
		box.Port, xclient))
	return relay{port: s.Port, to: address, finish: func() {
		port := pop3(t, box.Wait(t, address, forwardedMails, time.Minute))
		dir := newDir(t)
		rc := write(t, dir, "fetchmailrc", fmt.Sprintf("set no bouncemail\npoll 127.0.0.1 protocol pop3 port %d auth password user ben password secret\n"+
			"smtphost 127.0.0.1/%d smtpname %s fetchall nokeep sslproto \"\"\n", port, mx, to))
		if out, err := postfix.Run("fetchmail", "-f", rc, "--nosyslog", "--pidfile", dir+"/pid", "--idfile", dir+"/ids"); err != nil {
			t.Fatalf("fetchmail: %v\n%.2000s", err, out)
		}
	}}
}

// pop3 serves one mailbox once (RFC 1939).
func pop3(t *testing.T, mails []postfix.Mail) (port int) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var g sync.WaitGroup
	t.Cleanup(func() { l.Close(); g.Wait() })
	g.Go(func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		p := textproto.NewConn(c)
		_ = p.PrintfLine("+OK")
		for {
			line, err := p.ReadLine()
			if err != nil {
				return
			}
			pop3Answer(p, strings.Fields(line+" x"), mails)
		}
	})
	return l.Addr().(*net.TCPAddr).Port
}

func pop3Answer(p *textproto.Conn, words []string, mails []postfix.Mail) {
	n, _ := strconv.Atoi(words[1])
	switch verb := strings.ToUpper(words[0]); {
	case verb == "STAT":
		_ = p.PrintfLine("+OK %d 1000", len(mails))
	case verb == "LIST" && n == 0 || verb == "CAPA":
		_ = p.PrintfLine("+OK")
		w := p.DotWriter()
		for i := range mails {
			if verb == "LIST" {
				fmt.Fprintf(w, "%d %d\r\n", i+1, len(mails[i].Data))
			}
		}
		_ = w.Close()
	case (verb == "RETR" || verb == "TOP") && n > 0 && n <= len(mails):
		_ = p.PrintfLine("+OK")
		w := p.DotWriter()
		fmt.Fprintf(w, "Return-Path: <%s>\r\nDelivered-To: %s\r\n%s", mails[n-1].From, mails[n-1].To[0], mails[n-1].Data)
		_ = w.Close()
	case verb == "LIST" && n <= len(mails):
		_ = p.PrintfLine("+OK %d %d", n, len(mails[n-1].Data))
	default:
		_ = p.PrintfLine("+OK")
	}
}

// handOver hands one mail to a Postfix as from its own server (XCLIENT).
func handOver(port int, m *world.Mail, to string, raw []byte) error {
	c, err := dialAs(port, m.Client.String(), m.Name)
	if err != nil {
		return err
	}
	defer c.Close()
	for _, step := range []struct {
		want int
		line string
	}{{250, "EHLO " + m.Helo}, {250, "MAIL FROM:<" + m.From + ">"}, {250, "RCPT TO:<" + to + ">"}, {354, "DATA"}} {
		if err := c.PrintfLine("%s", step.line); err != nil {
			return err
		}
		if _, _, err := c.ReadResponse(step.want); err != nil {
			return fmt.Errorf("%s: %w", step.line, err)
		}
	}
	w := c.DotWriter()
	_, err = w.Write(raw)
	if err := errors.Join(err, w.Close()); err != nil {
		return err
	}
	_, _, err = c.ReadResponse(250)
	return errors.Join(err, c.PrintfLine("QUIT"))
}

// dialAs opens a session that Postfix takes for one from an address; its greeting is read.
func dialAs(port int, address, name string) (*textproto.Conn, error) {
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return nil, err
	}
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	c := textproto.NewConn(conn)
	_, _, err = c.ReadResponse(220)
	for _, step := range []struct {
		want int
		line string
	}{{250, "EHLO test.example"}, {220, fmt.Sprintf("XCLIENT ADDR=%s NAME=%s", address, name)}} {
		if err == nil {
			err = c.PrintfLine("%s", step.line)
		}
		if err == nil {
			_, _, err = c.ReadResponse(step.want)
		}
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// from203 is a port that leads to the Postfix at to, which takes who comes by it for a host of the documentation network
// (RFC 5737): all programs here run on loopback, but SPF, reverse names and trust go by address.
func from203(t *testing.T, address, name string, to int) (port int) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var g sync.WaitGroup
	t.Cleanup(func() { l.Close(); g.Wait() })
	g.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			g.Go(func() { splice(c, to, address, name) })
		}
	})
	return l.Addr().(*net.TCPAddr).Port
}

func splice(c net.Conn, to int, address, name string) {
	defer c.Close()
	server, err := dialAs(to, address, name)
	if err != nil {
		return // the client sees the connection end, and tries again
	}
	fmt.Fprint(c, "220 mx1.mx.example ESMTP\r\n")
	var g sync.WaitGroup
	g.Go(func() {
		_, _ = io.Copy(c, server.R)
		c.Close()
	})
	buf := make([]byte, 1<<15)
	for {
		n, err := c.Read(buf)
		if err != nil {
			break
		}
		if _, err := server.W.Write(buf[:n]); err != nil || server.W.Flush() != nil {
			break
		}
	}
	server.Close()
	g.Wait()
}

// need skips the test without a program; where all are installed, a skip is a failure (.ci/run).
func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("%s is not installed", program)
	}
}

// start runs a program until the test ends.
func start(t *testing.T, c *exec.Cmd) {
	t.Helper()
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
}
