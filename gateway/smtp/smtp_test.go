package smtp

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rempart/gateway"
	"rempart/message"
	"rempart/message/email"
)

const plain = "Subject: hello\r\nFrom: a@example.com\r\n\r\nHello\r\n"

// By LMTP the last chunk is answered for each recipient that was taken, whatever the answer is (RFC 2033 section 4.2): a reply too few
// would have the next command's taken for it.
func TestLastChunkAfterLoss(t *testing.T) {
	r := newRig(t, by(nil), func(c *Config) { c.Protocol = protocolLMTP })
	d := r.hello()
	d.do("MAIL FROM:<a@example.com>", "250")
	d.do("RCPT TO:<accept1@example.net>", "250")
	d.do("RCPT TO:<accept2@example.net>", "250")
	r.hop.set("RCPT", "421 4.3.2 going down")
	d.do("RCPT TO:<accept3@example.net>", "451")
	d.write("BDAT 3 LAST\r\nx\r\nNOOP\r\n")
	for _, want := range []string{"451", "451", "250"} {
		d.want(want)
	}
}

// What the judge is asked.
func TestMessage(t *testing.T) {
	asked := make(chan *message.Message, 1)
	r := newRig(t, by(asked), func(c *Config) { c.XClientHosts = []string{"127.0.0.1"} })
	d := r.hello()
	d.do("XFORWARD NAME=Spam.Example ADDR=IPV6:2001:db8::7 PROTO=ESMTP", "250")
	d.do("XFORWARD HELO=helo.example IDENT=4F2+2BA SOURCE=REMOTE PORT=[UNAVAILABLE]", "250")
	d.do("MAIL FROM:<@relay.example,@b.example:\"q> \\\"\"@example.com> SIZE=100 BODY=8BITMIME RET=HDRS ENVID=x", "250")
	d.do("RCPT TO: <Accept@Example.NET> NOTIFY=NEVER ORCPT=rfc822;a@example.net", "250")
	d.do("DATA", "354")
	d.write("Received: by x\r\n" + plain + "..\r\n.\r\n")
	d.want("250")
	m := <-asked
	if m.Source.Address.String() != "2001:db8::7" || m.Source.Name != "spam.example" || m.Helo != "helo.example" || m.QueueID != "4F2+A" ||
		m.MailFrom != "\"q> \\\"\"@example.com" || m.Recipients[0] != (message.Recipient{Address: "accept@example.net", Domain: "example.net"}) ||
		!m.OneAnswer || m.Door != "relay" || m.ID == "" || m.Direction != message.In || m.Subject != "hello" ||
		string(m.Raw) != "Received: by x\r\n"+plain+".\r\n" || m.Size != len(m.Raw) {
		t.Errorf("%+v\n%q", m, m.Raw)
	}
	want := []string{"EHLO client.example", "XFORWARD NAME=spam.example ADDR=IPV6:2001:db8::7 HELO=helo.example IDENT=4F2+2BA PROTO=ESMTP SOURCE=REMOTE PORT=[UNAVAILABLE]",
		"MAIL FROM:<@relay.example,@b.example:\"q> \\\"\"@example.com> SIZE=100 BODY=8BITMIME RET=HDRS ENVID=x",
		"RCPT TO:<Accept@Example.NET> NOTIFY=NEVER ORCPT=rfc822;a@example.net", "BDAT 65 LAST"}
	if got := r.hop.commands(); !slices.Equal(got, want) {
		t.Errorf("the next hop was told\n%q, want\n%q", got, want)
	}

	// The next mail of the same connection is the client's own again.
	d.send(plain, "accept")
	if m := <-asked; m.Source.Address.String() != "127.0.0.1" || m.Helo != "client.example" || m.QueueID != "" {
		t.Errorf("%+v", m.Source)
	}
	d.do("XCLIENT ADDR=192.0.2.7 NAME=[UNAVAILABLE] LOGIN=anna HELO=there.example", "220")
	d.do("MAIL FROM:<a@example.com>", "503")
	d.do("EHLO client.example", "250")
	d.send(plain, "accept")
	if m := <-asked; m.Source.Address.String() != "192.0.2.7" || m.Source.Name != "" || m.Account != "anna" || m.Direction != message.Out ||
		!m.Source.Trusted || m.Helo != "there.example" {
		t.Errorf("%+v", m)
	}
}

