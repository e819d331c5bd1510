package smtp

import (
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"rempart/message"
)

// The next hop's refusals are the client's, wherever they come.
func TestNextHopRefuses(t *testing.T) {
	for _, tt := range []struct {
		command, reply, at, want string
	}{
		{"MAIL", "550 5.1.8 sender", "MAIL", "550 5.1.8 sender"},
		{"MAIL", "421 4.3.2 going down", "MAIL", "451 4.3.2 going down"},
		{"RCPT", "450-4.2.1 two\n450 4.2.1 lines", "RCPT", "450 4.2.1 two\n4.2.1 lines"},
		{"DATA", "554 5.5.1 no", ".", "554 5.5.1 no"},
		{"DATA", "250 what", ".", "451 4.4.2"},
		{"RCPT", "354 what", "RCPT", "451 4.4.2"},
		{"RCPT", "nonsense", "RCPT", "451 4.4.2"},
		{".", "552 5.3.4 too big", ".", "552 5.3.4 too big"},
		{".", "451 4.3.0 later", ".", "451 4.3.0 later"},
		{".", "354 what", ".", "451 4.4.2"},
	} {
		r := newRig(t, by(nil), nil)
		r.hop.lacks("CHUNKING")
		r.hop.set(tt.command, tt.reply)
		d := r.hello()
		got := map[string]string{}
		for _, step := range []string{"MAIL FROM:<a@example.com>", "RCPT TO:<accept@example.net>", "DATA"} {
			d.write(step + "\r\n")
			got[step[:4]] = d.read()
		}
		if strings.HasPrefix(got["DATA"], "354") {
			d.write(plain + ".\r\n")
			got["."] = d.read()
		}
		if !strings.HasPrefix(got[tt.at], tt.want) {
			t.Errorf("%s is answered %q: the client sees %q", tt.command, tt.reply, got)
		}
		r.hop.set(tt.command, "")
		d.do("RSET", "250")
		if got := d.send(plain, "accept"); got != "250 2.0.0 Ok: queued as 1" { // the connection goes on
			t.Errorf("%s, %s: the next mail is answered %q", tt.command, tt.reply, got)
		}
	}
}

// A next hop that dies before the end of the content has taken nothing; after it nobody knows, and that is counted.
func TestNextHopDies(t *testing.T) {
	for _, tt := range []struct {
		at     string
		answer string
		unsure int
		mails  int
	}{
		{"MAIL", "451 4.4.2 the connection", 0, 0}, {"RCPT", "451 4.4.2 the connection", 0, 0}, {"DATA", "451 4.4.2 the connection", 0, 0},
		{".", "451 4.4.2 the next mail server was lost before it answered", 1, 1},
	} {
		r := newRig(t, by(nil), nil)
		r.hop.lacks("CHUNKING")
		r.hop.diesAt(tt.at, true)
		d := r.hello()
		d.write("MAIL FROM:<a@example.com>\r\nRCPT TO:<accept@example.net>\r\nRCPT TO:<accept2@example.net>\r\n")
		first, second, third := d.read(), d.read(), d.read()
		last := ""
		switch tt.at {
		case "MAIL":
			last = first
		case "RCPT":
			if last = second; third != second { // not a permanent failure
				t.Errorf("the second recipient is answered %q", third)
			}
		default:
			d.do("DATA", "354")
			d.write(plain + ".\r\n")
			last = d.read()
		}
		if !strings.HasPrefix(last, tt.answer) || r.errors("unsure") != tt.unsure || len(r.hop.mails()) != tt.mails {
			t.Errorf("dies at %s: answered %q, unsure %d, %d mails", tt.at, last, r.errors("unsure"), len(r.hop.mails()))
		}
		r.hop.diesAt(tt.at, false)
		d.do("RSET", "250")
		if got := d.send(plain, "accept"); got != "250 2.0.0 Ok: queued as 1" {
			t.Errorf("dies at %s: sent again, answered %q", tt.at, got)
		}
	}
	// Before the content it can be asked anew, and the client does not notice.
	r := newRig(t, by(nil), nil)
	d := r.hello()
	d.begin("accept1", "accept2")
	d.do("DATA", "354")
	r.hop.drop()
	d.write(plain + ".\r\n")
	d.want("250 2.0.0 Ok: queued as 1")
	if got := r.hop.mails(); len(got) != 1 || len(got[0].to) != 2 {
		t.Errorf("%q", got)
	}
}

