package node

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rempart/catalogue"
	"rempart/index"
	"rempart/measure"
	"rempart/message"
	"rempart/policy"
)

// scs.New starts the cleaner of a store that the console replaces at once; the library has no safe way to stop it.
func TestMain(m *testing.M) {
	if what := os.Getenv(idleClient); what != "" {
		if err := openIdle(what); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/alexedwards/scs/v2/memstore.(*MemStore).startCleanup"))
}

func discard() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// configuration writes a file with one API front door on a free port.
func configuration(t testing.TB, more string) (path, addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr = l.Addr().String()
	l.Close()
	digest := sha256.Sum256([]byte("secret"))
	path = filepath.Join(t.TempDir(), "rempart.toml")
	text := fmt.Sprintf(`
name = "n1"
[console]
listen = []
[dns]
off = true
[[gateway.api]]
name = "api"
listen = [%q]
[[gateway.api.token]]
name = "tests"
sha256 = %q
rights = ["judge", "learn"]
%s`, addr, hex.EncodeToString(digest[:]), more)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path, addr
}

// serve opens a node and runs it until stop is called.
func serve(t testing.TB, path string) (n *Node, stop func()) {
	t.Helper()
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return serveConfig(t, c)
}

func serveConfig(t testing.TB, c Config) (n *Node, stop func()) {
	t.Helper()
	return serveClock(t, c, time.Now)
}

func serveClock(t testing.TB, c Config, now func() time.Time) (n *Node, stop func()) {
	t.Helper()
	n, err := Open(t.Context(), c, discard(), now)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- n.Serve(ctx, func() { close(ready) }) }()
	select {
	case <-ready:
	case err := <-done:
		cancel()
		t.Fatalf("the node did not start: %v", err)
	}
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the node ended with %v", err)
		}
		if err := n.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		http.DefaultClient.CloseIdleConnections()
	}
	t.Cleanup(stop)
	return n, stop
}

func post(t *testing.T, addr, path, contentType, body string, out any) {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, "http://"+addr+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer secret")
	r.Header.Set("Content-Type", contentType)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %s %v", path, resp.Status, b, err)
	}
	if err := json.Unmarshal(b, out); err != nil {
		t.Fatalf("%s: %v in %s", path, err, b)
	}
}

const offer = "From: shop@a.example\r\nTo: ben@b.example\r\nMessage-ID: <7@a.example>\r\nSubject: your parcel\r\n\r\n" +
	"Your parcel 4471 is held at the depot, pay the fee at https://fee.a.example/ within 24 hours.\r\n"

func TestJudgeTeachRestart(t *testing.T) {
	path, addr := configuration(t, "[keep]\nsubjects = true\n")
	n, stop := serve(t, path)

	var before, after catalogue.Verdict
	post(t, addr, "/v1/judge/email", "message/rfc822", offer, &before)
	var taught struct{ Before, After float64 }
	lesson, _ := json.Marshal(map[string]any{"label": "spam", "channel": "email", "message": []byte(offer)})
	post(t, addr, "/v1/learn", "application/json", string(lesson), &taught)
	post(t, addr, "/v1/judge/email", "message/rfc822", offer, &after)
	if before.Probability >= 0.9 || after.Probability < 0.95 || taught.After != after.Probability {
		t.Errorf("probability %v, then %v; the lesson said %+v", before.Probability, after.Probability, taught)
	}
	if got := n.tallies.Total(time.Now().Add(-2*time.Hour), time.Now().Add(time.Hour)).Volumes(); len(got) != 2 {
		t.Errorf("volumes: %+v", got)
	}
	stop()

	n, stop = serve(t, path)
	defer stop()
	var again catalogue.Verdict
	post(t, addr, "/v1/judge/email", "message/rfc822", offer, &again)
	if again.Score != after.Score {
		t.Errorf("score %v before the restart, %v after it", after.Score, again.Score)
	}
	if n := n.tallies.Total(time.Now().Add(-2*time.Hour), time.Now().Add(time.Hour)); sum(n.Volumes()) != 3 {
		t.Errorf("volumes after the restart: %+v", n.Volumes())
	}
	for _, q := range []string{"7@a.example", "parcel", "fee.a.example"} {
		waitForEvents(t, n, q, 3)
	}
}

// waitForEvents waits until the index, which is written behind the judging path, has so many events.
func waitForEvents(t *testing.T, n *Node, text string, want int) []*message.Event {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		page, err := n.index.Search(t.Context(), index.Query{Text: text})
		if err == nil && len(page.Events) == want {
			return page.Events
		}
		if time.Now().After(deadline) {
			t.Fatalf("%q: %d events (%v), want %d", text, len(page.Events), err, want)
		}
		time.Sleep(10 * time.Millisecond) // polling a writer of another goroutine, bounded above
	}
}

