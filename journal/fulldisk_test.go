//go:build integration && linux

package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestFullDisk(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root: mounts a small tmpfs")
	}
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=24m"); err != nil {
		t.Skip("cannot mount a tmpfs: ", err)
	}
	defer syscall.Unmount(disk, syscall.MNT_DETACH)
	dir := filepath.Join(disk, "journal")
	j, err := Open(context.Background(), dir, Config{}, discard())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { j.Run(ctx) })
	defer func() { stop(); running.Wait(); j.Close() }()

	ballast := filepath.Join(disk, "ballast")
	var acked []string
	data := bytes.Repeat([]byte("x"), 10_000)
	for round := range 3 {
		if err := os.WriteFile(ballast, make([]byte, 12<<20), 0o600); err != nil {
			t.Logf("ballast: %v", err) // as much as fits
		}
		full := false
		for i := 0; i < 5000 && !full; i++ {
			id := fmt.Sprintf("%d-%d", round, i)
			_, err := j.Append(context.Background(), Lessons, id, data)
			switch {
			case err == nil:
				acked = append(acked, id)
			case errors.Is(err, ErrNoSpace):
				full = true
			default:
				t.Fatalf("round %d, append %d: %v", round, i, err)
			}
		}
		if !full {
			t.Fatal("the disk never was full")
		}
		if h := j.Health(ctx); h.Error == "" {
			t.Errorf("health shows nothing: %+v", h)
		}
		os.Remove(ballast)
		id := fmt.Sprintf("%d-back", round)
		deadline := time.Now().Add(20 * time.Second)
		for {
			_, err := j.Append(context.Background(), Lessons, id, []byte("back"))
			if err == nil {
				break
			}
			if !errors.Is(err, ErrNoSpace) || time.Now().After(deadline) {
				t.Fatalf("round %d: the journal did not come back: %v", round, err)
			}
			<-time.After(50 * time.Millisecond)
		}
		acked = append(acked, id)
		data = data[:2000/(round+1)] // so that later rounds fit
	}
	for range 2 {
		applied := make(map[string]int)
		if _, err := j.Replay(context.Background(), Lessons, 0, func(r Record) error { applied[r.ID]++; return nil }); err != nil {
			t.Fatal(err)
		}
		for _, id := range acked {
			if applied[id] != 1 {
				t.Errorf("%s was acknowledged and applied %d times", id, applied[id])
			}
		}
		stop()
		running.Wait()
		j.Close()
		if j, err = Open(context.Background(), dir, Config{}, discard()); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d acknowledged", len(acked))
}
