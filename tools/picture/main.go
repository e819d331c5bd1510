// Command picture takes pictures of a running console in Chromium, for the README and for eyes:
//
//	rempart demo --data /tmp/new-demo &   # prints a one-time link
//	go run ./tools/picture -link http://127.0.0.1:8052/link/SECRET -dir docs
//
// It logs in by the link, looks at the pages at the given width and writes one PNG each, the first screen of it.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/chromedp/chromedp"
)

func main() {
	link := flag.String("link", "", "one-time `link` of a running console")
	dir := flag.String("dir", ".", "`directory` of the pictures")
	width := flag.Int64("width", 1280, "of the screen, `pixels`")
	height := flag.Int64("height", 900, "of the screen, `pixels`; 0: the whole page")
	pages := flag.String("pages", "/,/messages,message", "`paths` of pages, with commas; \"message\" is the newest spam")
	flag.Parse()
	log.SetFlags(0)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if err := run(ctx, *link, *dir, *width, *height, strings.Split(*pages, ",")); err != nil {
		log.Fatal("picture: ", err)
	}
}

func run(ctx context.Context, link, dir string, width, height int64, pages []string) error {
	at, err := url.Parse(link)
	if err != nil || at.Host == "" {
		return fmt.Errorf("give -link, the link that the node printed at its first start")
	}
	origin := at.Scheme + "://" + at.Host
	ctx, cancel := chromedp.NewContext(ctx, chromedp.WithAllocatorOptions(chromedp.NoSandbox,
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("hide-scrollbars", true)))
	defer cancel()
	screen := height
	if screen == 0 {
		screen = 900
	}
	err = chromedp.Do(ctx, chromedp.EmulateViewport(width, screen), chromedp.Navigate(link), chromedp.Click(chromedp.CSS("main button")),
		chromedp.WaitVisible(chromedp.CSS("#new")), chromedp.SendKeys(chromedp.CSS("#new"), "only for a picture"),
		chromedp.SendKeys(chromedp.CSS("#again"), "only for a picture\r"), chromedp.WaitVisible(chromedp.CSS("#live")))
	if err != nil {
		return fmt.Errorf("log in: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, page := range pages {
		if err := picture(ctx, origin, page, dir, height == 0); err != nil {
			return fmt.Errorf("%s: %w", page, err)
		}
	}
	return nil
}

func picture(ctx context.Context, origin, page, dir string, whole bool) error {
	name := strings.Trim(strings.NewReplacer("/", "-", "?", "-", "=", "-", "&", "-").Replace(page), "-")
	if name == "" {
		name = "overview"
	}
	steps := []chromedp.Action[chromedp.Void]{chromedp.Navigate(origin + page), chromedp.WaitVisible(chromedp.CSS("#main h1"))}
	if page == "message" {
		steps = []chromedp.Action[chromedp.Void]{chromedp.Navigate(origin + "/messages?channel=email"),
			chromedp.Click("//tr[.//bdi[@class='spam']]//a"), chromedp.WaitVisible(chromedp.CSS("#verdict"))}
	}
	if err := chromedp.Do(ctx, steps...); err != nil {
		return err
	}
	shot := chromedp.CaptureScreenshot()
	if whole {
		shot = chromedp.FullScreenshot(100)
	}
	png, err := chromedp.Run(ctx, shot)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "console-"+name+".png"), png, 0o644)
}