// Behind a relay the source is read from what the relay wrote, and its headers in our name stay.
func TestRelay(t *testing.T) {
	asked := make(chan *message.Message, 1)
	r := newRig(t, by(asked), func(c *Config) { c.Relays = []string{"127.0.0.0/8"} })
	sent := "Received: from evil.example (evil.example [198.51.100.9])\r\n\tby mx.example.net; Mon, 23 Nov 2026 12:00:00 +0000\r\nX-Rempart-Action: tag\r\n" + plain
	r.hello().send(sent, "accept")
	if m := <-asked; m.Source.Address.String() != "198.51.100.9" || m.Helo != "evil.example" {
		t.Errorf("source %v, helo %q", m.Source, m.Helo)
	}
	if got := r.hop.mails()[0].data; got != sent {
		t.Errorf("%q", got)
	}
}

// XCLIENT and XFORWARD are offered to nobody else, and refused.
func TestStrangersSpeakForNobody(t *testing.T) {
	r := newRig(t, by(nil), func(c *Config) { c.XClientHosts = []string{"192.0.2.0/24"} })
	d := r.dial()
	if got := d.do("EHLO client.example", "250"); strings.Contains(got, "XFORWARD") || strings.Contains(got, "XCLIENT") {
		t.Errorf("offered %q", got)
	}
	d.do("XFORWARD ADDR=192.0.2.7", "550 5.7.0")
	d.do("XCLIENT ADDR=192.0.2.7", "550 5.7.0")
}

// The client is offered what holds all the way.
func TestOffers(t *testing.T) {
	r := newRig(t, by(nil), func(c *Config) { c.MaxSize = 5_000_000; c.XClientHosts = []string{"127.0.0.1"} })
	for _, tt := range []struct {
		lacks []string
		want  string
	}{
		{nil, "[127.0.0.1] PIPELINING SIZE-5000000 CHUNKING 8BITMIME SMTPUTF8 DSN ENHANCEDSTATUSCODES"},
		{[]string{"SMTPUTF8", "PIPELINING", "CHUNKING"}, "[127.0.0.1] PIPELINING SIZE-5000000 CHUNKING 8BITMIME DSN ENHANCEDSTATUSCODES"},
		{[]string{"8BITMIME", "DSN", "SIZE", "ENHANCEDSTATUSCODES", "XFORWARD"}, "[127.0.0.1] PIPELINING SIZE-5000000 CHUNKING"},
	} {
		r.hop.lacks(tt.lacks...)
		d := r.dial()
		got := d.do("EHLO client.example", "250 ")
		want := tt.want + " XFORWARD-" + strings.ReplaceAll(xforwardAttributes, " ", "-") + " XCLIENT-" + strings.ReplaceAll(xclientAttributes, " ", "-")
		if got := strings.ReplaceAll(strings.ReplaceAll(got[4:], " ", "-"), "\n", " "); got != want {
			t.Errorf("without %v: offered %q", tt.lacks, got)
		}
		if slices.Contains(tt.lacks, "SMTPUTF8") {
			d.do("MAIL FROM:<a@example.com> SMTPUTF8", "555 5.5.4")
			d.do("MAIL FROM:<ä@example.com>", "553 5.6.7")
		}
		if slices.Contains(tt.lacks, "SIZE") {
			d.do("MAIL FROM:<a@example.com> BODY=8BITMIME", "555 5.5.4")
			d.do("MAIL FROM:<a@example.com> SIZE=100", "250")
			d.do("RCPT TO:<a@example.com> NOTIFY=NEVER", "555 5.5.4")
			if got := r.hop.commands(); got[len(got)-1] != "MAIL FROM:<a@example.com>" {
				t.Errorf("the next hop was told %q", got)
			}
		}
	}
	// A client of HELO is offered nothing.
	d := r.dial()
	d.do("HELO client.example", "250 [127.0.0.1]")
	d.do("MAIL FROM:<a@example.com> SIZE=100", "555")
}

func TestSMTPUTF8(t *testing.T) {
	r := newRig(t, by(nil), nil)
	d := r.hello()
	d.do("MAIL FROM:<jürgen@münchen.example> SMTPUTF8", "250")
	d.do("RCPT TO:<\xff@example.net>", "501 5.5.2")
	d.do("RCPT TO:<用户@例子.example>", "250")
	d.do("DATA", "354")
	d.write("Subject: Grüße\r\n\r\n\x00\xff\r\n.\r\n")
	d.want("250")
	m := r.hop.mails()[0]
	if m.from != "MAIL FROM:<jürgen@münchen.example> SMTPUTF8" || m.to[0] != "RCPT TO:<用户@例子.example>" || m.data != "Subject: Grüße\r\n\r\n\x00\xff\r\n" {
		t.Errorf("%q", m)
	}
}

