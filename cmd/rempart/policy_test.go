package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rempart/message"
	"rempart/message/email"
	"rempart/node"
)

// runRempart runs a command and gives what it printed.
func runRempart(t *testing.T, want int, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	e := &env{ctx: t.Context(), stdin: strings.NewReader(""), stdout: &out, stderr: &errs, now: time.Now}
	if code := run(e, args); code != want {
		t.Fatalf("%v: exit code %d: %s", args, code, errs.String())
	}
	return out.String(), errs.String()
}

// A preview decides again about what the node recorded, running or not, and says what it cannot tell.
func TestPolicyPreview(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const base = "data = \"data\"\n[console]\nlisten = []\n[dns]\noff = true\n"
	c, err := node.Load(write("old.toml", base))
	if err != nil {
		t.Fatal(err)
	}
	changed := write("new.toml", base+`
[mailbox]
tables = ["texthash:virtual"]
[[policy.scope]]
user = "ann@b.example"
thresholds = {hold = 0.000001}
[[policy.rule]]
name = "parcels"
when = "message.from_domain == 'a.example' and recipient.user == 'cat@b.example'"
action = "quarantine"
[[policy.rule]]
name = "by-subject"
when = "message.subject contains 'parcel'"
action = "reject"
`)
	write("virtual", "sales@b.example ann@b.example\n")
	n, err := node.Open(t.Context(), c, slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	judge := func(ctx context.Context) error {
		for i := range 700 { // more than a page
			m, err := email.Parse(strings.NewReader(fmt.Sprintf("From: shop@a.example\r\nSubject: your parcel %d\r\n\r\nYour parcel is here.\r\n", i)))
			if err != nil {
				return err
			}
			m.Direction, m.Incumbent.Label = message.In, message.Spam // of what both took for honest the index would keep a sample
			for _, to := range []string{"sales@b.example", "cat@b.example", "ben@b.example"} {
				m.Recipients = append(m.Recipients, message.Recipient{Address: to})
			}
			n.Judge(ctx, m)
		}
		return nil
	}
	if err := n.Work(t.Context(), judge); err != nil {
		t.Fatal(err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	out, _ := runRempart(t, exitOK, "policy", "preview", changed, "--data", filepath.Join(dir, "data"))
	for _, want := range []string{"\naccept -> hold: 7", "\naccept -> quarantine: 7", "(none -> threshold)", "from shop@a.example to sales@b.example", "(none -> rule:parcels)",
		"not told by this:\n  mail for several recipients counts as if each had an answer of its own, where its decisions were not united before\n  rule:by-subject asks message.subject, which events do not record"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	out, _ = runRempart(t, exitOK, "policy", "preview", changed, "--json", "--data", filepath.Join(dir, "data"))
	var p previewed
	if err := json.Unmarshal([]byte(out), &p); err != nil {
		t.Fatal(err)
	}
	if p.Messages < 500 || p.Recipients != 3*p.Messages || p.After[message.Hold] != p.Messages || p.After[message.Quarantine] != p.Messages || p.Before[message.Accept] != p.Recipients {
		t.Errorf("%+v", p)
	}
	running, stop := serving(t, c)
	asked, _ := runRempart(t, exitOK, "policy", "preview", changed, "--json", "--data", filepath.Join(dir, "data"))
	if stop(); asked != out {
		t.Errorf("the running node says\n%s, the stopped one\n%s", asked, out)
	}
	if err := running.Close(); err != nil {
		t.Fatal(err)
	}
	if out, _ := runRempart(t, exitOK, "policy", "preview", changed, "--days", "0", "--data", filepath.Join(dir, "data")); !strings.Contains(out, "no mail") {
		t.Error(out)
	}
}

// serving is a node that runs until stop is called.
func serving(t *testing.T, c node.Config) (n *node.Node, stop func()) {
	t.Helper()
	n, err := node.Open(t.Context(), c, slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- n.Serve(ctx, func() { close(ready) }) }()
	select {
	case <-ready:
	case err := <-done:
		t.Fatal(err)
	}
	return n, func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// What is exported can be read again by the file that it is for.
func TestPolicyExport(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "rempart.toml")
	if err := os.WriteFile(path, []byte("[[policy.scope]]\ndomain = \"a.example\"\nmode = \"shadow\"\n[[policy.scope]]\nuser = \"b\"\nthresholds = {tag = 0.5}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, _ := runRempart(t, exitOK, "policy", "export", path)
	const want = "[\n{\"domain\":\"a.example\",\"mode\":\"shadow\"},\n{\"user\":\"b\",\"thresholds\":{\"tag\":0.5}}\n]\n"
	if out != want {
		t.Errorf("%s, want %s", out, want)
	}
	if err := os.WriteFile(filepath.Join(dir, "scopes.json"), []byte(out), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("[policy]\nscopes_file = \"scopes.json\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if again, _ := runRempart(t, exitOK, "policy", "export", path); again != want {
		t.Errorf("exported again: %s", again)
	}
}

// lines gives the lines of a log to who waits for them.
type lines chan string

func (l lines) Write(b []byte) (int, error) {
	l <- string(b)
	return len(b), nil
}

// Files that the configuration names are taken over when they change, and a wrong one changes nothing.
func TestChangedFilesAreTakenOver(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("scopes.json", `[]`)
	write("virtual", "# nothing yet\n")
	path := write("rempart.toml", "data = \"data\"\n[console]\nlisten = []\n[dns]\noff = true\n[log]\nmessages = false\n[policy]\nscopes_file = \"scopes.json\"\n[mailbox]\ntables = [\"texthash:virtual\"]\n")
	c, err := node.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	log := make(lines, 100)
	n, err := node.Open(t.Context(), c, slog.New(slog.NewTextHandler(log, nil)), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	ctx, stop := context.WithCancel(t.Context())
	last := stamp(path, c.Files())
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		watch(ctx, path, c.Files(), last, n, slog.New(slog.NewTextHandler(log, nil)))
	}()
	defer func() { stop(); <-watched }()
	await := func(want string) {
		t.Helper()
		for after := time.After(20 * time.Second); ; {
			select {
			case line := <-log:
				if strings.Contains(line, want) {
					return
				}
			case <-after:
				t.Fatalf("the log never said %q", want)
			}
		}
	}
	action := func() message.Action {
		m := &message.Message{Channel: message.Email, Direction: message.In, Recipients: []message.Recipient{{Address: "sales@b.example"}}}
		return n.Scan(t.Context(), m).Decisions[0].Action
	}
	write("scopes.json", `[{"user": "ann@b.example", "thresholds": {"tag": 0, "hold": 0.0000001}}]`)
	await("configuration taken over")
	if got := action(); got != message.Accept {
		t.Errorf("before the table: %s", got)
	}
	write("virtual", "sales@b.example ann@b.example\n")
	await("configuration taken over")
	if got := action(); got != message.Hold {
		t.Errorf("with scopes and table: %s", got)
	}
	write("scopes.json", `[{"user": "ann@b.example"}, {"user": 7}]`)
	await(`scopes.json: [1]: user is a number`)
	if got := action(); got != message.Hold {
		t.Errorf("with a wrong file of scopes: %s", got)
	}
}
