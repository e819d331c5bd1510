package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"rempart/dns/dnstest"
	"rempart/message"
	"rempart/message/email"
	"rempart/node"
)

// A postmaster looks at the reports before any is sent.
func TestFeedbackDMARC(t *testing.T) {
	c := node.Config{Data: filepath.Join(t.TempDir(), "data"), Name: "mx-1"}
	c.Console.Listen = []string{}
	c.DNS.Servers = []string{dnstest.Serve(t, `a.example. 60 IN TXT "v=spf1 ip4:192.0.2.1 -all"`, `_dmarc.a.example. 60 IN TXT "v=DMARC1; p=reject; rua=mailto:d@a.example"`).Addr}
	c.Feedback.DMARC.From = "dmarc@b.example"
	n, err := node.Open(t.Context(), c, slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- n.Serve(ctx, func() { close(ready) }) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	<-ready
	m := email.ParseBytes([]byte("From: ann@a.example\r\n\r\nHello.\r\n"))
	m.Direction, m.Source.Address, m.MailFrom = message.In, netip.MustParseAddr("192.0.2.1"), "ann@a.example"
	m.Recipients = []message.Recipient{{Address: "ben@b.example"}, {Address: "eve@e.example"}}
	n.Judge(t.Context(), m)

	day := m.Arrived.UTC().Format(time.DateOnly)
	command := func(stdin io.Reader, args ...string) string {
		t.Helper()
		var out, errors bytes.Buffer
		if code := run(&env{ctx: t.Context(), stdin: stdin, stdout: &out, stderr: &errors, now: time.Now}, append([]string{"feedback"}, args...)); code != exitOK {
			t.Fatalf("%q: %d %s", args, code, &errors)
		}
		return out.String()
	}
	list := command(nil, "dmarc", "--data", c.Data)
	if !regexp.MustCompile(`^` + day + `  a\.example  2 mails  2 rows  \d{4}-\d\d-\d\d 0\d:\d\d  mailto:d@a\.example\n$`).MatchString(list) {
		t.Errorf("%s", list)
	}
	xml := command(nil, "dmarc", "--data", c.Data, "--day", day, "A.example")
	want := fmt.Sprintf(`DMARC report of b.example on a.example, %s 00:00 to %s 23:59, policy reject
  source     mails  DMARC  DKIM  SPF   done  author
  192.0.2.1  1      pass   fail  pass  pass  a.example
  192.0.2.1  1      pass   fail  pass  pass  a.example
`, day, day)
	if got := command(bytes.NewReader([]byte(xml)), "-"); got != want {
		t.Errorf("%s\n%s", got, xml)
	}
}
