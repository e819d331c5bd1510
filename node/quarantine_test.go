//go:build integration

package node

import (
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"rempart/gateway/milter/postfix"
	"rempart/index"
	"rempart/message"
	"rempart/message/email"
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

// A recipient is told the next morning. A scanner that fetches every link twice changes nothing; the page's button delivers the very
// bytes and teaches, in Chromium, and the link goes on to say so.
func TestDigestInChromium(t *testing.T) {
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no chromium here: .ci/run installs it")
	}
	port, web := postfix.FreePort(t), postfix.FreePort(t)
	inbox := postfix.NewSink(t)
	mx := postfix.Start(t, fmt.Sprintf("myhostname = mx1.mx.example\nrelay_domains = mx.example\nrelayhost = [127.0.0.1]:%d\n"+
		"smtpd_milters = inet:127.0.0.1:%d\nmilter_default_action = accept\n%s", inbox.Port, port, xclient))
	path, _ := configuration(t, fmt.Sprintf(`
[policy.thresholds]
quarantine = 0.0001
[quarantine]
next_hop = "127.0.0.1:%d"
url = "http://127.0.0.1:%d"
digest_from = "Mail quarantine <postmaster@mx.example>"
[[gateway.milter]]
name = "mx"
mode = "judge"
listen = ["127.0.0.1:%d"]
`, mx.Plain, web, port))
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	c.Console.Listen = []string{fmt.Sprintf("127.0.0.1:%d", web)}
	n, stop := serveConfig(t, c)
	if got := deliver(t, mx.Port, "192.0.2.7", "ann@else.example", "ben@mx.example"); got != "250" {
		t.Fatal(got)
	}
	page, err := n.Quarantined(t.Context(), quarantine.Query{})
	if err != nil || len(page.Copies) != 1 {
		t.Fatalf("kept: %+v %v", page, err)
	}
	raw, err := n.QuarantinedMail(t.Context(), page.Copies[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	stop()

	n, _ = serveClock(t, c, func() time.Time { return time.Now().Add(24 * time.Hour) })
	digest := inbox.Wait(t, "ben@mx.example", 1, 20*time.Second)[0]
	m := email.ParseBytes([]byte(digest.Data))
	if len(m.Links) != 4 || m.Links[0].URL != m.Links[2].URL || !strings.HasPrefix(m.Links[0].URL, c.Quarantine.URL+quarantine.LinkPath) ||
		m.Links[1].URL != c.Quarantine.URL+quarantine.MinePath || digest.From != "" {
		t.Fatalf("digest from %q with links %+v", digest.From, m.Links)
	}
	link := m.Links[0].URL
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodGet, http.MethodHead} { // a scanner
		req, _ := http.NewRequestWithContext(t.Context(), method, link, nil)
		resp, err := http.DefaultClient.Do(req)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %v %v", method, resp, err)
		}
		resp.Body.Close()
	}
	if k, err := n.quarantine.Get(t.Context(), page.Copies[0].ID, "ben@mx.example"); err != nil || !k.Released.IsZero() || inbox.Count() != 1 {
		t.Fatalf("released by looking: %+v %v", k, err)
	}

	browser, cancel := chromedp.NewContext(t.Context(), chromedp.WithAllocatorOptions(chromedp.ExecPath(chromium), chromedp.NoSandbox,
		chromedp.Flag("disable-dev-shm-usage", true)))
	defer cancel()
	for range 2 { // the second time the page says that it was delivered
		if err := chromedp.Do(browser, chromedp.Navigate(link), chromedp.WaitVisible(chromedp.CSS("h1"))); err != nil {
			t.Fatal(err)
		}
		text, err := chromedp.Run(browser, chromedp.Text(chromedp.CSS("main")))
		if err != nil || !strings.Contains(text, "tomorrow") || !strings.Contains(text, "ann@else.example") {
			t.Fatalf("the page says %q %v", text, err)
		}
		if strings.Contains(text, "It was delivered") {
			break
		}
		if err := chromedp.Do(browser, chromedp.Click(chromedp.CSS("main button")), chromedp.WaitVisible(chromedp.CSS("main [role=status]"))); err != nil {
			t.Fatal(err)
		}
	}
	got := inbox.Wait(t, "ben@mx.example", 2, 20*time.Second)
	if len(got) != 2 || !strings.HasSuffix(got[1].Data, string(raw)) || n.filter.Lessons() != 1 {
		t.Errorf("released %q, delivered %+v, %d lessons", raw, got, n.filter.Lessons())
	}
	resp, err := http.PostForm(link, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	time.Sleep(time.Second)
	if inbox.Count() != 2 {
		t.Errorf("released twice: %d mails", inbox.Count())
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