// A group of commands gets its answers together, in order; two mails can come in one write.
func TestPipelining(t *testing.T) {
	r := newRig(t, by(nil), nil)
	r.hop.set("RCPT TO:<nobody@example.net>", "550 5.1.1 no such user")
	d := r.hello()
	mail := "MAIL FROM:<a@example.com>\r\nRCPT TO:<accept@example.net>\r\nRCPT TO:<nobody@example.net>\r\nDATA\r\n"
	d.write(mail)
	for _, want := range []string{"250", "250", "550 5.1.1 no such user", "354"} {
		d.want(want)
	}
	d.write(plain + ".\r\n" + mail)
	for _, want := range []string{"250 2.0.0 Ok: queued", "250", "250", "550 5.1.1", "354"} {
		d.want(want)
	}
	d.write(plain + ".\r\nNOOP\r\nRSET\r\nQUIT\r\n")
	for _, want := range []string{"250 2.0.0 Ok: queued", "250", "250", "221"} {
		d.want(want)
	}
	d.ended()
	if got := r.hop.mails(); len(got) != 2 || len(got[1].to) != 1 {
		t.Errorf("%q", got)
	}
}

func TestChunks(t *testing.T) {
	for _, chunking := range []bool{true, false} {
		r := newRig(t, by(nil), nil)
		if !chunking {
			r.hop.lacks("CHUNKING")
		}
		d := r.hello()
		d.begin("accept")
		d.do("BDAT 5\r\n\r\n.", "250 2.0.0 5 bytes taken")
		d.write("BDAT 1\r\n.BDAT 4\r\n.\r\nyBDAT 0\r\n")
		d.want("250")
		d.want("250")
		d.want("250")
		d.do("DATA", "503")
		d.do("RCPT TO:<accept2@example.net>", "503")
		d.write("BDAT 3 LAST\r\nend")
		d.want("250 2.0.0 Ok: queued as 1")
		// A fault is answered after the chunk was read.
		d.write("BDAT 6\r\nQUIT\r\nBDAT x\r\nBDAT 6 FIRST\r\n")
		d.want("503 5.5.1")
		d.want("501")
		d.want("501")
		d.begin("accept")
		d.write("BDAT 4 LAST\r\n\r\nx\r")
		d.want("250")
		got := r.hop.mails()
		if len(got) != 2 || got[0].data != "\r\n.\r\n..\r\nyend\r\n" || got[1].data != "\r\nx \r\n" {
			t.Errorf("%q", got)
		}
	}
}

// Only CR LF . CR LF ends a mail, and no server behind can be made to see two.
func TestSmuggling(t *testing.T) {
	for _, end := range []string{"\n.\n", "\n.\r\n", "\r.\r", "\r\n.\r", "\r\n.\n", "\r.\r\n", "\n\r.\r\n", "\r\r\n.\r\r\n"} {
		inner := end + "MAIL FROM:<b@example.com>" + "\r\nRCPT TO:<accept@example.net>\r\nDATA\r\n"
		for _, policy := range []string{normalize, refuse} {
			for _, chunking := range []bool{true, false} {
				asked := make(chan *message.Message, 1)
				r := newRig(t, by(asked), func(c *Config) { c.BareNewlines = policy })
				if !chunking {
					r.hop.lacks("CHUNKING")
				}
				d := r.hello()
				got := d.send("\r\nbefore"+inner+"after\r\n", "accept")
				mails := r.hop.mails()
				if policy == refuse {
					if !strings.HasPrefix(got, "550 5.6.11") || len(mails) != 0 {
						t.Errorf("%q refused: answered %q, %d mails", end, got, len(mails))
					}
					continue
				}
				if len(mails) != 1 || !strings.HasSuffix(mails[0].data, "after\r\n") || !strings.Contains(mails[0].data, "MAIL FROM:<b@example.com>") {
					t.Fatalf("%q: answered %q, the next hop got %q", end, got, mails)
				}
				if m := <-asked; !m.HasAnomaly(email.MixedLineEnds) {
					t.Errorf("%q: the judge is not told", end)
				}
				if rest := strings.ReplaceAll(mails[0].data, "\r\n", ""); strings.ContainsAny(rest, "\r\n") {
					t.Errorf("%q: a bare CR or LF went on: %q", end, mails[0].data)
				}
			}
		}
	}
}