// A next hop that gave us up between two mails, or while a client was slow, is connected to again.
func TestNextHopTimesOut(t *testing.T) {
	r := newRig(t, by(nil), nil)
	d := r.hello()
	giveUp := func() {
		r.hop.mu.Lock()
		_, _ = io.WriteString(r.hop.conns[len(r.hop.conns)-1], "421 4.4.2 timeout exceeded\r\n")
		r.hop.mu.Unlock()
		r.hop.drop()
	}
	giveUp()
	d.begin("accept")
	d.do("DATA", "354")
	giveUp()
	d.write(plain + ".\r\n")
	d.want("250 2.0.0 Ok: queued as 1")
	if n := len(r.hop.mails()); n != 1 {
		t.Errorf("%d mails", n)
	}
}

func TestNextHopUnreachable(t *testing.T) {
	r := newRig(t, by(nil), nil)
	d := r.hello()
	r.hop.stop()
	d.do("MAIL FROM:<a@example.com>", "451 4.4")
	d.do("MAIL FROM:<a@example.com>", "451 4.4.1")
	d = r.dial()
	d.do("EHLO client.example", "451 4.4.1")
	d.do("MAIL FROM:<a@example.com>", "503")
	if r.errors("next_hop") == 0 {
		t.Error("not counted")
	}
}

// The second next hop is asked where the first does not answer, or does not want to.
func TestNextHopsInOrder(t *testing.T) {
	first := newNextHop(t)
	first.set("EHLO", "554 5.3.2 no")
	first.set("HELO", "554 5.3.2 no")
	r := newRig(t, by(nil), func(c *Config) {
		c.NextHops = append([]string{"unix:" + filepath.Join(t.TempDir(), "nobody"), first.listener.Addr().String()}, c.NextHops...)
	})
	r.hello().send(plain, "accept")
	if len(r.hop.mails()) != 1 || r.errors("next_hop") != 2 {
		t.Errorf("%d mails, %d errors", len(r.hop.mails()), r.errors("next_hop"))
	}
}

// A next hop without EHLO is asked by HELO; one over a UNIX socket as over TCP, on either side.
func TestOldHopAndUnixSockets(t *testing.T) {
	dir := t.TempDir()
	asked := make(chan *message.Message, 1)
	r := newRig(t, by(asked), func(c *Config) {
		c.Listen = []string{"unix:" + filepath.Join(dir, "in")}
		c.XClientHosts = []string{"127.0.0.1"}
		l, err := net.Listen("unix", filepath.Join(dir, "out"))
		if err != nil {
			t.Fatal(err)
		}
		back := c.NextHops[0]
		done := make(chan struct{})
		t.Cleanup(func() { l.Close(); <-done })
		go func() {
			defer close(done)
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", back)
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(out, in); out.Close() }()
			_, _ = io.Copy(in, out)
			in.Close()
		}()
		c.NextHops = []string{"unix:" + filepath.Join(dir, "out")}
	})
	r.hop.set("EHLO", "500 5.5.1 what")
	c, err := net.Dial("unix", filepath.Join(dir, "in"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	d := &dialogue{t, c, newClient(c).r}
	d.want("220 localhost ESMTP")
	if got := d.do("EHLO client.example", "250"); strings.Contains(got, "8BITMIME") || !strings.Contains(got, "XFORWARD") {
		t.Errorf("offered %q", got)
	}
	d.do("XFORWARD ADDR=192.0.2.7", "250")
	d.send(plain, "accept")
	if m := <-asked; m.Source.Address.String() != "192.0.2.7" || len(r.hop.mails()) != 1 {
		t.Errorf("%+v", m.Source)
	}
	d.do("QUIT", "221")
}
