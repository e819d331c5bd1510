package node

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rempart/dns/dnstest"
	"rempart/message"
	"rempart/message/dkim"
	"rempart/message/email"
	"rempart/sign"
)

// lines is a log that can be read while it is written.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

// wait waits until the log has the text, so many times.
func (l *lines) wait(t *testing.T, text string, n int) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		l.mu.Lock()
		got := strings.Count(l.buf.String(), text)
		l.mu.Unlock()
		if got >= n {
			return
		}
	}
	t.Fatalf("the log has not %d of %q:\n%s", n, text, l.buf.String())
}

// selectors are those that a node signs a mail of a.example with.
func selectors(t *testing.T, n *Node) string {
	t.Helper()
	m := email.ParseBytes([]byte("From: ann@a.example\r\n\r\nHello.\r\n"))
	m.Direction = message.Out
	var names []string
	for _, f := range n.sign(m) {
		tags, err := dkim.ParseTags(f.Value)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, tags["s"])
	}
	return strings.Join(names, " ")
}

// A node takes a new key as the page says: added behind the old one it waits for its record, then for an hour; a wrong file
// changes nothing and is named.
func TestChangeOfAKey(t *testing.T) {
	dir := t.TempDir()
	record := func(selector string) string {
		k, err := sign.Generate(dkim.Ed25519)
		if err != nil {
			t.Fatal(err)
		}
		b, err := k.PEM()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, selector+".key"), b, 0o644); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%s._domainkey.a.example. 60 IN TXT %q", selector, k.Record())
	}
	older, newer := record("old"), record("new")
	configured := func(zone *dnstest.Zone, selectors ...string) Config {
		text := fmt.Sprintf("data = %q\n[console]\nlisten = []\n[dns]\nservers = [%q]\n", filepath.Join(dir, "data"), zone.Addr)
		for _, s := range selectors {
			text += fmt.Sprintf("[[sign.key]]\ndomain = 'a.example'\nselector = %q\nfile = '%s.key'\n", s, s)
		}
		path := filepath.Join(dir, "rempart.toml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}

	var log lines
	var later atomic.Int64
	first := configured(dnstest.Serve(t, older), "old")
	n, err := Open(t.Context(), first, slog.New(slog.NewTextHandler(&log, nil)), func() time.Time { return time.Now().Add(time.Duration(later.Load())) })
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Work(ctx, func(ctx context.Context) error { <-ctx.Done(); return nil }) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	signs := func(when, want string) {
		t.Helper()
		if got := selectors(t, n); got != want {
			t.Errorf("%s: %q signs, want %q", when, got, want)
		}
	}
	reload := func(c Config) {
		t.Helper()
		if err := n.Reload(c); err != nil {
			t.Fatal(err)
		}
	}

	log.wait(t, "old.key: others may read", 1)
	log.wait(t, "record=old._domainkey.a.example algorithm=ed25519-sha256 state=published why=\"\" signs=true", 1)
	signs("at the start", "old")
	reload(configured(dnstest.Serve(t, older), "old", "new"))
	log.wait(t, "record=new._domainkey.a.example algorithm=ed25519-sha256 state=missing", 1)
	signs("without a record", "old")
	both := dnstest.Serve(t, older, newer)
	reload(configured(both, "old", "new"))
	log.wait(t, "record=new._domainkey.a.example algorithm=ed25519-sha256 state=published why=\"\" signs=false", 1)
	signs("with a new record", "old")
	if err := os.WriteFile(filepath.Join(dir, "wrong.key"), []byte("no key"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := n.Reload(configured(both, "old", "new", "wrong")); err == nil || !strings.Contains(err.Error(), "sign.key[2].file: "+dir+"/wrong.key: it is neither") {
		t.Errorf("a wrong key: %v", err)
	}
	later.Store(int64(time.Hour))
	signs("an hour later", "new")
	reload(configured(both, "old", "new"))
	log.wait(t, "record=new._domainkey.a.example algorithm=ed25519-sha256 state=published why=\"\" signs=true", 1)
	reload(configured(dnstest.Serve(t, newer), "new"))
	signs("the old key is gone", "new")
}

// Every block of configuration of docs/signing.md is right, by itself.
func TestSigningPage(t *testing.T) {
	page, err := os.ReadFile("../docs/signing.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?ms)^ *```toml\n(.*?)^ *```").FindAllStringSubmatch(string(page), -1)
	for _, b := range blocks {
		path := filepath.Join(t.TempDir(), "rempart.toml")
		if err := os.WriteFile(path, []byte(b[1]), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(path); err != nil {
			t.Error(err)
		}
	}
	if len(blocks) < 4 {
		t.Errorf("%d blocks found", len(blocks))
	}
}

// A seal tells what DNS says: without DNS there is none, and the file says so with its line.
func TestSealNeedsDNS(t *testing.T) {
	path, _ := configuration(t, "[sign]\narc_domain = 'a.example'\n")
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), "sign.arc_domain = \"a.example\": a seal tells what DNS says") || !strings.Contains(err.Error(), path+":") {
		t.Errorf("%v", err)
	}
}
