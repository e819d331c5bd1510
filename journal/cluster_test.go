package journal

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// TestTwoNodesOneCluster runs two nodes on one NATS server of the operator's, and lets both append the same lesson.
func TestTwoNodesOneCluster(t *testing.T) {
	srv, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), SyncAlways: true,
		NoSigs: true, NoLog: true, MaxPayload: 2 * MaxRecord})
	if err != nil {
		t.Fatal(err)
	}
	srv.Start()
	defer shutdown(srv)
	if !srv.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server does not start")
	}
	open := func() *Journal {
		j, err := Open(context.Background(), t.TempDir(), Config{Servers: []string{srv.ClientURL()}, SyncInterval: "always", SecretFile: "secret"}, discard())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { j.Close() })
		return j
	}
	a, b := open(), open()
	mustAppend(t, a, Lessons, "first", "1")
	mustAppend(t, b, Lessons, "second", "2")
	start := mustAppend(t, a, Lessons, "shared", "3")
	if again := mustAppend(t, b, Lessons, "shared", "3"); again == start {
		t.Fatal("b knew what a wrote: the test shows nothing")
	}
	mustAppend(t, b, Lessons, "last", "4")
	want := []string{"first=1", "second=2", "shared=3", "last=4"}
	for name, j := range map[string]*Journal{"a": a, "b": b, "a third": open()} {
		if got, _ := all(t, j, Lessons, 0); !slices.Equal(got, want) {
			t.Errorf("%s applied %v", name, got)
		}
		if got, _ := all(t, open(), Lessons, start+1); !slices.Equal(got, want[3:]) {
			t.Errorf("from the middle: %v", got)
		}
	}
}

// TestPartition takes the cluster away: appends are kept here, and are in the log when it is back, also after a restart of
// this node in between.
func TestPartition(t *testing.T) {
	store := t.TempDir()
	start := func(port int) *server.Server {
		t.Helper()
		srv, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, JetStream: true, StoreDir: store, SyncAlways: true,
			NoSigs: true, NoLog: true, MaxPayload: 2 * MaxRecord})
		if err != nil {
			t.Fatal(err)
		}
		srv.Start()
		if !srv.ReadyForConnections(10 * time.Second) {
			t.Fatal("the server does not start")
		}
		return srv
	}
	srv := start(-1)
	port := srv.Addr().(*net.TCPAddr).Port
	dir := t.TempDir()
	open := func() *Journal {
		t.Helper()
		j, err := Open(context.Background(), dir, Config{Servers: []string{srv.ClientURL()}, SyncInterval: "always", SecretFile: "secret"}, discard())
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	j := open()
	mustAppend(t, j, Lessons, "before", "1")
	shutdown(srv)
	until(t, "the partition is noticed", func() bool { return j.apart(Lessons) })
	for _, id := range []string{"during", "also"} {
		if _, err := j.Append(context.Background(), Lessons, id, []byte("2")); !errors.Is(err, ErrQueued) {
			t.Fatalf("%s: %v, want %v", id, err, ErrQueued)
		}
	}
	if _, err := j.Append(context.Background(), Tallies, "n/1/2/3", []byte("2")); err == nil || errors.Is(err, ErrQueued) {
		t.Errorf("a tally gives %v: it stays in memory", err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	srv = start(port)
	defer func() { shutdown(srv) }()
	j = open()
	defer j.Close()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- j.Run(ctx) }()
	want := []string{"before=1", "during=2", "also=2"}
	until(t, "the outbox is sent", func() bool { got, _ := all(t, j, Lessons, 0); return slices.Equal(got, want) })
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(filepath.Join(dir, outboxDir)); err != nil || len(left) != 0 {
		t.Errorf("%d files left in the outbox, %v", len(left), err)
	}
}

func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); {
		if time.Now().After(deadline) {
			t.Fatalf("not within a minute: %s", what)
		}
		<-time.After(20 * time.Millisecond)
	}
}

func FuzzReadQueued(f *testing.F) {
	f.Add([]byte{outboxVersion, 1, 7, 'l', 'e', 's', 's', 'o', 'n', 's', 2, 1, 'x'})
	f.Fuzz(func(t *testing.T, b []byte) {
		if name, id, _, err := readQueued(b); err == nil && (name == "" || id == "") {
			t.Fatal("a record without stream or id was taken")
		}
	})
}

// TestReadersLeaveNothing reads a log many times, short and long: no consumer of it stays behind in the cluster.
func TestReadersLeaveNothing(t *testing.T) {
	c := threeServers(t)
	j, err := Open(t.Context(), t.TempDir(), Config{Servers: c.urls, SyncInterval: "always", SecretFile: "secret"}, discard())
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	for i := range 2 * fewMessages {
		mustAppend(t, j, Audit, fmt.Sprint(i), "1")
		if got, _ := all(t, j, Audit, 0); len(got) != i+1 {
			t.Fatalf("%d records of %d", len(got), i+1)
		}
	}
	js, err := j.current()
	if err != nil {
		t.Fatal(err)
	}
	until(t, "no consumer is there", func() bool {
		s, err := js.Stream(t.Context(), jsName(Audit))
		return err == nil && s.CachedInfo().State.Consumers == 0
	})
}

// TestInsist asks a cluster again for what time mends, and for nothing else.
func TestInsist(t *testing.T) {
	j := &Journal{config: Config{Servers: []string{"nats://192.0.2.1:4222"}}}
	for _, tt := range []struct {
		err   error
		again bool
	}{
		{nats.ErrNoResponders, true}, {context.DeadlineExceeded, true}, {&jetstream.APIError{Code: 503, ErrorCode: 10008}, true}, // no leader
		{&jetstream.APIError{Code: 400, ErrorCode: 10005}, true}, // no place: a peer is offline yet
		{&jetstream.APIError{Code: 503, ErrorCode: 10023}, false}, {jetstream.ErrStreamNotFound, false}, {errors.New("permission denied"), false},
	} {
		asked := 0
		err := j.insist(t.Context(), func(context.Context) error {
			if asked++; asked < 3 {
				return tt.err
			}
			return nil
		})
		if again := err == nil && asked == 3; again != tt.again {
			t.Errorf("%v: asked %d times, %v", tt.err, asked, err)
		}
	}
}
