package node

import (
	"bytes"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"rempart/abuse"
	"rempart/message"
)

// taught has 40 events to ben@b.example, one from a3@a.example; ben taught 20 lessons, ann 10.
func TestPrivacy(t *testing.T) {
	n := taught(t)
	ctx := t.Context()
	c, err := Dial(n.config.Data)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()

	h, err := c.Holds(ctx, "BEN@b.example")
	if err != nil || h.Events.Count != 40 || len(h.Events.IDs) != 40 || h.Lessons != 20 || h.Keys != 1 || h.Events.Oldest.After(*h.Events.Newest) {
		t.Fatalf("held on ben: %+v, %v", h, err)
	}
	if h, err := c.Holds(ctx, "a3@a.example"); err != nil || h.Events.Count != 1 || h.Lessons != 0 || h.Keys != 0 {
		t.Errorf("held on a sender: %+v, %v", h, err)
	}
	if err := n.abuse.Complain(ctx, "R1", abuse.Complaint{Account: "Ben@b.example", Reporter: "fbl@c.example", Incidents: 1}); err != nil {
		t.Fatal(err)
	}
	for _, who := range []string{"ben@b.example", "FBL@c.example"} {
		if h, err := c.Holds(ctx, who); err != nil || len(h.Cases) != 1 || h.Cases[0] != "r1" {
			t.Errorf("cases of %s: %+v, %v", who, h.Cases, err)
		}
	}
	for _, word := range []string{"b.example", "parcel", "", "@b.example"} {
		if _, err := c.Erase(ctx, word); err == nil || !strings.Contains(err.Error(), ErrNoPerson.Error()) {
			t.Errorf("%q stands for more than one person: %v", word, err)
		}
	}

	before := scores(n)
	e, err := c.Erase(ctx, "ben@b.example")
	if err != nil || e.Events != 40 || e.Lessons != 20 || e.Keys != 1 {
		t.Fatalf("erased of ben: %+v, %v", e, err)
	}
	if h, err := c.Holds(ctx, "ben@b.example"); err != nil || h.Events.Count != 0 || h.Lessons != 0 || h.Keys != 0 || len(h.Cases) != 1 {
		t.Errorf("held on ben after he was erased: %+v, %v", h, err)
	}
	if h, err := c.Holds(ctx, "ann@b.example"); err != nil || h.Lessons != 10 || h.Keys != 1 {
		t.Errorf("held on ann: %+v, %v", h, err)
	}
	for i, s := range scores(n) {
		if s != before[i] {
			t.Fatal("the shared weights moved")
		}
	}
	if strings.Contains(string(n.filter.Snapshot()), "ben@b.example") {
		t.Error("the next snapshot names ben")
	}
	if got := n.accounts.Latest(0, 1)[0]; got.What != "privacy.erased" || got.Object != "b**@b.example" || got.Who != "local" {
		t.Errorf("trail: %+v", got)
	}
}

// A snapshot that could not be written anew still holds what is to be erased: that is no success. Called again, it is erased.
func TestEraseWithoutSnapshot(t *testing.T) {
	path, _ := configuration(t, "")
	n, _ := serve(t, path)
	snapshot := filepath.Join(n.config.Data, "journal", "snapshots", memorySnapshot)
	inTheWay := filepath.Join(snapshot, "x")
	if err := os.MkdirAll(inTheWay, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Erase(t.Context(), "ben@b.example", LocalActor); err == nil || !strings.Contains(err.Error(), "save snapshot memory") {
		t.Errorf("the snapshot was not written: %v", err)
	}
	if err := os.RemoveAll(snapshot); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Erase(t.Context(), "ben@b.example", LocalActor); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(snapshot); err != nil {
		t.Error(err)
	}
}

// Whoever writes beside, as the node does every ten minutes, does not write back what was forgotten.
func TestForgottenMemoryStaysSo(t *testing.T) {
	path, _ := configuration(t, "")
	n, _ := serve(t, path)
	m := letter(1)
	m.Direction, m.Arrived, m.Recipients = message.In, n.now(), []message.Recipient{{Address: "ben@b.example"}}
	m.Source.Address = netip.MustParseAddr("192.0.2.25")
	for range 30 {
		n.filter.Answered(m, []message.Decision{{Action: message.Greylist}})
		remembered := n.filter.Memory()
		var beside errgroup.Group
		begun := make(chan struct{}, 8)
		for range cap(begun) {
			beside.Go(func() error {
				begun <- struct{}{}
				return n.saveMemory()
			})
		}
		<-begun
		n.filter.Forget(func(string) bool { return false })
		err := n.saveMemory()
		if err := errors.Join(err, beside.Wait()); err != nil {
			t.Fatal(err)
		}
		_, sealed, err := n.journal.LoadSnapshot(memorySnapshot)
		if err != nil {
			t.Fatal(err)
		}
		saved, err := n.keys.Open(sealed, []byte(memorySnapshot))
		if err != nil || !bytes.Equal(saved, n.filter.Memory()) || bytes.Equal(saved, remembered) {
			t.Fatalf("the snapshot has what was forgotten; %v", err)
		}
	}
}

// The log still holds the erased person's lessons, sealed: a replay passes over them and learns the others.
func TestReplayAfterErase(t *testing.T) {
	path, _ := configuration(t, "")
	n, stop := serve(t, path)
	for i := range 8 {
		user := []string{"ben@b.example", "ann@b.example"}[i%2]
		if _, _, err := n.Learn(t.Context(), letter(i), message.Spam, message.CategoryNone, message.Scope{User: user}, "test"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := n.Erase(t.Context(), "ben@b.example", LocalActor); err != nil {
		t.Fatal(err)
	}
	snapshot := filepath.Join(n.config.Data, "journal", "snapshots", filterSnapshot)
	if _, err := os.Stat(snapshot); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the snapshot from before stays: %v", err)
	}
	stop()
	if err := os.Remove(snapshot); err != nil {
		t.Fatal(err)
	}
	n, _ = serve(t, path)
	if got := n.filter.Lessons(); got != 4 {
		t.Errorf("%d lessons replayed, want the four of ann", got)
	}
	if h, err := n.Holds(t.Context(), "ann@b.example"); err != nil || h.Lessons != 4 {
		t.Errorf("held on ann: %+v, %v", h, err)
	}
}
