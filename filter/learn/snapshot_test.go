package learn

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"rempart/message"
	"rempart/wire"
)

func taught(t *testing.T) (*Model, *Combiner) {
	t.Helper()
	m, c := newModel(false)
	for i := range 40 {
		msg := text(fmt.Sprintf("offer %d for the market on day %d", i, i%7))
		msg.MailFrom = fmt.Sprintf("+44770090%04d", i)
		l := lesson(c, msg, message.Label(1+i/6%2), []string{"", "village"}[i%2])
		l.Scope.User = []string{"", "ana", "ben"}[i%3]
		l.Time = time.Unix(int64(i)*60, 0)
		m.Apply(l)
	}
	return m, c
}

// A restored model judges and goes on learning as the one it was taken from.
func TestSnapshot(t *testing.T) {
	m, c := taught(t)
	snapshot := m.AppendSnapshot(nil)
	m2, c2 := newModel(false)
	if err := m2.Restore(snapshot); err != nil {
		t.Fatal(err)
	}
	next := lesson(c, text("offer 3 for the market on day 3"), message.Ham, "village") // a correction
	m.Apply(next)
	m2.Apply(next)
	if !bytes.Equal(m.AppendSnapshot(nil), m2.AppendSnapshot(nil)) {
		t.Error("the restored model learns otherwise")
	}
	if len(m.corrections) != 4 || len(m2.corrections) != 4 || len(m2.influences) != 4 {
		t.Errorf("%d corrections, restored %d with %d accounts", len(m.corrections), len(m2.corrections), len(m2.influences))
	}
	if a, b := m.probability(c, "market", "village"), m2.probability(c2, "market", "village"); a != b {
		t.Errorf("probability %v, restored %v", a, b)
	}
}

func TestDamagedSnapshotChangesNothing(t *testing.T) {
	m, _ := taught(t)
	before := m.AppendSnapshot(nil)
	for _, cut := range []int{0, 1, 10, len(before) / 2, len(before) - 1} {
		if err := m.Restore(before[:cut]); err == nil && cut != 1 {
			t.Errorf("a snapshot cut at %d was taken", cut)
		}
		if cut != 1 && !bytes.Equal(before, m.AppendSnapshot(nil)) {
			t.Fatalf("a snapshot cut at %d changed the model", cut)
		}
		if err := m.Restore(before); err != nil {
			t.Fatal(err)
		}
	}
}

func FuzzRestore(f *testing.F) {
	m, c := newModel(false)
	m.Apply(lesson(c, text("see you at eight"), message.Ham, "village"))
	f.Add(m.AppendSnapshot(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, _ := newModel(false)
		if m.Restore(b) == nil {
			again, _ := newModel(false)
			if err := again.Restore(m.AppendSnapshot(nil)); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// A forgotten user is in no snapshot; the weights stay, and the others' lessons can still be taken back.
func TestForget(t *testing.T) {
	m, c := newModel(false)
	teach := func(user string, label message.Label) {
		l := lesson(c, text("offer of the day"), label, "village")
		l.Scope.User = user
		m.Apply(l)
	}
	teach("ben@b.example", message.Spam)
	teach("ann@b.example", message.Spam)
	before := m.probability(c, "offer of the day", "village")
	m.Forget(func(user string) bool { return user == "ben@b.example" })
	snapshot := m.AppendSnapshot(nil)
	if bytes.Contains(snapshot, []byte("ben@")) || !bytes.Contains(snapshot, []byte("ann@")) {
		t.Error("the snapshot names the wrong one")
	}
	if got := m.probability(c, "offer of the day", "village"); got != before {
		t.Errorf("probability %v, then %v", before, got)
	}
	again, _ := newModel(false)
	if err := again.Restore(snapshot); err != nil || !bytes.Equal(again.AppendSnapshot(nil), snapshot) {
		t.Errorf("restored: %v", err)
	}
	teach("ann@b.example", message.Ham)
	if got := m.probability(c, "offer of the day", "village"); got >= before {
		t.Errorf("probability %v after ann's correction, %v before", got, before)
	}
}

// A table that a build before had larger is folded: what was taught is still said, by cells that stand for several.
func TestSnapshotOfLargerTable(t *testing.T) {
	larger, here := newLinear(12), newLinear(10)
	hashes := []uint32{1 << 20, 3 << 28, 7<<28 + 5<<20}
	larger.teach(hashes, true, oneScore, nil)
	if err := here.store().read(larger.store().append(nil), 2); err != nil {
		t.Fatal(err)
	}
	if got, want := here.score(hashes), larger.score(hashes); got != want || want <= 0 {
		t.Errorf("score %d, in the larger table %d", got, want)
	}
	if err := newLinear(10).store().read(larger.store().append(nil), 0); !errors.Is(err, wire.ErrShort) {
		t.Errorf("a table that does not fit: %v", err)
	}
}
