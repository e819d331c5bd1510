//go:build integration

package smpp

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rempart/config"
	"rempart/gateway"
	"rempart/gateway/smpp/pdu"
	"rempart/message"
)

// kannel is a bearerbox and a smsbox of their own, bound to the proxy as the page says.
func startKannel(t *testing.T, proxyPort string) (sendURL string) {
	t.Helper()
	var programs []string
	for _, name := range []string{"bearerbox", "smsbox"} {
		path, err := exec.LookPath(name)
		if err != nil {
			if path = "/usr/sbin/" + name; !exists(path) {
				t.Skip("Kannel is not installed")
			}
		}
		programs = append(programs, path)
	}
	dir := t.TempDir()
	admin, box, send := freePort(t), freePort(t), freePort(t)
	conf := fmt.Sprintf(`
group = core
admin-port = %s
admin-password = secret
smsbox-port = %s
box-allow-ip = 127.0.0.1
box-deny-ip = *.*.*.*
log-file = %s/bearerbox.log
log-level = 1
dlr-storage = internal

%s
group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = %s
sendsms-port = %s
log-file = %s/smsbox.log
log-level = 1

group = sendsms-user
username = tester
password = secret
max-messages = 10
concatenation = true

group = sms-service
keyword = default
text = none
max-messages = 0
`, admin, box, dir, strings.Replace(snippet(t, "kannel"), "port = 2775", "port = "+proxyPort, 1), box, send, dir)
	file := filepath.Join(dir, "kannel.conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	for i, program := range programs {
		cmd := exec.Command(program, file)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = cmd.Process.Signal(os.Interrupt)
			timer := time.AfterFunc(5*time.Second, func() { _ = cmd.Process.Kill() })
			_ = cmd.Wait()
			timer.Stop()
			if t.Failed() && i == 0 {
				log, _ := os.ReadFile(dir + "/bearerbox.log")
				t.Logf("%.8000s", log)
			}
		})
		waitPort(t, []string{box, send}[i])
	}
	// smsbox listens before it answers: a request in between is cut off.
	waitFor(t, "an answer of smsbox", func() bool {
		resp, err := http.Get("http://127.0.0.1:" + send + "/")
		if err == nil {
			resp.Body.Close()
		}
		return err == nil
	})
	return "http://127.0.0.1:" + send + "/cgi-bin/sendsms?username=tester&password=secret"
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

func freePort(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

func waitPort(t *testing.T, port string) {
	t.Helper()
	waitFor(t, "port "+port, func() bool {
		c, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

// snippet is the page's block of a kind.
func snippet(t *testing.T, kind string) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/frontdoor-smpp.md")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile("(?ms)^```" + kind + "\n(.*?)^```").FindStringSubmatch(string(page))
	if m == nil {
		t.Fatalf("the page has no %s block", kind)
	}
	return m[1]
}

// Kannel sends texts through the proxy: accepted ones arrive and their receipts come back to Kannel, refused ones do not
// arrive and Kannel reports them as failed; a long text comes in parts, in UCS-2 too.
func TestKannel(t *testing.T) {
	var file struct {
		Gateway struct {
			SMPP []Config `toml:"smpp"`
		} `toml:"gateway"`
	}
	if err := config.Parse("docs/frontdoor-smpp.md", []byte(snippet(t, "toml")), &file); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var seen []string
	r := newRig(t, func(ctx context.Context, m *message.Message) gateway.Answer {
		mu.Lock()
		seen = append(seen, m.Text)
		mu.Unlock()
		if strings.Contains(m.Text, "prize") {
			return always(message.Reject)(ctx, m)
		}
		return always(message.Accept)(ctx, m)
	}, func(c *Config) {
		hops := c.NextHops
		*c = file.Gateway.SMPP[0]
		c.Listen, c.NextHops = []string{"127.0.0.1:0"}, hops
	})
	_, port, _ := net.SplitHostPort(r.addr)

	reports := make(chan string, 100)
	dlr := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		reports <- q.URL.Query().Get("n") + " " + q.URL.Query().Get("type")
	})}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { _ = dlr.Serve(l); close(done) }()
	t.Cleanup(func() { dlr.Close(); <-done; http.DefaultClient.CloseIdleConnections() })

	sendURL := startKannel(t, port)
	waitFor(t, "Kannel's bind", func() bool { r.smsc.mu.Lock(); defer r.smsc.mu.Unlock(); return len(r.smsc.conns) > 0 })
	send := func(n, text, more string) {
		t.Helper()
		back := "http://" + l.Addr().String() + "/?n=" + n + "&type=%d"
		u := sendURL + "&from=ACME&to=%2B447700900001&dlr-mask=31&dlr-url=" + url.QueryEscape(back) + "&text=" + url.QueryEscape(text) + more
		resp, err := http.Get(u)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if b, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusAccepted {
			t.Fatalf("Kannel says %d %s", resp.StatusCode, b)
		}
	}
	want := func(n, kinds string) { // of a report: 1 delivered, 8 taken by the message centre, 16 refused
		t.Helper()
		got := map[string]bool{}
		for range strings.Fields(kinds) {
			select {
			case s := <-reports:
				got[s] = true
			case <-time.After(15 * time.Second):
				t.Fatalf("reports on text %s: %v, want %s", n, got, kinds)
			}
		}
		for _, k := range strings.Fields(kinds) {
			if !got[n+" "+k] {
				t.Fatalf("reports on text %s: %v, want %s", n, got, kinds)
			}
		}
	}
	send("1", "hello", "")
	want("1", "8 1")
	send("2", "you won a prize", "")
	want("2", "16")
	send("3", "\u0417\u0434\u0440\u0430\u0432\u0435\u0439", "&coding=2&charset=UTF-8")
	want("3", "8 1")
	long := strings.Repeat("a long text ", 20)
	send("4", long, "")
	want("4", "8 1")

	mu.Lock()
	defer mu.Unlock()
	whole := func(text string) bool { return strings.TrimSpace(text) == strings.TrimSpace(long) }
	if len(seen) != 5 || seen[0] != "hello" || seen[2] != "\u0417\u0434\u0440\u0430\u0432\u0435\u0439" || !slices.ContainsFunc(seen[3:], whole) { // parts are judged side by side
		t.Errorf("judged: %q", seen)
	}
	var texts int
	for _, u := range r.smsc.received() {
		if u.ID() == pdu.SubmitSM {
			texts++
		}
	}
	if texts != 4 {
		t.Errorf("%d texts arrived", texts)
	}
}
