//go:build integration

package node

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"rempart/gateway/milter/postfix"
	"rempart/message/email"
	"rempart/quarantine"
)

// Who has mail in quarantine behind Postfix signs in by mail, in Chromium, sees what came for all addresses of their mailbox and nothing
// else, and has one mail delivered. The page of who has none says the same and sends nothing.
func TestSignInByMailInChromium(t *testing.T) {
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no chromium here: .ci/run installs it")
	}
	port, web := postfix.FreePort(t), postfix.FreePort(t)
	inbox := postfix.NewSink(t)
	mx := postfix.Start(t, fmt.Sprintf("myhostname = mx1.mx.example\nrelay_domains = mx.example\nrelayhost = [127.0.0.1]:%d\n"+
		"smtpd_milters = inet:127.0.0.1:%d\nmilter_default_action = accept\n%s", inbox.Port, port, xclient))
	virtual := filepath.Join(t.TempDir(), "virtual")
	if err := os.WriteFile(virtual, []byte("sales@mx.example ben@mx.example\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	path, _ := configuration(t, fmt.Sprintf(`
[policy.thresholds]
quarantine = 0.0001
[mailbox]
tables = ["texthash:%s"]
[quarantine]
next_hop = "127.0.0.1:%d"
url = "http://127.0.0.1:%d"
digest_from = "Mail quarantine <postmaster@mx.example>"
[[gateway.milter]]
name = "mx"
mode = "judge"
listen = ["127.0.0.1:%d"]
`, virtual, mx.Plain, web, port))
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	c.Console.Listen = []string{fmt.Sprintf("127.0.0.1:%d", web)}
	n, _ := serveConfig(t, c)
	for _, to := range []string{"ben@mx.example", "sales@mx.example", "dora@mx.example"} {
		if got := deliver(t, mx.Port, "192.0.2.7", "ann@else.example", to); got != "250" {
			t.Fatal(got)
		}
	}
	browser, cancel := chromedp.NewContext(t.Context(), chromedp.WithAllocatorOptions(chromedp.ExecPath(chromium), chromedp.NoSandbox,
		chromedp.Flag("disable-dev-shm-usage", true)))
	defer cancel()
	do := func(steps ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		if err := chromedp.Do(browser, steps...); err != nil {
			t.Fatal(err)
		}
	}
	text := func(css string) string {
		t.Helper()
		got, err := chromedp.Run(browser, chromedp.Text(chromedp.CSS(css)))
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	for _, address := range []string{"nobody@mx.example", "ben@mx.example"} {
		do(chromedp.Navigate(c.Quarantine.URL+quarantine.MinePath), chromedp.WaitVisible(chromedp.CSS("#address")),
			chromedp.SendKeys(chromedp.CSS("#address"), address+"\r"), chromedp.WaitVisible(chromedp.CSS("[role=status]")))
	}
	m := email.ParseBytes([]byte(inbox.Wait(t, "ben@mx.example", 1, 20*time.Second)[0].Data))
	if len(m.Links) != 1 || inbox.Count() != 1 {
		t.Fatalf("links %+v in one of %d mails", m.Links, inbox.Count())
	}
	do(chromedp.Navigate(m.Links[0].URL), chromedp.Click(chromedp.CSS("main button")), chromedp.WaitVisible(chromedp.CSS(".people")))
	if got := text("main"); strings.Count(got, "tomorrow") != 2 || !strings.Contains(got, "sales@mx.example") || strings.Contains(got, "dora") {
		t.Errorf("ben sees %q", got)
	}
	do(chromedp.Click(chromedp.CSS(".people a")), chromedp.WaitVisible(chromedp.CSS(".mailtext")))
	if got := text("main"); !strings.Contains(got, "Shall we meet at ten?") {
		t.Errorf("the page of the mail: %q", got)
	}
	do(chromedp.Click(chromedp.CSS("button.ham")), chromedp.WaitVisible(chromedp.CSS(".notice")))
	if got := inbox.Wait(t, "sales@mx.example", 1, 20*time.Second); !strings.Contains(got[0].Data, "Shall we meet at ten?") || n.filter.Lessons() != 1 {
		t.Errorf("delivered %+v, %d lessons", got, n.filter.Lessons())
	}
	do(chromedp.Click(chromedp.CSS(".who button")), chromedp.WaitVisible(chromedp.CSS("#address")))
	do(chromedp.Navigate(m.Links[0].URL), chromedp.Click(chromedp.CSS("main button")), chromedp.WaitVisible(chromedp.CSS("main a")))
	if got := text("h1"); got != "This link is not valid any more" {
		t.Errorf("the link used twice: %q", got)
	}
}
