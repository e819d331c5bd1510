package journal

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
)

// TestNoMajority takes two of three servers away while records come: none is refused, they are kept here though a server is
// connected, and when the others are back the log has each once.
func TestNoMajority(t *testing.T) {
	c := threeServers(t)
	j, err := Open(t.Context(), t.TempDir(), Config{Servers: c.urls, SyncInterval: "always", SecretFile: "secret"}, discard())
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- j.Run(ctx) }()
	mustAppend(t, j, Lessons, "first", "1")
	want := []string{"first=1"}
	c.stop(0)
	for _, id := range []string{"one away a", "one away b"} {
		if _, err := j.Append(t.Context(), Lessons, id, []byte("2")); err != nil && !errors.Is(err, ErrQueued) {
			t.Fatalf("%s: %v", id, err)
		}
		want = append(want, id+"=2")
	}
	c.stop(1)
	for _, id := range []string{"two away a", "two away b", "two away c"} {
		if _, err := j.Append(t.Context(), Lessons, id, []byte("3")); !errors.Is(err, ErrQueued) {
			t.Fatalf("%s: %v", id, err)
		}
		want = append(want, id+"=3")
	}
	if h := j.Health(t.Context()); h.State != "no answer of the cluster" || h.Queued < 3 {
		t.Errorf("health says %q, %d waiting", h.State, h.Queued)
	}
	c.start(t, 0)
	c.start(t, 1)
	slices.Sort(want)
	until(t, "all is in the log", func() bool {
		var got []string
		_, err := j.Replay(t.Context(), Lessons, 0, func(r Record) error {
			got = append(got, r.ID+"="+string(r.Data))
			return nil
		})
		slices.Sort(got)
		return err == nil && slices.Equal(got, want)
	})
	until(t, "nothing waits", func() bool { h := j.Health(t.Context()); return h.State == "running" && h.Queued == 0 })
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// three is a JetStream cluster.
type three struct {
	options [3]*server.Options
	servers [3]*server.Server
	urls    []string
}

func (c *three) start(t *testing.T, i int) {
	t.Helper()
	s, err := server.NewServer(c.options[i].Clone())
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	c.servers[i] = s
}

func (c *three) stop(i int) { shutdown(c.servers[i]) }

// threeServers is a cluster that is ready to take streams.
func threeServers(t *testing.T) *three {
	t.Helper()
	c := &three{}
	var routes []*url.URL
	free := func() int {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		return l.Addr().(*net.TCPAddr).Port
	}
	for i := range c.options {
		port, peers := free(), free()
		routes = append(routes, &url.URL{Scheme: "nats", Host: fmt.Sprint("127.0.0.1:", peers)})
		c.urls = append(c.urls, fmt.Sprint("nats://127.0.0.1:", port))
		c.options[i] = &server.Options{ServerName: fmt.Sprint("s", i), Host: "127.0.0.1", Port: port, JetStream: true, StoreDir: t.TempDir(), SyncAlways: true,
			NoSigs: true, NoLog: true, MaxPayload: 2 * MaxRecord, Cluster: server.ClusterOpts{Name: "c", Host: "127.0.0.1", Port: peers}}
	}
	for i := range c.options {
		c.options[i].Routes = routes
		c.start(t, i)
		t.Cleanup(func() { c.stop(i) })
	}
	until(t, "the servers agree", func() bool {
		return slices.ContainsFunc(c.servers[:], (*server.Server).JetStreamIsLeader) && !slices.ContainsFunc(c.servers[:], func(s *server.Server) bool { return !s.JetStreamIsCurrent() })
	})
	return c
}

// TestOutboxKeepsOrder holds records back while one of their stream waits, so that what was decided later stays later; a stream that
// is full holds up no other, and a damaged file is put apart.
func TestOutboxKeepsOrder(t *testing.T) {
	c := threeServers(t)
	dir := t.TempDir()
	j, err := Open(t.Context(), dir, Config{Servers: c.urls, SyncInterval: "always", SecretFile: "secret"}, discard())
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	js, err := j.current()
	if err != nil {
		t.Fatal(err)
	}
	full := j.streamConfig(Cases, 0)
	full.MaxBytes = 1
	until(t, "the stream is bounded", func() bool {
		_, err := js.UpdateStream(t.Context(), full)
		return err == nil // the servers may be choosing who leads
	})
	until(t, "the full stream answers, whoever leads it", func() bool {
		_, err := j.append(t.Context(), Cases, "too much", []byte("1"))
		return errors.Is(err, ErrNoSpace)
	})
	if _, err := j.Append(t.Context(), Cases, "too much", []byte("1")); !errors.Is(err, ErrNoSpace) {
		t.Errorf("a full stream answers %v", err)
	}
	for _, queued := range []struct {
		name Stream
		id   string
	}{{Cases, "full"}, {Lessons, "a"}, {Lessons, "b"}} {
		if err := j.queue(queued.name, queued.id, []byte("1")); !errors.Is(err, ErrQueued) {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, outboxDir, "00000000000000000000-00"), []byte("?"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Append(t.Context(), Lessons, "c", []byte("1")); !errors.Is(err, ErrQueued) {
		t.Errorf("a record overtakes: %v", err)
	}
	until(t, "all is sent but what has no place", func() bool {
		return errors.Is(j.sendQueued(t.Context()), ErrNoSpace) // nil while the servers choose who leads a stream
	})
	if j.apart(Lessons) {
		t.Error("a stream of which nothing waits is held up by another")
	}
	until(t, "the last is stored", func() bool {
		if _, err := j.Append(t.Context(), Lessons, "d", []byte("1")); err == nil {
			return true
		}
		_ = j.sendQueued(t.Context()) // it was put aside while the servers chose who leads
		return false
	})
	if got, _ := all(t, j, Lessons, 0); !slices.Equal(got, []string{"a=1", "b=1", "c=1", "d=1"}) {
		t.Errorf("the log has %v", got)
	}
	if left, err := os.ReadDir(filepath.Join(dir, damagedDir)); err != nil || len(left) != 1 || j.queued() != 1 {
		t.Errorf("%d put apart, %d wait, %v", len(left), j.queued(), err)
	}
}
