//go:build integration

package node

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"rempart/gateway/milter/postfix"
	"rempart/index"
	"rempart/message"
	"rempart/quarantine"
)

// A Postfix that asks a node hands over what is put aside: it delivers nothing of it, and a release hands the next hop, a Postfix's
// port too, the bytes as they came, once, and teaches. What the node cannot keep it does not take.
func TestPostfixQuarantine(t *testing.T) {
	port := postfix.FreePort(t)
	inbox := postfix.NewSink(t)
	mx := postfix.Start(t, fmt.Sprintf("myhostname = mx1.mx.example\nrelay_domains = mx.example\nrelayhost = [127.0.0.1]:%d\n"+
		"smtpd_milters = inet:127.0.0.1:%d\nmilter_default_action = accept\n%s", inbox.Port, port, xclient))
	path, _ := configuration(t, fmt.Sprintf(`
[policy.thresholds]
quarantine = 0.0001
[[policy.scope]]
user = "dora@mx.example"
thresholds = { quarantine = 0.0 }
[quarantine]
next_hop = "127.0.0.1:%d"
[[gateway.milter]]
name = "mx"
mode = "judge"
listen = ["127.0.0.1:%d"]
`, mx.Plain, port))
	n, _ := serve(t, path)

	if got := deliver(t, mx.Port, "192.0.2.7", "ann@else.example", "ben@mx.example"); got != "250" {
		t.Fatal(got)
	}
	page, err := n.Quarantined(t.Context(), quarantine.Query{Recipient: "ben@mx.example"})
	if err != nil || len(page.Copies) != 1 {
		t.Fatalf("kept: %+v %v", page, err)
	}
	c := page.Copies[0]
	raw, err := n.QuarantinedMail(t.Context(), c.ID)
	if err != nil || !strings.HasSuffix(string(raw), "\r\n\r\nShall we meet at ten?\r\n") || c.MailFrom != "ann@else.example" || c.Size != len(raw) {
		t.Fatalf("kept: %+v %q %v", c, raw, err)
	}
	if got := deliver(t, mx.Port, "192.0.2.7", "ann@else.example", "dora@mx.example"); got != "250" {
		t.Fatal(got)
	}
	inbox.Wait(t, "dora@mx.example", 1, 20*time.Second)
	if got := inbox.For("ben@mx.example"); len(got) != 0 {
		t.Fatalf("delivered what is in quarantine: %+v", got)
	}

	if err := n.Release(t.Context(), c.ID, c.Recipient, LocalActor, false); err != nil {
		t.Fatal(err)
	}
	if err := n.Release(t.Context(), c.ID, c.Recipient, LocalActor, false); !errors.Is(err, quarantine.ErrReleased) {
		t.Errorf("released again: %v", err)
	}
	got := inbox.Wait(t, "ben@mx.example", 1, 20*time.Second)
	if len(got) != 1 || !strings.HasSuffix(got[0].Data, string(raw)) || got[0].From != "ann@else.example" {
		t.Errorf("released %q, delivered %+v", raw, got)
	}
	if n.filter.Lessons() != 1 {
		t.Errorf("%d lessons", n.filter.Lessons())
	}
	if e := waitEvent(t, n, c.ID); e.Worst().Decision.Action != message.Quarantine {
		t.Errorf("recorded as %s", e.Worst().Decision.Action)
	}

	if err := n.quarantine.Close(); err != nil {
		t.Fatal(err)
	}
	if got := deliver(t, mx.Port, "192.0.2.7", "ann@else.example", "ben@mx.example"); !strings.HasPrefix(got, "451") {
		t.Errorf("what cannot be kept: %s", got)
	}
}

func waitEvent(t *testing.T, n *Node, id string) *message.Event {
	t.Helper()
	for range 100 {
		e, err := n.index.Get(t.Context(), id)
		if err == nil {
			return e
		}
		if !errors.Is(err, index.ErrNotFound) {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("no event %s", id)
	return nil
}