// What was judged can be taught by its id, and the lesson is the same as with the message at hand.
func TestTeachAnEvent(t *testing.T) {
	path, addr := configuration(t, "")
	n, _ := serve(t, path)
	var v, after catalogue.Verdict
	post(t, addr, "/v1/judge/email", "message/rfc822", offer, &v)
	waitForEvents(t, n, "7@a.example", 1)
	was, is, err := n.Teach(t.Context(), v.ID, message.Spam, "ann")
	if err != nil {
		t.Fatal(err)
	}
	post(t, addr, "/v1/judge/email", "message/rfc822", offer, &after)
	if was != v.Probability || is != after.Probability || is < 0.9 {
		t.Errorf("taught %v -> %v; judged %v, then %v", was, is, v.Probability, after.Probability)
	}
	if _, _, err := n.Teach(t.Context(), "none", message.Spam, "ann"); !errors.Is(err, index.ErrNotFound) {
		t.Errorf("an unheard-of message gives %v", err)
	}
}

// A lost snapshot is only time: the journal makes the same weights again.
func TestReplayEqualsSnapshot(t *testing.T) {
	path, addr := configuration(t, "")
	n, stop := serve(t, path)
	for i := range 20 {
		lesson, _ := json.Marshal(map[string]any{"label": []string{"spam", "ham"}[i%2], "channel": "sms",
			"message": map[string]any{"from": "+442079460001", "text": fmt.Sprintf("offer %d of the day, come by", i)}})
		var out any
		post(t, addr, "/v1/learn", "application/json", string(lesson), &out)
	}
	want := n.filter.Snapshot()
	stop()
	if err := os.Remove(filepath.Join(filepath.Dir(path), "data", "journal", "snapshots", filterSnapshot)); err != nil {
		t.Fatal(err)
	}
	n, stop = serve(t, path)
	defer stop()
	if !bytes.Equal(want, n.filter.Snapshot()) {
		t.Error("replayed weights differ from those of the snapshot")
	}
}

func TestReload(t *testing.T) {
	path, addr := configuration(t, "")
	n, _ := serve(t, path)
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	low := 0.01
	c.Policy.Thresholds.Tag = &low
	if err := n.Reload(c); err != nil {
		t.Fatal(err)
	}
	var v catalogue.Verdict
	post(t, addr, "/v1/judge/email", "message/rfc822", offer, &v)
	if v.Action != message.Tag {
		t.Errorf("action %v after the threshold was lowered", v.Action)
	}
	bad := c
	wrong := 7.0
	bad.Policy.Thresholds.Tag = &wrong
	if err := n.Reload(bad); err == nil || !strings.Contains(err.Error(), "policy.thresholds.tag") {
		t.Errorf("a wrong threshold gives %v", err)
	}
	// A front door's mode and tokens change while it is open; its name and sockets do not.
	c.Gateway.API = slices.Clone(c.Gateway.API)
	c.Gateway.API[0].Mode = message.ModeShadow
	if err := n.Reload(c); err != nil {
		t.Fatal(err)
	}
	post(t, addr, "/v1/judge/email", "message/rfc822", offer, &v)
	if v.Action != message.Accept {
		t.Errorf("action %v after the front door was put to shadow", v.Action)
	}
	renamed := c
	renamed.Gateway.API = slices.Clone(c.Gateway.API)
	renamed.Gateway.API[0].Name = "other"
	if err := n.Reload(renamed); err == nil || !strings.Contains(err.Error(), "gateway.api[0].name") {
		t.Errorf("another name gives %v", err)
	}
	moved := c
	moved.Data = t.TempDir()
	if err := n.Reload(moved); err == nil || !strings.Contains(err.Error(), "data") {
		t.Errorf("another data directory gives %v", err)
	}
}

