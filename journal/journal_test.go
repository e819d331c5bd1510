package journal

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the journal of testdata anew")

// TestMain lets the test binary be the process that TestKill kills.
func TestMain(m *testing.M) {
	if dir := os.Getenv("REMPART_TEST_JOURNAL_CHILD"); dir != "" {
		child(dir)
		return
	}
	os.Exit(m.Run())
}

func discard() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func mustOpen(t testing.TB, dir string) *Journal {
	t.Helper()
	j, err := Open(context.Background(), dir, Config{}, discard())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

func mustAppend(t testing.TB, j *Journal, s Stream, id, data string) uint64 {
	t.Helper()
	seq, err := j.Append(context.Background(), s, id, []byte(data))
	for deadline := time.Now().Add(time.Minute); len(j.config.Servers) > 1 && errors.Is(err, ErrQueued) && time.Now().Before(deadline); {
		<-time.After(20 * time.Millisecond) // the servers of a cluster choose who leads
		_ = j.sendQueued(context.Background())
		seq, err = j.Append(context.Background(), s, id, []byte(data))
	}
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

func all(t testing.TB, j *Journal, s Stream, from uint64) (ids []string, last uint64) {
	t.Helper()
	last, err := j.Replay(context.Background(), s, from, func(r Record) error {
		ids = append(ids, r.ID+"="+string(r.Data))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids, last
}

func TestAppendAppliesOnce(t *testing.T) {
	dir := t.TempDir()
	j := mustOpen(t, dir)
	if ids, last := all(t, j, Lessons, 0); len(ids) != 0 || last != 0 {
		t.Fatalf("an empty log gave %v, %d", ids, last)
	}
	first := mustAppend(t, j, Lessons, "a", "1")
	if again := mustAppend(t, j, Lessons, "a", "1"); again != first {
		t.Errorf("again: %d, first %d", again, first)
	}
	j.Close()
	if _, err := j.Append(context.Background(), Lessons, "x", nil); !errors.Is(err, ErrClosed) {
		t.Errorf("append after close: %v", err)
	}
	j = mustOpen(t, dir)
	if again := mustAppend(t, j, Lessons, "a", "1"); again != first {
		t.Errorf("after restart: %d, first %d", again, first)
	}
	// What a writer that knows the log does not do, another node of a cluster may: readers pass over it.
	s := j.logs[Lessons]
	s.mu.Lock()
	delete(s.ids, hashID("a"))
	s.mu.Unlock()
	if again := mustAppend(t, j, Lessons, "a", "1"); again == first {
		t.Fatal("the duplicate was not written")
	}
	mustAppend(t, j, Lessons, "b", "2")
	j.Close()
	j = mustOpen(t, dir)
	ids, last := all(t, j, Lessons, 0)
	if got := strings.Join(ids, " "); got != "a=1 b=2" {
		t.Errorf("replay: %s", got)
	}
	if ids, _ := all(t, j, Lessons, first+1); strings.Join(ids, " ") != "b=2" {
		t.Errorf("replay from the snapshot on: %v", ids)
	}
	if ids, again := all(t, j, Lessons, last+1); len(ids) != 0 || again != last {
		t.Errorf("replay from the end: %v, %d", ids, again)
	}
}

func TestTalliesKeepLatestRevision(t *testing.T) {
	j := mustOpen(t, t.TempDir())
	for rev := range 5 {
		mustAppend(t, j, Tallies, fmt.Sprintf("node/1/100/%d", rev), fmt.Sprint(rev))
		mustAppend(t, j, Tallies, fmt.Sprintf("node/1/101/%d", rev), fmt.Sprint(rev))
	}
	if ids, _ := all(t, j, Tallies, 0); strings.Join(ids, " ") != "node/1/100/4=4 node/1/101/4=4" {
		t.Errorf("%v", ids)
	}
}

func TestFollow(t *testing.T) {
	j := mustOpen(t, t.TempDir())
	mustAppend(t, j, Audit, "0", "")
	ctx, cancel := context.WithCancel(context.Background())
	got := make(chan string)
	done := make(chan error)
	go func() {
		done <- j.Follow(ctx, Audit, 0, func(r Record) error { got <- r.ID; return nil })
	}()
	for i := range 3 {
		if id := <-got; id != fmt.Sprint(i) {
			t.Errorf("record %d is %s", i, id)
		}
		mustAppend(t, j, Audit, fmt.Sprint(i+1), "")
	}
	<-got
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Follow: %v", err)
	}
}

func TestLocked(t *testing.T) {
	dir := t.TempDir()
	mustOpen(t, dir)
	_, err := Open(context.Background(), dir, Config{}, discard())
	if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), fmt.Sprint(os.Getpid())) {
		t.Errorf("second Open: %v", err)
	}
}

func TestClusterMustSync(t *testing.T) {
	for _, tt := range []struct {
		config Config
		ok     bool
	}{
		{Config{}, true},
		{Config{Servers: []string{"nats://192.0.2.1:4222"}}, false},
		{Config{Servers: []string{"nats://192.0.2.1:4222"}, SyncInterval: "2m"}, false},
		{Config{Servers: []string{"nats://192.0.2.1:4222"}, SyncInterval: "always", SecretFile: "secret"}, true},
		{Config{Servers: make([]string, 2), SyncInterval: "always", SecretFile: "secret"}, false},
	} {
		if err := tt.config.Check(); (err == nil) != tt.ok {
			t.Errorf("%+v: %v", tt.config, err)
		}
	}
}

func TestSnapshotAndRebuiltViewAreEqual(t *testing.T) {
	dir := t.TempDir()
	j := mustOpen(t, dir)
	view := func(from uint64, start map[string]int) (map[string]int, uint64) {
		last, err := j.Replay(context.Background(), Lessons, from, func(r Record) error {
			start[string(r.Data)]++
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return start, last
	}
	for i := range 50 {
		mustAppend(t, j, Lessons, fmt.Sprint(i), fmt.Sprint(i%7))
	}
	half, seq := view(0, map[string]int{})
	if err := j.SaveSnapshot("weights", seq, []byte(fmt.Sprint(len(half)))); err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		mustAppend(t, j, Lessons, fmt.Sprint(i+25), fmt.Sprint(i%5)) // half of them again
	}
	got, data, err := j.LoadSnapshot("weights")
	if err != nil || got != seq || string(data) != "7" {
		t.Fatalf("LoadSnapshot: %d %q %v", got, data, err)
	}
	continued, _ := view(seq+1, half)
	rebuilt, _ := view(0, map[string]int{})
	if !maps.Equal(continued, rebuilt) {
		t.Errorf("continued %v, rebuilt %v", continued, rebuilt)
	}
	path := filepath.Join(dir, snapshotDir, "weights")
	b, _ := os.ReadFile(path)
	for i := range b {
		b[i] ^= 4
		os.WriteFile(path, b, 0o600)
		if _, _, err := j.LoadSnapshot("weights"); !errors.Is(err, ErrDamaged) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
		b[i] ^= 4
	}
	if _, _, err := j.LoadSnapshot("none"); !errors.Is(err, ErrNoSnapshot) {
		t.Errorf("no snapshot: %v", err)
	}
}

// TestVersion1 reads an archive that the first version wrote.
func TestVersion1(t *testing.T) {
	const file = "testdata/v1.journal"
	if *update {
		j := mustOpen(t, t.TempDir())
		mustAppend(t, j, Lessons, "l1", "first")
		mustAppend(t, j, Lessons, "l2", "second")
		mustAppend(t, j, Tallies, "n/1/1/1", "old")
		mustAppend(t, j, Tallies, "n/1/1/2", "new")
		if err := j.SaveSnapshot("weights", 256, []byte("view")); err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := j.Backup(context.Background(), f); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	j := mustOpen(t, t.TempDir())
	if err := j.Restore(context.Background(), f); err != nil {
		t.Fatal(err)
	}
	lessons, last := all(t, j, Lessons, 0)
	tallies, _ := all(t, j, Tallies, 0)
	seq, view, err := j.LoadSnapshot("weights")
	if strings.Join(lessons, " ") != "l1=first l2=second" || last != 512 || strings.Join(tallies, " ") != "n/1/1/2=new" ||
		seq != 256 || string(view) != "view" || err != nil {
		t.Errorf("%v to %d, %v, snapshot %d %q %v", lessons, last, tallies, seq, view, err)
	}
}

func FuzzReadBatch(f *testing.F) {
	f.Add(appendBatch(nil, time.UnixMicro(1), []Record{{ID: "a", Data: []byte("x")}, {ID: "b"}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		records, err := readBatch(b, 3)
		if len(records) > maxBatch || err == nil && len(records) > 0 && records[len(records)-1].Seq>>8 != 3 {
			t.Fatalf("%d records, %v", len(records), err)
		}
	})
}

const childWriters = 4

// child appends until it is killed and prints each id after its acknowledgement.
func child(dir string) {
	j, err := Open(context.Background(), dir, Config{}, discard())
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	var out sync.Mutex
	var g sync.WaitGroup
	for w := range childWriters {
		g.Go(func() {
			for i := 0; ; i++ {
				id := fmt.Sprintf("%d-%d-%d", os.Getpid(), w, i/2) // each id twice
				if _, err := j.Append(context.Background(), Lessons, id, []byte(id)); err != nil {
					fmt.Println("error", err)
					os.Exit(1)
				}
				out.Lock()
				fmt.Println(id)
				out.Unlock()
			}
		})
	}
	g.Wait()
}

func TestKill(t *testing.T) {
	kills := 100
	if testing.Short() {
		kills = 10
	}
	dir := t.TempDir()
	acked := make(map[string]bool)
	for k := range kills {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "REMPART_TEST_JOURNAL_CHILD="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// Some die while they start and recover, most under load.
		time.AfterFunc(time.Duration(20+(k*7919)%280)*time.Millisecond, func() { cmd.Process.Kill() })
		b, _ := io.ReadAll(out)
		cmd.Wait()
		lines := strings.Split(string(b), "\n")
		for _, id := range lines[:len(lines)-1] { // what follows the last newline was not printed whole
			if strings.HasPrefix(id, "error") {
				t.Fatal(id)
			}
			acked[id] = true
		}
	}
	j := mustOpen(t, dir)
	applied := make(map[string]int)
	if _, err := j.Replay(context.Background(), Lessons, 0, func(r Record) error { applied[r.ID]++; return nil }); err != nil {
		t.Fatal(err)
	}
	for id := range acked {
		if applied[id] == 0 {
			t.Errorf("%s was acknowledged and is lost", id)
		}
	}
	for id, n := range applied {
		if n != 1 {
			t.Errorf("%s was applied %d times", id, n)
		}
	}
	t.Logf("%d kills, %d acknowledged, %d in the log", kills, len(acked), len(applied))
	if len(acked) == 0 {
		t.Error("nothing was acknowledged: the test shows nothing")
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, writers := range []int{1, 64} {
		b.Run(fmt.Sprint(writers), func(b *testing.B) {
			j := mustOpen(b, b.TempDir())
			data := make([]byte, 1000)
			var g sync.WaitGroup
			b.ResetTimer()
			for w := range writers {
				g.Go(func() {
					for i := range b.N/writers + 1 {
						if _, err := j.Append(context.Background(), Lessons, fmt.Sprint(w, "-", i), data); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			g.Wait()
		})
	}
}

// A journal that is full takes more when its bound is raised, and none of what it had is lost.
func TestRaisedBound(t *testing.T) {
	dir := t.TempDir()
	open := func(max int64) *Journal {
		j, err := Open(context.Background(), dir, Config{MaxBytes: max}, discard())
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	j := open(1 << 20)
	data := make([]byte, 20_000)
	kept := 0
	var err error
	for err == nil && kept < 100 {
		if _, err = j.Append(t.Context(), Lessons, fmt.Sprint(kept), data); err == nil {
			kept++
		}
	}
	if !errors.Is(err, ErrNoSpace) || kept == 0 {
		t.Fatalf("%d records in 1 MiB, then %v", kept, err)
	}
	j.Close()
	j = open(8 << 20)
	defer j.Close()
	mustAppend(t, j, Lessons, "more", string(data))
	if ids, _ := all(t, j, Lessons, 0); len(ids) != kept+1 {
		t.Errorf("%d records, want %d", len(ids), kept+1)
	}
}
