//go:build integration

package node

import (
	"errors"
	"fmt"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"rempart/dns/dnstest"
	"rempart/gateway/milter/postfix"
)

// A Postfix that asks a node puts off an unknown host's mail and takes it after the delay; the host then passes, also after the
// node was started again. A domain for which SPF passed may come again from another address. What comes beyond a limit is put off, too.
func TestPostfixPutsOff(t *testing.T) {
	zone := dnstest.Serve(t, `pool.example. 60 IN TXT "v=spf1 ip4:198.51.100.0/24 ip4:203.0.113.0/24 -all"`)
	port := postfix.FreePort(t)
	path, _ := configuration(t, fmt.Sprintf(`
[policy.thresholds]
greylist = 0.0001
[policy.greylist]
delay = "4s"
[[gateway.milter]]
name = "mx"
mode = "judge"
listen = ["127.0.0.1:%d"]
`, port))
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	c.DNS.Off, c.DNS.Servers = false, []string{zone.Addr}
	_, stop := serveConfig(t, c)
	inbox := postfix.NewSink(t)
	mx := postfix.Start(t, fmt.Sprintf("myhostname = mx1.mx.example\nrelay_domains = mx.example\nrelayhost = [127.0.0.1]:%d\n"+
		"smtpd_milters = inet:127.0.0.1:%d\nmilter_default_action = accept\n%s", inbox.Port, port, xclient))

	expect := func(name, address, from, to, want string) {
		t.Helper()
		if got := deliver(t, mx.Port, address, from, to); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	const delay = 4100 * time.Millisecond // the front door tells the time by the clock
	const putOff = "451 4.7.1 nothing is known here of your mail server yet"
	expect("for the first time", "192.0.2.7", "ann@else.example", "ben@mx.example", putOff)
	expect("at once", "192.0.2.7", "ann@else.example", "ben@mx.example", putOff)
	expect("from the pool", "198.51.100.7", "ann@pool.example", "ben@mx.example", putOff)
	time.Sleep(delay)
	expect("after the delay", "192.0.2.8", "ann@else.example", "ben@mx.example", "250")
	expect("the pool's other address", "203.0.113.9", "ann@pool.example", "ben@mx.example", "250")
	expect("another mail of the host", "192.0.2.7", "carl@other.example", "dora@mx.example", "250")
	expect("another host", "192.0.3.7", "ann@else.example", "ben@mx.example", putOff)
	inbox.Wait(t, "ben@mx.example", 2, 20*time.Second)

	stop()
	n, _ := serveConfig(t, c)
	expect("after the node was started again", "192.0.2.7", "eve@other.example", "dora@mx.example", "250")
	time.Sleep(delay)
	expect("what was put off before", "192.0.3.7", "ann@else.example", "ben@mx.example", "250")

	c.Policy.Thresholds.Greylist, c.Policy.Limit.Network = nil, 3
	if err := n.Reload(c); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		expect("within the limit", "192.0.4.7", fmt.Sprintf("x%d@else.example", i), "ben@mx.example", "250")
	}
	expect("beyond the limit", "192.0.4.7", "x@else.example", "ben@mx.example", "451 4.7.1 too many messages came within an hour")
	expect("another network", "192.0.5.7", "x@else.example", "ben@mx.example", "250")
}

// deliver hands a mail over as a host of that address, and returns what the server says to it.
func deliver(t *testing.T, port int, address, from, to string) string {
	t.Helper()
	c, err := dialAs(port, address, "[UNAVAILABLE]")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, step := range []struct {
		want int
		line string
	}{{250, "EHLO mail.else.example"}, {250, "MAIL FROM:<" + from + ">"}, {250, "RCPT TO:<" + to + ">"}, {354, "DATA"},
		{250, "From: <" + from + ">\r\nTo: <" + to + ">\r\nSubject: tomorrow\r\nDate: " + time.Now().Format(time.RFC1123Z) +
			"\r\nMessage-ID: <1@else.example>\r\n\r\nShall we meet at ten?\r\n."}} {
		if err := c.PrintfLine("%s", step.line); err != nil {
			t.Fatal(err)
		}
		if _, _, err = c.ReadResponse(step.want); err != nil {
			break
		}
	}
	var refused *textproto.Error
	switch {
	case errors.As(err, &refused):
		return fmt.Sprintf("%d %s", refused.Code, refused.Msg)
	case err != nil:
		t.Fatal(err)
	}
	return "250"
}
