//go:build integration

package main

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// walk is a postmaster who looks at every page of both consoles, again and again, and how long each took.
type walk struct {
	t    *testing.T
	site *daySite
	http [2]*http.Client
	end  atomic.Bool

	mu   sync.Mutex
	took map[string][]time.Duration // by page, ids left out
	bad  map[string]int             // answers that were no page, by page and status
}

// newWalk makes the administrator's account by the link of the first start, and logs in on both nodes.
func newWalk(t *testing.T, s *daySite) *walk {
	t.Helper()
	w := &walk{t: t, site: s, took: map[string][]time.Duration{}, bad: map[string]int{}}
	for i := range w.http {
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		w.http[i] = &http.Client{Jar: jar, Timeout: 30 * time.Second}
	}
	eventually(t, "a link of a first start is good", func() bool { // of two that came together the later one's
		for i, n := range s.nodes {
			if link := n.firstLink(); link != "" && w.post(i, link, nil) {
				return w.post(i, "/password", url.Values{"new": {sitePassword}, "again": {sitePassword}})
			}
		}
		return false
	})
	for i := range w.http {
		eventually(t, "the account is on both nodes", func() bool { return w.login(i) })
	}
	return w
}

func (w *walk) url(i int, path string) string {
	return fmt.Sprintf("http://127.0.0.1:%d%s", w.site.nodes[i].console, path)
}

func (w *walk) post(i int, path string, form url.Values) bool {
	resp, err := w.http[i].PostForm(w.url(i, path), form)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	return resp.StatusCode == http.StatusOK && resp.Request.URL.Path != "/login"
}

func (w *walk) login(i int) bool {
	return w.post(i, "/login", url.Values{"name": {"admin"}, "password": {sitePassword}})
}

func (w *walk) stop() { w.end.Store(true) }

func (w *walk) run() {
	var both sync.WaitGroup
	for i := range w.http {
		both.Go(func() {
			for !w.end.Load() {
				w.round(i)
			}
		})
	}
	both.Wait()
}

var (
	links = regexp.MustCompile(`href="(/[^"#]*)"`)
	ids   = regexp.MustCompile(`/[^/]*[0-9.@][^/]*`)
)

// step is a page to look at, and the page that links to it.
type step struct{ path, from string }

// round follows links from the overview to every kind of page, one of each.
func (w *walk) round(i int) {
	todo, seen := []step{{path: "/"}}, map[string]bool{"/": true}
	for len(todo) > 0 && !w.end.Load() {
		now := todo[0]
		todo = todo[1:]
		text, status, ok := w.look(i, now.path)
		if !ok {
			time.Sleep(time.Second) // it restarts
			if !w.login(i) {
				return
			}
			continue
		}
		if status != http.StatusOK {
			w.complain(i, now, status)
			continue
		}
		for _, l := range links.FindAllStringSubmatch(text, -1) {
			if k := kind(l[1]); !seen[k] && !strings.HasPrefix(k, "/static") && !strings.HasPrefix(k, "/metrics") {
				seen[k] = true
				todo = append(todo, step{strings.ReplaceAll(l[1], "&amp;", "&"), now.path})
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// kind is a page's path with what differs from one such page to the next left out.
func kind(path string) string {
	path, _, _ = strings.Cut(path, "?")
	return ids.ReplaceAllString(path, "/*")
}

func (w *walk) look(i int, path string) (text string, status int, ok bool) {
	began := time.Now()
	resp, err := w.http[i].Get(w.url(i, path))
	if err != nil {
		return "", 0, false
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.Request.URL.Path == "/login" {
		return "", 0, false
	}
	if resp.StatusCode == http.StatusOK {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.took[kind(path)] = append(w.took[kind(path)], time.Since(began))
	}
	return string(b), resp.StatusCode, true
}

// complain notes an answer that was no page. What is gone is no fault, as a campaign that was forgotten for younger ones, if the page
// that led to it no longer does, or is gone as well.
func (w *walk) complain(i int, at step, status int) {
	if status == http.StatusNotFound && at.from != "" {
		text, again, ok := w.look(i, at.from)
		if !ok || again == http.StatusNotFound || again == http.StatusOK && !strings.Contains(strings.ReplaceAll(text, "&amp;", "&"), `href="`+at.path+`"`) {
			return
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.bad[fmt.Sprint(at.path, " ", status)]++
}

// report prints how long each page took. A page that failed is an error; a slow one is for who reads the figures: machines of
// tests are busy with mail on purpose.
func (w *walk) report() {
	var all []time.Duration
	for _, page := range slices.Sorted(maps.Keys(w.took)) {
		d := slices.Sorted(slices.Values(w.took[page]))
		all = append(all, d...)
		w.t.Logf("%-28s %5d times: median %4d ms, slowest %4d ms", page, len(d), d[len(d)/2].Milliseconds(), d[len(d)-1].Milliseconds())
	}
	slices.Sort(all)
	over := 0
	for _, d := range all {
		if d > 200*time.Millisecond {
			over++
		}
	}
	w.t.Logf("%d pages of %d kinds: median %v, 99 of 100 within %v, %d over 200 ms", len(all), len(w.took), all[len(all)/2], all[len(all)*99/100], over)
	for what, n := range w.bad {
		w.t.Errorf("%d times: %s", n, what)
	}
	if len(w.took) < 15 {
		w.t.Errorf("only %d kinds of pages were seen", len(w.took))
	}
}
