//go:build integration

package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestPictures runs the demo, logs in by the printed link as a newcomer does, and takes the pictures of the README. They
// are written to the directory REMPART_PICTURES names (make pictures), else only taken.
func TestPictures(t *testing.T) {
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no chromium here: install Debian's package chromium")
	}
	out, stdout := io.Pipe()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() {
		code := run(&env{ctx: ctx, stdin: strings.NewReader(""), stdout: stdout, stderr: io.Discard, now: time.Now},
			[]string{"demo", "--data", t.TempDir(), "--listen", "127.0.0.1:0", "--rate", "120", "--teach", "0.3", "--seed", "7"})
		stdout.Close()
		ended <- code
	}()
	defer func() {
		stop()
		if code := <-ended; code != exitOK {
			t.Errorf("the demo ended with exit code %d", code)
		}
	}()
	link := firstLink(t, out)
	base := link[:strings.Index(link, "/link/")]
	waitForMessages(t, base, 3000)

	browser, cancel := chromedp.NewContext(ctx, chromedp.WithAllocatorOptions(chromedp.ExecPath(chromium), chromedp.NoSandbox,
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("hide-scrollbars", true)))
	defer cancel()
	browser, cancel = context.WithTimeout(browser, time.Minute)
	defer cancel()
	do := func(steps ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		if err := chromedp.Do(browser, steps...); err != nil {
			t.Fatal(err)
		}
	}
	do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate(link), chromedp.Click(chromedp.CSS("main button")),
		chromedp.WaitVisible(chromedp.CSS("#new")), chromedp.SendKeys(chromedp.CSS("#new"), "correct horse battery"),
		chromedp.SendKeys(chromedp.CSS("#again"), "correct horse battery\r"), chromedp.WaitVisible(chromedp.CSS("#live")),
		chromedp.Navigate(base+"/"), chromedp.WaitVisible(chromedp.CSS("#live")))
	picture(t, browser, "overview")
	do(chromedp.Navigate(base+"/messages?action=tag"), chromedp.Click(chromedp.CSS("main table a")), chromedp.WaitVisible(chromedp.CSS(".teach")))
	picture(t, browser, "message")
}

func picture(t *testing.T, browser context.Context, name string) {
	t.Helper()
	png, err := chromedp.Run(browser, chromedp.FullScreenshot(100))
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

// firstLink reads the link of the first administrator from what the demo prints, and goes on reading so that the demo
// never waits for us.
func firstLink(t *testing.T, out io.Reader) string {
	t.Helper()
	lines := bufio.NewScanner(out)
	links := regexp.MustCompile(`http://\S+/link/\S+`)
	for lines.Scan() {
		if link := links.FindString(lines.Text()); link != "" {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return link
		}
	}
	t.Fatal("the demo printed no link")
	return ""
}

// waitForMessages waits until the node has judged so many.
func waitForMessages(t *testing.T, base string, want int) {
	t.Helper()
	for range 300 {
		resp, err := http.Get(base + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		judged := 0.0
		for line := range strings.Lines(string(b)) {
			if rest, ok := strings.CutPrefix(line, "rempart_messages_total{"); ok {
				_, value, _ := strings.Cut(rest, "} ")
				n, _ := strconv.ParseFloat(strings.TrimSpace(value), 64)
				judged += n
			}
		}
		if int(judged) >= want {
			return
		}
		time.Sleep(200 * time.Millisecond) // polling a server, bounded
	}
	t.Fatalf("fewer than %d messages in a minute", want)
}
