//go:build integration

package main

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestTour runs the demo and walks the tour that it prints, as a newcomer does, by its links alone: a phishing campaign that
// came by mail and text, why one of its mails was held, where it comes from, its way, the report. On the way it takes the
// pictures of the README; they are written to the directory REMPART_PICTURES names (make pictures), else only taken.
func TestTour(t *testing.T) {
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no chromium here: install Debian's package chromium")
	}
	out, stdout := io.Pipe()
	ctx, stop := context.WithTimeout(t.Context(), 5*time.Minute)
	ended := make(chan int, 1)
	go func() {
		code := run(&env{ctx: ctx, stdin: strings.NewReader(""), stdout: stdout, stderr: io.Discard, now: time.Now},
			[]string{"demo", "--data", t.TempDir(), "--listen", "127.0.0.1:0", "--rate", "60", "--seed", "7"})
		stdout.Close()
		ended <- code
	}()
	defer func() {
		stop()
		if code := <-ended; code != exitOK {
			t.Errorf("the demo ended with exit code %d", code)
		}
	}()
	link, tour := readTour(t, out)
	browser, cancel := chromedp.NewContext(ctx, chromedp.WithAllocatorOptions(chromedp.ExecPath(chromium), chromedp.NoSandbox,
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("hide-scrollbars", true)))
	defer cancel()
	browser, cancel = context.WithTimeout(browser, 2*time.Minute)
	defer cancel()
	do := func(steps ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		if err := chromedp.Do(browser, steps...); err != nil {
			t.Fatal(err)
		}
	}
	do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate(link), chromedp.Click(chromedp.CSS("main button")),
		chromedp.WaitVisible(chromedp.CSS("#new")), chromedp.SendKeys(chromedp.CSS("#new"), "correct horse battery"),
		chromedp.SendKeys(chromedp.CSS("#again"), "correct horse battery\r"), chromedp.WaitVisible(chromedp.CSS("#live")))
	for i, stop := range []struct {
		name, waits string
		says        []string
	}{
		{"overview", "#live .tour", []string{"E-mail", "Texts", "Calls", "Instant messages"}},
		{"campaign", "#map svg", []string{"phishing", "E-mail", "Texts", "Where its links lead"}},
		{"message", ".teach", []string{"held", "Why"}},
		{"", "#map svg", []string{"An invented map"}},
		{"", "#way svg", []string{"Hand-overs", "mx"}},
		{"report", "#routes", []string{"Volume", "Types", "Sources", "Routes", "Methods and limits", "simulated world"}},
	} {
		do(chromedp.Navigate(tour[i]), chromedp.WaitVisible(chromedp.CSS(stop.waits)))
		text, err := chromedp.Run(browser, chromedp.Text(chromedp.CSS("body")))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range stop.says {
			if !strings.Contains(strings.ToLower(text), strings.ToLower(want)) {
				t.Errorf("stop %d does not say %q", i+1, want)
			}
		}
		switch stop.name {
		case "":
		case "report": // its head: the whole is as long as a report is
			picture(t, browser, stop.name, chromedp.CaptureScreenshot())
		default:
			picture(t, browser, stop.name, chromedp.FullScreenshot(100))
		}
	}
}

func picture(t *testing.T, browser context.Context, name string, shot chromedp.Action[[]byte]) {
	t.Helper()
	png, err := chromedp.Run(browser, shot)
	if err != nil || len(png) < 10_000 {
		t.Fatalf("picture %s: %d bytes, %v", name, len(png), err)
	}
	dir := os.Getenv("REMPART_PICTURES")
	if dir == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		t.Fatal(err)
	}
}

// readTour reads the first link and the six of the tour from what the demo prints, and goes on reading so that the demo never
// waits for us.
func readTour(t *testing.T, out io.Reader) (link string, tour []string) {
	t.Helper()
	lines := bufio.NewScanner(out)
	first, stop := regexp.MustCompile(`http://\S+/link/\S+`), regexp.MustCompile(`^  [1-6] .* (http://\S+)$`)
	for lines.Scan() {
		if l := first.FindString(lines.Text()); l != "" {
			link = l
		}
		if m := stop.FindStringSubmatch(lines.Text()); m != nil {
			tour = append(tour, m[1])
		}
		if len(tour) == 6 && link != "" {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return link, tour
		}
	}
	t.Fatalf("the demo printed the link %q and %d stops of the tour", link, len(tour))
	return "", nil
}
