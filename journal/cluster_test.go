package journal

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
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
		j, err := Open(context.Background(), t.TempDir(), Config{Servers: []string{srv.ClientURL()}, SyncInterval: "always"}, discard())
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