// Score and decision of a thousand recorded events are made again from the events alone.
func TestEventsCanBeMadeAgain(t *testing.T) {
	path, _ := configuration(t, "[policy.thresholds]\ntag = 0.2\nhold = 0.3\nreject = 0.5\n")
	n, _ := serve(t, path)
	const events = 1000
	actions := map[message.Action]int{}
	for i := range events {
		m := &message.Message{Channel: message.SMS, Direction: message.In, Door: "x", Text: strings.Repeat(fmt.Sprintf("WIN %d euros, call +44 20 7946 0004. ", i), i%3),
			Links:    []message.Link{{URL: "http://192.0.2.1/", Scheme: "http", Host: "192.0.2.1"}}[:i%2],
			MailFrom: []string{"PayPa1", "+442079460003", "BANK"}[i%3], Recipients: []message.Recipient{{Address: "+442079460002"}}}
		actions[n.Judge(t.Context(), m).Decisions[0].Action]++
	}
	if len(actions) < 2 {
		t.Fatalf("only %v was decided: nothing is tested", actions)
	}
	waitForCount(t, n, events)
	seen := 0
	for q := (index.Query{Text: "+442079460002", Limit: 500}); ; {
		page, err := n.index.Search(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Events {
			seen++
			v := &e.Verdicts[0]
			if v.Sum() != v.Score || v.Calibration.Probability(v.Score) != v.Probability {
				t.Fatalf("event %s: score %d, sum %d", e.ID, v.Score, v.Sum())
			}
			if again := policy.Remake(e); again[0].Action != e.Outcomes[0].Decision.Action || again[0].Rule != e.Outcomes[0].Decision.Rule {
				t.Fatalf("event %s: %+v, made again %+v", e.ID, e.Outcomes[0].Decision, again[0])
			}
		}
		if q.Cursor = page.Next; page.Next == 0 {
			break
		}
	}
	t.Logf("%d events made again: %v", seen, actions)
	if seen != events {
		t.Errorf("%d events of %d", seen, events)
	}
}

// waitForCount waits until so many events are written.
func waitForCount(t *testing.T, n *Node, want uint64) {
	t.Helper()
	for range 1000 {
		if s, err := n.index.Stats(t.Context()); err == nil && s.Written >= want {
			return
		}
		time.Sleep(10 * time.Millisecond) // polling a writer of another goroutine, bounded
	}
	t.Fatalf("fewer than %d events were written", want)
}

func sum(volumes []measure.VolumeCount) (n uint64) {
	for _, v := range volumes {
		n += v.Messages
	}
	return n
}

// The switch is a record: it stays on after a restart.
func TestShadowStays(t *testing.T) {
	path, addr := configuration(t, "[policy.thresholds]\nhold = 0.01\n")
	n, stop := serve(t, path)
	if err := n.SetShadow(t.Context(), true, "ann"); err != nil {
		t.Fatal(err)
	}
	stop()
	n, _ = serve(t, path)
	if !n.Shadow() {
		t.Fatal("shadow mode is off after the restart")
	}
	var v catalogue.Verdict
	post(t, addr, "/v1/judge/email", "message/rfc822", offer, &v)
	if v.Action != message.Accept {
		t.Errorf("action %v in shadow mode", v.Action)
	}
	for _, e := range waitForEvents(t, n, "7@a.example", 1) {
		if d := e.Outcomes[0].Decision; d.Action != message.Hold || d.Mode != message.ModeShadow {
			t.Errorf("recorded: %v in mode %v, want hold in shadow", d.Action, d.Mode)
		}
	}
}

func TestConsole(t *testing.T) {
	path, _ := configuration(t, "")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, bytes.Replace(b, []byte("listen = []"), []byte(`listen = ["127.0.0.1:0"]`), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	n, _ := serve(t, path)
	link, err := n.FirstLink(t.Context())
	if err != nil || !strings.HasPrefix(link, n.ConsoleURL()+"/") {
		t.Fatalf("link %q, %v", link, err)
	}
	for url, want := range map[string]string{n.ConsoleURL() + "/metrics": "rempart_journal_up 1", link: "<!doctype html"} {
		resp, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(strings.ToLower(string(body)), want) {
			t.Errorf("%s: %s, lacks %q (%v)", url, resp.Status, want, err)
		}
	}
}

// Who may enter a data directory that an operator opened to others must not thereby teach or back up keys.
func TestControlSocketIsTheUsersAlone(t *testing.T) {
	path, _ := configuration(t, "")
	data := filepath.Join(filepath.Dir(path), "data")
	if err := os.MkdirAll(data, 0o755); err != nil {
		t.Fatal(err)
	}
	serve(t, path)
	s, err := os.Stat(filepath.Join(data, controlDir))
	if err != nil || s.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v: want mode 0700", s.Mode(), err)
	}
	if _, err := os.Stat(filepath.Join(data, controlSocket)); err != nil {
		t.Error(err)
	}
}

// Every key of the health page has its sentence.
func TestHealthHasSentences(t *testing.T) {
	path, _ := configuration(t, "")
	n, _ := serve(t, path)
	for _, row := range n.Health(t.Context()).Rows {
		if !catalogue.English().Has(row.Key) {
			t.Errorf("the catalogue lacks %s", row.Key)
		}
	}
}
