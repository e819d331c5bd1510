//go:build integration

package node

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"rempart/abuse"
	"rempart/account"
	"rempart/gateway/milter/postfix"
	"rempart/message/email"
)

// A complaint that comes in through a Postfix is delivered as all other mail and opens a case; the answer goes out through a port of it
// that does not ask the node.
func TestPostfixBringsComplaints(t *testing.T) {
	port := postfix.FreePort(t)
	inbox := postfix.NewSink(t)
	mx := postfix.Start(t, fmt.Sprintf("myhostname = mx1.mx.example\nrelay_domains = mx.example, arf.mail.yahoo.example\nrelayhost = [127.0.0.1]:%d\n"+
		"smtpd_milters = inet:127.0.0.1:%d\nmilter_default_action = accept\n%s", inbox.Port, port, xclient))
	path, _ := configuration(t, fmt.Sprintf(`
[feedback]
addresses = ["abuse@mx.example"]
next_hop = "127.0.0.1:%d"
from = "Abuse desk <abuse@mx.example>"
[[gateway.milter]]
name = "mx"
mode = "judge"
listen = ["127.0.0.1:%d"]
`, mx.Plain, port))
	n, _ := serve(t, path)

	complaint, err := os.ReadFile("../message/feedback/testdata/yahoo.eml")
	if err != nil {
		t.Fatal(err)
	}
	sendAs(t, mx.Port, "192.0.2.7", "feedback@arf.mail.yahoo.example", "abuse@mx.example", complaint)
	if got := inbox.Wait(t, "abuse@mx.example", 1, 20*time.Second); len(got) != 1 || !strings.Contains(got[0].Data, "Feedback-Type: abuse") {
		t.Fatalf("delivered: %+v", got)
	}
	var cases []abuse.Case
	eventually(t, "a case", func() bool { cases, _ = n.abuse.Cases(abuse.Query{Limit: 10}); return len(cases) == 1 })
	if c := cases[0]; c.About() != "shop.example" || c.Complaints[0].MessageID != "20260302.17@shop.example" {
		t.Fatalf("%+v", c)
	}
	if err := n.AnswerCase(t.Context(), cases[0].ID, "We closed the account – today.", account.Actor{Name: "admin"}); err != nil {
		t.Fatal(err)
	}
	got := inbox.Wait(t, "feedback@arf.mail.yahoo.example", 1, 20*time.Second)
	if m := email.ParseBytes([]byte(got[0].Data)); len(got) != 1 || got[0].From != "" || strings.TrimSpace(m.Text) != "We closed the account – today." {
		t.Errorf("answered %+v", got)
	}
}

// sendAs hands a mail to a Postfix as if it came from that address.
func sendAs(t *testing.T, port int, address, from, to string, mail []byte) {
	t.Helper()
	c, err := dialAs(port, address, "[UNAVAILABLE]")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	expect := func(code int) {
		t.Helper()
		if _, _, err := c.ReadResponse(code); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		line string
		want int
	}{{"EHLO mail.else.example", 250}, {"MAIL FROM:<" + from + ">", 250}, {"RCPT TO:<" + to + ">", 250}, {"DATA", 354}} {
		if err := c.PrintfLine("%s", step.line); err != nil {
			t.Fatal(err)
		}
		expect(step.want)
	}
	w := c.DotWriter()
	if _, err := w.Write(mail); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	expect(250)
}
