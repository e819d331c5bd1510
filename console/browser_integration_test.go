//go:build integration

package console

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"rempart/account"
)

// browser is a Chromium with one tab. It skips the test where there is none; REMPART_NO_SKIP makes that a failure.
type browser struct {
	t     *testing.T
	ctx   context.Context
	url   string
	shots string
}

func newBrowser(t *testing.T, url string) *browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		skip(t, "no chromium here: install Debian's package chromium")
	}
	ctx, cancel := chromedp.NewContext(t.Context(), chromedp.WithAllocatorOptions(chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("hide-scrollbars", true)))
	t.Cleanup(cancel)
	b := &browser{t: t, ctx: ctx, url: url, shots: os.Getenv("REMPART_SHOTS")}
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start chromium: %v", err)
	}
	return b
}

func skip(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("REMPART_NO_SKIP") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 30*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

func run[T any](b *browser, a chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 60*time.Second)
	defer cancel()
	v, err := chromedp.Run(ctx, a)
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

func (b *browser) dark(on bool) {
	b.t.Helper()
	scheme := map[bool]string{true: "dark", false: "light"}[on]
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}); err != nil {
		b.t.Fatal(err)
	}
}

// look opens a page at a width and returns what is wrong with it.
func (b *browser) look(path string, width int64) (wrong []string) {
	b.t.Helper()
	ctx, cancel := context.WithCancel(b.ctx)
	messages := chromedp.Console(ctx)
	b.do(chromedp.EmulateViewport(width, 900), chromedp.Navigate(b.url+path), chromedp.WaitVisible(chromedp.CSS("#main")))
	// what sticks out of the page, unless it stands in a box that scrolls
	wide := run(b, chromedp.Evaluate[[]string](`(() => {
		const limit = document.documentElement.clientWidth, out = [];
		if (document.documentElement.scrollWidth > limit) out.push("page is " + document.documentElement.scrollWidth + " wide");
		for (const e of document.querySelectorAll("body *")) {
			const r = e.getBoundingClientRect();
			if (r.width > 1 && r.right > limit + 1 && !e.closest(".scroll, svg")) out.push(e.tagName + "." + e.className + " ends at " + Math.round(r.right));
		}
		return out.slice(0, 5);
	})()`))
	for _, w := range wide {
		wrong = append(wrong, "overflow: "+w)
	}
	stop := time.AfterFunc(100*time.Millisecond, cancel) // what the page had to say it said while it loaded
	defer stop.Stop()
	for m, err := range messages {
		if err != nil {
			break
		}
		if m.Type == "error" || m.Type == "warning" || m.IsException() {
			wrong = append(wrong, "console: "+m.String())
		}
	}
	return wrong
}

func (b *browser) shot(name string) {
	b.t.Helper()
	if b.shots == "" {
		return
	}
	png := run(b, chromedp.FullScreenshot(100))
	if err := os.MkdirAll(b.shots, 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.shots, name+".png"), png, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// login uses the link of the first start as a person does, by mouse and keys.
func (b *browser) login(link string) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate(b.url+link), chromedp.Click(chromedp.CSS("main button")),
		chromedp.WaitVisible(chromedp.CSS("#new")), chromedp.SendKeys(chromedp.CSS("#new"), password),
		chromedp.SendKeys(chromedp.CSS("#again"), password+"\r"), chromedp.WaitVisible(chromedp.CSS("#live")))
}

func fileName(path string) string {
	name := strings.Trim(strings.NewReplacer("/", "-", "?", "-", "&", "-", "=", "-", ".", "-").Replace(path), "-")
	if name == "" {
		return "overview"
	}
	return name
}

func TestIntegrationEveryPageInChromium(t *testing.T) {
	s := newStand(t)
	b := newBrowser(t, s.url)
	mineLink := s.signInLink(t, s.visitor(t), "ben@b.example")
	for _, path := range []string{"/login", s.link, "/mine/in", mineLink} {
		for _, width := range []int64{360, 1280} {
			for _, w := range b.look(path, width) {
				t.Errorf("%s at %d: %s", path, width, w)
			}
		}
	}
	b.do(chromedp.Click(chromedp.CSS("main button")), chromedp.WaitVisible(chromedp.CSS(".people")))
	for _, path := range everyMinePage[:4] {
		for _, width := range []int64{360, 1280} {
			for _, w := range b.look(path, width) {
				t.Errorf("%s at %d: %s", path, width, w)
			}
			b.shot(fmt.Sprintf("%s-%d", fileName(path), width))
		}
	}
	b.look("/login", 360)
	b.shot("login-360")
	b.login(s.link)
	s.as(t, account.Viewer)
	for _, path := range everyPage {
		if path == "/nothing" {
			continue // a 404 is an error to the browser's console
		}
		for _, width := range []int64{360, 1280} {
			for _, w := range b.look(path, width) {
				t.Errorf("%s at %d: %s", path, width, w)
			}
			b.shot(fmt.Sprintf("%s-%d", fileName(path), width))
		}
	}
	b.dark(true)
	for _, path := range []string{"/", "/messages", "/messages/" + hostileID} {
		b.look(path, 1280)
		b.shot(fileName(path) + "-dark")
	}
	if s.log.Len() > 0 {
		t.Errorf("logged: %s", s.log)
	}
}

