package gateway

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pelletier/go-toml/v2"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"rempart/config"
	"rempart/message"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func host(judge Judge) *Host {
	return &Host{Judge: judge, Log: slog.New(slog.DiscardHandler), Metrics: NewMetrics(prometheus.NewRegistry())}
}

func TestDoorFromTOML(t *testing.T) {
	var c struct {
		Door
		NextHops []string `toml:"next_hops"`
	}
	const text = `
name = "mx"
direction = "out"
mode = "shadow"
on_error = "tempfail"
listen = ["127.0.0.1:8891"]
budget = "2s"
next_hops = ["127.0.0.1:2776"]
`
	d := toml.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		t.Fatal(err)
	}
	got := c.WithDefaults()
	if got.Direction != message.Out || got.Mode != message.ModeShadow || got.Budget != config.Duration(2*time.Second) ||
		got.MaxConnections != 1000 || len(c.NextHops) != 1 {
		t.Errorf("%+v", c)
	}
	if got.OnError != OnErrorAccept {
		t.Error("in shadow on_error is accept, whatever is written")
	}
	if err := got.Check("gateway.milter[0]"); err != nil {
		t.Error(err)
	}
	err := Door{Direction: 9, Budget: -1}.Check("gateway.milter[1]")
	for _, want := range []string{"gateway.milter[1].name", ".direction", ".listen", ".budget"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
	if err := toml.Unmarshal([]byte(`on_error = "drop"`), &c); err == nil {
		t.Error("on_error = drop was taken")
	}
}

func TestAsk(t *testing.T) {
	door := Door{Name: "t", Budget: config.Duration(20 * time.Millisecond)}.WithDefaults()
	var release chan struct{}
	decision := Answer{Decisions: []message.Decision{{Action: message.Tag}}}
	for _, tt := range []struct {
		name  string
		judge Judge
		want  error
	}{
		{"in time", func(context.Context, *message.Message) Answer { return decision }, nil},
		{"when its time is over, with what it has", func(ctx context.Context, _ *message.Message) Answer { <-ctx.Done(); return decision }, nil},
		{"never", func(context.Context, *message.Message) Answer { <-release; return decision }, ErrBudget},
		{"panics", func(context.Context, *message.Message) Answer { panic("broken") }, ErrPanic},
		{"empty", func(context.Context, *message.Message) Answer { return Answer{} }, ErrNoDecision},
	} {
		synctest.Test(t, func(t *testing.T) { // however busy the machine is
			release = make(chan struct{})
			if _, err := host(tt.judge).Ask(t.Context(), &door, &message.Message{}); !errors.Is(err, tt.want) {
				t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
			}
			close(release)
			time.Sleep(2 * judgeIdle)
		})
	}
	two := &message.Message{Recipients: make([]message.Recipient, 2)}
	if _, err := host(func(context.Context, *message.Message) Answer { return decision }).Ask(t.Context(), &door, two); !errors.Is(err, ErrNoDecision) {
		t.Errorf("one decision for two recipients: %v", err)
	}
}

// A panic ends one connection, one connection too many is closed, and the end of ctx waits for what is in hand.
func TestServe(t *testing.T) {
	door := Door{Name: "t", MaxConnections: 2, Drain: config.Duration(5 * time.Second)}.WithDefaults()
	l := listen(t, "127.0.0.1:0")
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error)
	h := host(nil)
	go func() {
		served <- h.Serve(ctx, &door, l, func(ctx context.Context, c net.Conn) {
			b := make([]byte, 1)
			if _, err := io.ReadFull(c, b); err == nil && b[0] == 'p' {
				panic("broken")
			}
			<-ctx.Done()
			_, _ = c.Write([]byte("finished"))
		})
	}()
	dial := func(send string) net.Conn {
		c, err := net.Dial("tcp", l[0].Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		_, _ = c.Write([]byte(send))
		return c
	}
	broken := dial("p")
	if b, _ := io.ReadAll(broken); len(b) != 0 {
		t.Errorf("after a panic: %q", b)
	}
	a := dial("w")
	b := dial("w")
	if rest, _ := io.ReadAll(dial("w")); len(rest) != 0 {
		t.Errorf("one too many: %q", rest)
	}
	stop()
	for _, c := range []net.Conn{a, b} {
		if rest, _ := io.ReadAll(c); !bytes.Equal(rest, []byte("finished")) {
			t.Errorf("in hand when stopped: got %q", rest)
		}
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func listen(t *testing.T, addr string) []net.Listener {
	t.Helper()
	l, err := Listen(t.Context(), addr)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestListenUnixReplacesOnlyTheAbandoned(t *testing.T) {
	path := filepath.Join(t.TempDir(), "milter.sock")
	first := listen(t, "unix:"+path)[0]
	if _, err := Listen(t.Context(), "unix:"+path); err == nil {
		t.Fatal("took over a socket in use")
	}
	first.(*net.UnixListener).SetUnlinkOnClose(false) // as kill -9 leaves it
	_ = first.Close()
	_ = listen(t, "unix:"+path)[0].Close()
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(t.Context(), "unix:"+path); err == nil {
		t.Error("replaced a file that is no socket")
	}
}

func TestListenWithoutSystemd(t *testing.T) {
	if _, err := Listen(t.Context(), "systemd:mx"); err == nil || !strings.Contains(err.Error(), ".socket unit") {
		t.Errorf("%v", err)
	}
}

func TestNewIDSortsByTime(t *testing.T) {
	start := time.UnixMilli(1_700_000_000_000)
	var ids []string
	for i := range 100 {
		ids = append(ids, NewID(start.Add(time.Duration(i)*time.Millisecond)))
	}
	if !sort.StringsAreSorted(ids) {
		t.Error("ids do not sort by time")
	}
	if first, second := NewID(start), NewID(start); first == second {
		t.Error("the same id twice")
	}
}

// TestListenSystemd passes a socket to a process as systemd does; that process is this test again.
func TestListenSystemd(t *testing.T) {
	if os.Getenv("REMPART_TEST_SYSTEMD") != "" {
		// systemd sets LISTEN_PID between fork and exec, where it knows the number.
		t.Setenv("LISTEN_PID", strconv.Itoa(os.Getpid()))
		l := listen(t, "systemd:mx")
		if _, err := Listen(t.Context(), "systemd:other"); err == nil || !strings.Contains(err.Error(), "only mx") {
			t.Errorf("%v", err)
		}
		c, err := l[0].Accept()
		if err != nil {
			t.Fatal(err)
		}
		_, _ = c.Write([]byte("from the child"))
		_, _ = c.Close(), l[0].Close()
		return
	}
	l := listen(t, "127.0.0.1:0")[0]
	f, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	addr := l.Addr().String()
	_ = l.Close()
	child := exec.Command(os.Args[0], "-test.run=^TestListenSystemd$")
	child.Env = append(os.Environ(), "REMPART_TEST_SYSTEMD=1", "LISTEN_FDS=1", "LISTEN_FDNAMES=mx")
	child.ExtraFiles = []*os.File{f} // descriptor 3
	var out bytes.Buffer
	child.Stdout, child.Stderr = &out, &out
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if got, _ := io.ReadAll(c); string(got) != "from the child" {
		t.Errorf("got %q", got)
	}
	if err := child.Wait(); err != nil {
		t.Errorf("%v\n%s", err, out.String())
	}
}