// A client that leaves before it has an answer gets nothing sent on.
func TestClientLeaves(t *testing.T) {
	judging, release := make(chan struct{}, 1), make(chan struct{})
	r := newRig(t, func(ctx context.Context, m *message.Message) gateway.Answer {
		judging <- struct{}{}
		<-release
		return by(nil)(ctx, m)
	}, nil)
	for _, cut := range []string{plain, plain + ".", plain + ".\r"} { // before the end
		d := r.hello()
		d.begin("accept")
		d.do("DATA", "354")
		d.write(cut)
		d.conn.Close()
	}
	d := r.hello()
	d.begin("accept")
	d.write("BDAT 100 LAST\r\n" + plain)
	d.conn.Close()
	d = r.hello()
	d.begin("accept")
	d.do("DATA", "354")
	d.write(plain + ".\r\n")
	<-judging
	d.conn.Close()
	close(release)
	r.stop()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end) && strings.Count(strings.Join(r.hop.commands(), "\n"), "QUIT") < 5; {
		time.Sleep(10 * time.Millisecond)
	}
	if got := r.hop.mails(); len(got) != 0 {
		t.Errorf("sent on: %q", got)
	}
}

// Told to stop, the front door answers the mail in hand and sends idle clients away.
func TestDrain(t *testing.T) {
	judging, release := make(chan struct{}), make(chan struct{})
	r := newRig(t, func(ctx context.Context, m *message.Message) gateway.Answer {
		close(judging)
		<-release
		return by(nil)(ctx, m)
	}, nil)
	idle := r.hello()
	busy := r.hello()
	busy.begin("accept")
	busy.do("DATA", "354")
	busy.write(plain + ".\r\nMAIL FROM:<a@example.com>\r\n")
	<-judging
	r.stop()
	idle.want("421 4.3.2")
	idle.ended()
	close(release)
	busy.want("250 2.0.0 Ok: queued")
	busy.want("421 4.3.2")
	busy.ended()
}

// A changed configuration holds from the next mail on; a wrong one changes nothing.
func TestReconfigure(t *testing.T) {
	r := newRig(t, by(nil), nil)
	d := r.hello()
	cfg := r.proxy.cfg().Config
	cfg.Mode = message.ModeShadow
	if err := r.proxy.Reconfigure(cfg); err != nil {
		t.Fatal(err)
	}
	cfg.NextHops = nil
	if err := r.proxy.Reconfigure(cfg); err == nil {
		t.Error("no next hop is no error")
	}
	if got := d.send(plain, "reject"); !strings.HasPrefix(got, "250") {
		t.Errorf("in shadow: %q", got)
	}
	other := newNextHop(t)
	cfg.NextHops = []string{other.listener.Addr().String()}
	if err := r.proxy.Reconfigure(cfg); err != nil {
		t.Fatal(err)
	}
	if got := d.send(plain, "accept"); !strings.HasPrefix(got, "250") || len(other.mails()) != 1 || len(r.hop.mails()) != 1 {
		t.Errorf("with another next hop: %q, it got %d mails, the old one %d", got, len(other.mails()), len(r.hop.mails()))
	}
}

func TestCheckNamesTheKey(t *testing.T) {
	err := Config{MailDoor: gateway.MailDoor{Door: gateway.Door{Mode: message.ModeTap}, Relays: []string{"b"}, RewriteSubject: "a\nb"}, MaxSize: 1, Protocol: "uucp", NextHopProtocol: "x", NextHops: []string{"nowhere"}, XClientHosts: []string{"a"},
		BareNewlines: "keep", Certificate: "/nowhere"}.Check("gateway.smtp[0]")
	for _, key := range []string{"name", "mode", "protocol", "next_hop_protocol", "next_hops", "xclient_hosts", "relays", "max_size", "rewrite_subject",
		"bare_newlines", "certificate"} {
		if !strings.Contains(fmt.Sprint(err), "gateway.smtp[0]."+key) {
			t.Errorf("%v does not name %s", err, key)
		}
	}
}
