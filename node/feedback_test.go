package node

import (
	"net"
	"net/netip"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rempart/abuse"
	"rempart/account"
	"rempart/message"
	"rempart/message/email"
)

const feedbackConfig = `
[feedback]
addresses = ["abuse@shop.example", "dmarc@shop.example"]
`

// reportIn judges a mail of the samples, as a front door would.
func reportIn(t *testing.T, n *Node, sample, to string) *message.Message {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "message", "feedback", "testdata", sample))
	if err != nil {
		t.Fatal(err)
	}
	m := email.ParseBytes(raw)
	m.Recipients = []message.Recipient{{Address: to}}
	m.Facts.Auth.DMARC = "pass" // DNS is off here, and nobody else tells
	if answer := n.Judge(t.Context(), m); len(answer.Decisions) != 1 {
		t.Fatalf("%s: %+v", sample, answer)
	}
	return m
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never: " + what)
		}
	}
}

// A complaint about a mail that went out finds the account that sent it; one about nothing we know of opens a case about its source;
// DMARC and TLS reports give figures. All of it is there after a restart. Mail to others is not read.
func TestReportsThatComeIn(t *testing.T) {
	path, _ := configuration(t, feedbackConfig)
	n, stop := serve(t, path)
	sent := &message.Message{Channel: message.Email, Direction: message.Out, Tenant: "shop", Account: "news@shop.example", MessageID: "20260302.17@shop.example",
		Recipients: []message.Recipient{{Address: "someone@yahoo.example"}}, Text: "Buy."}
	n.Judge(t.Context(), sent)
	eventually(t, "the mail is on record", func() bool { _, err := n.index.Get(t.Context(), sent.ID); return err == nil })

	reportIn(t, n, "yahoo.eml", "Abuse@shop.example")
	reportIn(t, n, "failure.eml", "dmarc@shop.example")
	reportIn(t, n, "microsoft.eml", "ben@shop.example") // his letter
	reportIn(t, n, "dmarc.eml", "dmarc@shop.example")
	reportIn(t, n, "dmarc.eml", "dmarc@shop.example") // sent again
	reportIn(t, n, "tls.eml", "dmarc@shop.example")
	eventually(t, "the last report is read", func() bool {
		d := n.abuse.Domains(time.Time{})
		return len(d) == 1 && d[0].Reports == 2
	})
	again := *sent
	again.ID, again.MessageID = "", "20260302.19@shop.example"
	if n.Judge(t.Context(), &again); again.Facts.Sending.Complained != 1 {
		t.Errorf("the account: %+v", again.Facts.Sending)
	}
	stop()

	n, _ = serve(t, path)
	cases, _ := n.abuse.Cases(abuse.Query{Limit: 10})
	if len(cases) != 2 {
		t.Fatalf("%+v", cases)
	}
	for _, c := range cases {
		k := c.Complaints[0]
		switch c.About() {
		case "news@shop.example":
			if c.Tenant != "shop" || k.EventID != sent.ID || k.Type != "abuse" || k.Recipient != "someone@yahoo.example" {
				t.Errorf("%+v", c)
			}
		case "203.0.113.0/24":
			if c.Count != 12 || k.Type != "auth-failure" || k.EventID != "" {
				t.Errorf("%+v", c)
			}
		default:
			t.Errorf("a case about %q", c.About())
		}
	}
	d := n.abuse.Domains(time.Time{})[0]
	if d.Name != "shop.example" || d.Mails != 123 || d.Passed != 120 || d.Sources[0].Address != netip.MustParseAddr("192.0.2.10") || len(d.TLS) != 3 {
		t.Errorf("%+v", d)
	}
}

// An answer goes out by the next hop before the case is answered; what it does not take leaves the case open. The trail has each.
func TestAnswerCase(t *testing.T) {
	path, _ := configuration(t, feedbackConfig+`next_hop = "127.0.0.1:1"
from = "Abuse desk <abuse@shop.example>"
`)
	n, _ := serve(t, path)
	reportIn(t, n, "microsoft.eml", "abuse@shop.example")
	eventually(t, "a case", func() bool { c, _ := n.abuse.Cases(abuse.Query{Limit: 10}); return len(c) == 1 })
	cases, _ := n.abuse.Cases(abuse.Query{Limit: 10})
	id, by := cases[0].ID, account.Actor{Name: "admin"}
	if err := n.AnswerCase(t.Context(), id, "We locked it.", by); err == nil || !strings.Contains(err.Error(), abuse.ErrNotSent.Error()) {
		t.Errorf("nobody listens: %v", err)
	}
	if c, _ := n.abuse.Case(id); c.State != abuse.StateOpen {
		t.Errorf("%s", c.State)
	}

	hop, took := nextHop(t)
	c := n.live.Load().config
	c.Feedback.NextHop = hop
	if err := n.Reload(c); err != nil {
		t.Fatal(err)
	}
	if err := n.AnswerCase(t.Context(), id, "We locked it – today.", by); err != nil {
		t.Fatal(err)
	}
	mail := <-took
	m := email.ParseBytes([]byte(mail))
	if m.From.String() != "abuse@shop.example" || m.To[0].String() != "staff@hotmail.example" || m.Subject != "Your complaint" ||
		strings.TrimSpace(m.Text) != "We locked it – today." {
		t.Errorf("%s", mail)
	}
	if err := n.NoteCase(t.Context(), id, abuse.Closed, "The account was locked.", by); err != nil {
		t.Fatal(err)
	}
	if c, _ := n.abuse.Case(id); c.State != abuse.StateClosed || len(c.Notes) != 2 {
		t.Errorf("%+v", c)
	}
	var trail []string
	for _, e := range n.accounts.Latest(0, 10) {
		trail = append(trail, e.What+" "+e.Object+" "+e.Before)
	}
	if got := strings.Join(trail, "\n"); got != "case.closed "+id+" answered\ncase.answered "+id+" open\ncase.answered "+id+" open" {
		t.Errorf("trail:\n%s", got)
	}
}

// nextHop is a mail server that takes one mail.
func nextHop(t *testing.T) (addr string, took chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	took = make(chan string, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		text := textproto.NewConn(conn)
		_ = text.PrintfLine("220 hop ESMTP")
		for {
			line, err := text.ReadLine()
			switch verb, _, _ := strings.Cut(line, " "); {
			case err != nil:
				return
			case verb == "DATA":
				_ = text.PrintfLine("354 go on")
				b, _ := text.ReadDotBytes()
				took <- string(b)
				fallthrough
			default:
				_ = text.PrintfLine("250 ok")
			}
		}
	}()
	return l.Addr().String(), took
}
