//go:build integration

package node

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"rempart/account"
	"rempart/gateway/milter/postfix"
	"rempart/quarantine"
)

// provider is OpenID's certified oidc-provider (npm) with its own pages to log in and to consent: whoever says an address there has it,
// verified unless it begins with "new".
const provider = `
import { Provider } from 'oidc-provider';
const [issuer, port, ...redirect_uris] = process.argv.slice(2);
const provider = new Provider(issuer, {
  clients: [{ client_id: 'rempart', client_secret: 'a secret of thirty-two letters..', redirect_uris }],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['preferred_username'] },
  cookies: { keys: ['of a test'] },
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id, email: id, email_verified: !id.startsWith('new'), preferred_username: id.split('@')[0] }) }),
  features: { devInteractions: { enabled: true } },
});
provider.listen(Number(port), '127.0.0.1');
`

// startProvider returns the provider's issuer; start starts it, so that a test can have it away until then.
func startProvider(t *testing.T, redirects ...string) (issuer string, start func()) {
	t.Helper()
	npm, err := exec.LookPath("npm")
	if err != nil {
		t.Skip("no npm here to fetch oidc-provider with")
	}
	dir := t.TempDir()
	if out, err := exec.Command(npm, "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", dir, "oidc-provider@9").CombinedOutput(); err != nil {
		t.Skipf("npm could not fetch oidc-provider: %v %s", err, out)
	}
	if err := os.WriteFile(filepath.Join(dir, "provider.mjs"), []byte(provider), 0o600); err != nil {
		t.Fatal(err)
	}
	port := postfix.FreePort(t)
	issuer = fmt.Sprintf("http://127.0.0.1:%d", port)
	return issuer, func() {
		var log strings.Builder
		cmd := exec.Command("node", append([]string{filepath.Join(dir, "provider.mjs"), issuer, fmt.Sprint(port)}, redirects...)...)
		cmd.Stdout, cmd.Stderr = &log, &log
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			if t.Failed() {
				t.Logf("the provider's log:\n%s", log.String())
			}
		})
		postfix.WaitPort(t, port)
	}
}

// With a real OpenID provider, in Chromium: a node starts while the provider is away and says so; then a recipient signs in, sees what is
// theirs and has it delivered; who is not verified there does not come in; and an administrator logs in to their account, nobody to one
// that is not there.
func TestOpenIDInChromium(t *testing.T) {
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no chromium here: .ci/run installs it")
	}
	port, web := postfix.FreePort(t), postfix.FreePort(t)
	here := fmt.Sprintf("http://127.0.0.1:%d", web)
	issuer, start := startProvider(t, here+"/mine/oidc/callback", here+"/login/oidc/callback")
	inbox := postfix.NewSink(t)
	mx := postfix.Start(t, fmt.Sprintf("myhostname = mx1.mx.example\nrelay_domains = mx.example\nrelayhost = [127.0.0.1]:%d\n"+
		"smtpd_milters = inet:127.0.0.1:%d\nmilter_default_action = accept\n%s", inbox.Port, port, xclient))
	path, _ := configuration(t, fmt.Sprintf(`
[policy.thresholds]
quarantine = 0.0001
[quarantine]
next_hop = "127.0.0.1:%d"
url = "%s"
[[gateway.milter]]
name = "mx"
mode = "judge"
listen = ["127.0.0.1:%d"]
`, mx.Plain, here, port))
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("a secret of thirty-two letters..\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	c.Console.Listen, c.Console.URL = []string{fmt.Sprintf("127.0.0.1:%d", web)}, here
	c.Console.OIDC.Issuer, c.Console.OIDC.ClientID, c.Console.OIDC.ClientSecretFile, c.Console.OIDC.AccountClaim = issuer, "rempart", secret, "email"
	n, _ := serveConfig(t, c)
	for _, to := range []string{"ben@mx.example", "dora@mx.example", "new@mx.example"} {
		if got := deliver(t, mx.Port, "192.0.2.7", "ann@else.example", to); got != "250" {
			t.Fatal(got)
		}
	}
	if _, err := n.accounts.Invite(t.Context(), account.System, "boss@mx.example", account.Administrator, time.Now()); err != nil {
		t.Fatal(err)
	}

	// signIn begins at a page of ours in a browser of its own and returns what it says in the end.
	signIn := func(at, as string, more ...chromedp.Action[chromedp.Void]) string {
		t.Helper()
		browser, cancel := chromedp.NewContext(t.Context(), chromedp.WithAllocatorOptions(chromedp.ExecPath(chromium), chromedp.NoSandbox,
			chromedp.Flag("disable-dev-shm-usage", true)))
		defer cancel()
		steps := []chromedp.Action[chromedp.Void]{chromedp.Navigate(here + at), chromedp.Click(chromedp.CSS("main a.button"))}
		if as != "" {
			steps = append(steps, chromedp.WaitVisible(chromedp.CSS("input[name=login]")), chromedp.SendKeys(chromedp.CSS("input[name=login]"), as),
				chromedp.SendKeys(chromedp.CSS("input[name=password]"), "any\r"), chromedp.WaitVisible(chromedp.CSS("input[value=consent]~button, button[autofocus]")),
				chromedp.Click(chromedp.CSS("button[type=submit]")))
		}
		if err := chromedp.Do(browser, append(append(steps, chromedp.WaitVisible(chromedp.CSS("main h1"))), more...)...); err != nil {
			t.Fatalf("%s as %q: %v", at, as, err)
		}
		text, err := chromedp.Run(browser, chromedp.Text(chromedp.CSS("body")))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	if got := signIn(quarantine.MinePath, ""); !strings.Contains(got, "does not answer") {
		t.Errorf("with the provider away: %q", got)
	}
	start()
	waitUntil(t, func() bool { // a failure is not tried again at once
		direct := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		r, err := direct.Get(here + quarantine.MinePath + "/oidc")
		return err == nil && r.Body.Close() == nil && r.StatusCode == http.StatusSeeOther
	})
	if got := signIn(quarantine.MinePath, "ben@mx.example"); !strings.Contains(got, "tomorrow") || strings.Contains(got, "dora@") {
		t.Errorf("ben sees %q", got)
	}
	if got := signIn(quarantine.MinePath, "new@mx.example"); !strings.Contains(got, "does not vouch for your address") {
		t.Errorf("who is not verified sees %q", got)
	}
	got := signIn(quarantine.MinePath, "ben@mx.example", chromedp.Click(chromedp.CSS(".people a")), chromedp.WaitVisible(chromedp.CSS(".mailtext")),
		chromedp.Click(chromedp.CSS("button.ham")), chromedp.WaitVisible(chromedp.CSS(".notice")))
	if mails := inbox.Wait(t, "ben@mx.example", 1, 20*time.Second); !strings.Contains(got, "on its way") || !strings.Contains(mails[0].Data, "Shall we meet at ten?") {
		t.Errorf("after the release %q, delivered %+v", got, mails)
	}
	if got := signIn("/health", "boss@mx.example"); !strings.Contains(got, "boss@mx.example") || !strings.Contains(got, "Health") || strings.Contains(got, "no password") {
		t.Errorf("the administrator sees %q", got)
	}
	if got := signIn("/login", "ben@mx.example"); !strings.Contains(got, "You have no account here") {
		t.Errorf("who has no account sees %q", got)
	}
	if e := n.accounts.Latest(0, 1)[0]; e.What != "account.login" || e.Who != "boss@mx.example" {
		t.Errorf("the audit trail ends with %+v", e)
	}
}
