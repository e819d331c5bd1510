//go:build integration && linux

package node

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"rempart/message"
)

// A full disk costs events and lessons that are refused, never a verdict and nothing that was acknowledged; when there is
// room again the node goes on by itself.
func TestFullDisk(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root: mounts a small tmpfs")
	}
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=40m"); err != nil {
		t.Skip("cannot mount a tmpfs: ", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	path, _ := configuration(t, "[index]\nmax_bytes = 8000000\n")
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	c.Data = filepath.Join(disk, "data")
	n, stop := serveConfig(t, c)

	number := 0
	learn := func() error {
		number++
		m := &message.Message{Channel: message.SMS, Direction: message.In, Text: fmt.Sprintf("offer number %d of many, come and see what there is", number)}
		_, _, err := n.Learn(t.Context(), m, message.Label(1+number%2), 0, message.Scope{}, "test")
		return err
	}
	acknowledged := 0
	for acknowledged < 50 {
		if err := learn(); err != nil {
			t.Fatal(err)
		}
		acknowledged++
	}
	ballast := filepath.Join(disk, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 64<<20), 0o600); err == nil {
		t.Fatal("the disk is not full")
	}
	refused := false
	for range 200 {
		if learn() != nil {
			refused = true
			break
		}
		acknowledged++
	}
	if !refused {
		t.Error("every lesson was taken on a full disk")
	}
	for i := range 500 {
		m := &message.Message{Channel: message.SMS, Direction: message.In, Text: fmt.Sprintf("text %d", i)}
		if a := n.Judge(t.Context(), m); len(a.Decisions) != 1 || len(a.Judgement.Verdicts) != 1 {
			t.Fatal("no verdict on a full disk")
		}
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(30 * time.Second)
	for learn() != nil {
		if time.Now().After(deadline) {
			t.Fatal("the node did not come back when there was room")
		}
		time.Sleep(100 * time.Millisecond) // waits for another goroutine, bounded
	}
	acknowledged++
	stop()

	n, _ = serveConfig(t, c)
	if got := n.filter.Lessons(); got < uint64(acknowledged) {
		t.Errorf("%d lessons after the restart, %d were acknowledged", got, acknowledged)
	}
	t.Logf("%d lessons acknowledged, %d applied after the restart", acknowledged, n.filter.Lessons())
}