func TestIntegrationTeachInChromium(t *testing.T) {
	s := newStand(t)
	b := newBrowser(t, s.url)
	b.login(s.link)
	b.look("/messages/"+hostileID, 1280)
	b.do(chromedp.Click(chromedp.CSS(".teach button.spam")), chromedp.WaitVisible(chromedp.CSS(".notice")))
	got := run(b, chromedp.Text(chromedp.CSS(".notice")))
	if want := "Taught as spam. Its probability was 12 % and is now 87 %; the record below stays as it was made."; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if want := hostileID + " spam " + "admin"; len(s.taught) != 1 || s.taught[0] != want {
		t.Errorf("taught %q, want %q", s.taught, want)
	}
	b.shot("taught")
	// by keyboard alone: from the top, tab to a link of the menu and follow it
	b.do(chromedp.Navigate(b.url+"/"), chromedp.WaitVisible(chromedp.CSS("#live")))
	b.do(chromedp.KeyEvent("\t"))
	if at := run(b, chromedp.Evaluate[string](`document.activeElement.className`)); at != "skip" {
		t.Errorf("the first tab stop is %q", at)
	}
	b.do(chromedp.KeyEvent("\t"), chromedp.KeyEvent("\t"), chromedp.KeyEvent("\t"), chromedp.KeyEvent("\r"), chromedp.WaitVisible(chromedp.CSS("input[name=q]")))
}

// The overview refreshes itself; what is swapped in refreshes itself again.
func TestIntegrationOverviewIsLive(t *testing.T) {
	s := newStand(t)
	b := newBrowser(t, s.url)
	b.login(s.link)
	for range 2 {
		b.do(chromedp.SetAttributes(chromedp.CSS("#live"), map[string]string{"data-old": "1"}))
		run(b, chromedp.Evaluate[bool](`htmx.trigger(document.querySelector("#live"), "every"), true`))
		b.do(chromedp.WaitNotPresent(chromedp.CSS("#live[data-old]")), chromedp.WaitVisible(chromedp.CSS("#live h1")))
	}
	// the session ends elsewhere: the next refresh leads to the login, whole
	if err := s.book.SetPassword(t.Context(), account.System, "admin", "a new long password"); err != nil {
		t.Fatal(err)
	}
	run(b, chromedp.Evaluate[bool](`htmx.trigger(document.querySelector("#live"), "every"), true`))
	b.do(chromedp.WaitVisible(chromedp.CSS("input#password")))
	if at := run(b, chromedp.Location()); at != s.url+"/login" {
		t.Errorf("at %s", at)
	}
}

func TestIntegrationAxe(t *testing.T) {
	s := newStand(t)
	b := newBrowser(t, s.url)
	axe := fetchAxe(t)
	check := func(path string) {
		t.Helper()
		b.do(chromedp.Navigate(b.url+path), chromedp.WaitVisible(chromedp.CSS("#main")))
		run(b, chromedp.Evaluate[bool](axe+";true"))
		found := run(b, chromedp.Evaluate[string](`axe.run().then(r => JSON.stringify(r.violations.map(v =>
			({id: v.id, impact: v.impact, nodes: v.nodes.slice(0, 3).map(n => n.html.slice(0, 160) + " " + (n.any[0]?.message ?? ""))}))))`, chromedp.EvalAwaitPromise))
		var faults []struct {
			ID, Impact string
			Nodes      []string
		}
		if err := json.Unmarshal([]byte(found), &faults); err != nil {
			t.Fatal(err)
		}
		for _, f := range faults {
			if f.Impact == "serious" || f.Impact == "critical" {
				t.Errorf("%s: %s (%s): %q", path, f.ID, f.Impact, f.Nodes)
			} else {
				t.Logf("%s: %s (%s)", path, f.ID, f.Impact)
			}
		}
	}
	check("/login")
	check("/mine/in")
	b.do(chromedp.Navigate(b.url+s.signInLink(t, s.visitor(t), "ben@b.example")), chromedp.Click(chromedp.CSS("main button")), chromedp.WaitVisible(chromedp.CSS(".people")))
	for _, path := range everyMinePage {
		check(path)
	}
	b.login(s.link)
	s.as(t, account.Viewer)
	s.shadow = true
	for _, dark := range []bool{false, true} {
		b.dark(dark)
		for _, width := range []int64{360, 1280} {
			b.do(chromedp.EmulateViewport(width, 900))
			for _, path := range everyPage {
				check(path)
			}
		}
	}
}

// fetchAxe gets axe-core from npm.
func fetchAxe(t *testing.T) string {
	t.Helper()
	npm, err := exec.LookPath("npm")
	if err != nil {
		skip(t, "no npm here to fetch axe-core with")
	}
	dir := t.TempDir()
	cmd := exec.Command(npm, "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", dir, "axe-core@4")
	if out, err := cmd.CombinedOutput(); err != nil {
		skip(t, fmt.Sprintf("npm could not fetch axe-core: %v %s", err, out))
	}
	b, err := os.ReadFile(filepath.Join(dir, "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
