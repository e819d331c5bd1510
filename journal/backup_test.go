package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
)

// TestBackupWhileRunning copies a journal that four writers append to, and restores it elsewhere.
func TestBackupWhileRunning(t *testing.T) {
	ctx := context.Background()
	j := mustOpen(t, t.TempDir())
	for i := range 200 {
		mustAppend(t, j, Lessons, fmt.Sprint("before-", i), "x")
	}
	before, last := all(t, j, Lessons, 0)
	if err := j.SaveSnapshot("weights", last, []byte("view")); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, j, Audit, "login", "alice")
	mustAppend(t, j, Tallies, "n/1/1/7", "leaf")

	writing, stop := context.WithCancel(ctx)
	var g sync.WaitGroup
	for w := range 4 {
		g.Go(func() {
			for i := 0; writing.Err() == nil; i++ {
				if _, err := j.Append(ctx, Lessons, fmt.Sprint(w, "-", i), []byte("y")); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	var archive bytes.Buffer
	err := j.Backup(ctx, &archive)
	stop()
	g.Wait()
	if err != nil {
		t.Fatal(err)
	}

	if err := j.Restore(ctx, bytes.NewReader(archive.Bytes())); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("restore over a journal in use: %v", err)
	}
	for _, n := range []int{0, 10, archive.Len() / 2, archive.Len() - 1} {
		if err := mustOpen(t, t.TempDir()).Restore(ctx, bytes.NewReader(archive.Bytes()[:n])); !errors.Is(err, ErrDamaged) {
			t.Errorf("archive cut at %d: %v", n, err)
		}
	}
	dir := t.TempDir()
	restored := mustOpen(t, dir)
	if err := restored.Restore(ctx, bytes.NewReader(archive.Bytes())); err != nil {
		t.Fatal(err)
	}
	got, end := all(t, restored, Lessons, 0)
	if len(got) < len(before) || !slices.Equal(got[:len(before)], before) {
		t.Errorf("%d records restored, %d were there before the backup", len(got), len(before))
	}
	original, _ := all(t, j, Lessons, 0)
	if !slices.Equal(got, original[:len(got)]) {
		t.Error("what was restored is not how the log begins")
	}
	seq, view, err := restored.LoadSnapshot("weights")
	rest, _ := all(t, restored, Lessons, seq+1)
	if err != nil || string(view) != "view" || len(rest) != len(got)-len(before) {
		t.Errorf("snapshot at %d, %v: %d records follow, want %d", seq, err, len(rest), len(got)-len(before))
	}
	if again := mustAppend(t, restored, Lessons, "before-0", "x"); again > last {
		t.Error("a restored id was appended again")
	}
	if next := mustAppend(t, restored, Lessons, "next", ""); next < end {
		t.Errorf("number %d was given after %d", next, end)
	}
	audit, _ := all(t, restored, Audit, 0)
	tallies, _ := all(t, restored, Tallies, 0)
	if len(audit) != 1 || len(tallies) != 1 {
		t.Errorf("%v %v", audit, tallies)
	}
}
