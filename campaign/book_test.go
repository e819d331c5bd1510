package campaign

import (
	"bytes"
	"fmt"
	"testing"

	"rempart/message"
	"rempart/wire"
)

// lessons says how a tenant's lessons on one text go on: each message of its own has a lesson at most.
type lessons struct {
	book   *Book
	digest Digest
	tenant string
	stand  map[string]message.Label // by message
}

func (l *lessons) teach(id string, label message.Label) {
	category := message.CategoryNone
	if label == message.Spam {
		category = message.Scam
	}
	l.book.Teach(l.digest, l.tenant, id, label, category, l.stand[id])
	l.stand[id] = label
}

func (l *lessons) forget(id string) {
	l.book.Forget(l.digest, l.tenant, l.stand[id])
	delete(l.stand, id)
}

func restored(t *testing.T, b *Book) *Book {
	t.Helper()
	snapshot := b.AppendSnapshot(nil)
	again, err := ReadSnapshot(snapshot)
	if err != nil || !bytes.Equal(again.AppendSnapshot(nil), snapshot) {
		t.Fatalf("the book was not restored: %v", err)
	}
	return again
}

// A text is known as long as a lesson on it stands, and as what the standing ones say, also from a snapshot.
func TestForgetLeavesOtherLessons(t *testing.T) {
	known := func(label message.Label, category message.Category) message.Near {
		return message.Near{State: message.StatePresent, Label: label, Category: category, Campaign: "b"}
	}
	for _, tt := range []struct {
		name string
		do   func(l *lessons)
		want message.Near
	}{
		{"one of two spams", func(l *lessons) { l.teach("a", message.Spam); l.forget("a") }, known(message.Spam, message.Scam)},
		{"twice taught, once forgotten", func(l *lessons) { l.teach("b", message.Spam); l.forget("b") }, message.Near{}},
		{"both", func(l *lessons) { l.teach("a", message.Spam); l.forget("a"); l.forget("b") }, message.Near{}},
		{"the later ham", func(l *lessons) { l.teach("a", message.Ham); l.forget("a") }, known(message.Spam, message.Scam)},
		{"the earlier spam", func(l *lessons) { l.teach("a", message.Ham); l.forget("b") }, known(message.Ham, message.CategoryNone)},
		{"a corrected one", func(l *lessons) { l.teach("b", message.Ham); l.forget("b") }, message.Near{}},
		{"nothing", func(l *lessons) { l.forget("c") }, known(message.Spam, message.Scam)},
	} {
		l := &lessons{NewBook(), sum(t, offer), "village", map[string]message.Label{}}
		l.teach("b", message.Spam)
		tt.do(l)
		if got := l.book.Nearest(l.digest, "village"); got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
		l.book = restored(t, l.book)
		if got := l.book.Nearest(l.digest, "village"); got != tt.want {
			t.Errorf("%s, restored: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

// Whoever forgets, forgets their own lesson, though someone else's on the same text is the later one.
func TestForgetIsOnesOwn(t *testing.T) {
	b, d := NewBook(), sum(t, offer)
	b.Teach(d, "village", "a", message.Spam, message.Scam, message.Forget)
	b.Teach(d, "", "b", message.Spam, message.Phishing, message.Forget)
	b.Teach(d, "village", "c", message.Spam, message.Scam, message.Forget)
	if b.Len() != 2 {
		t.Errorf("%d digests of one text and two teachers", b.Len())
	}
	b.Teach(d, "", "e", message.Spam, message.Phishing, message.Forget)
	b.Forget(d, "village", message.Spam)
	b.Forget(d, "village", message.Spam)
	b.Forget(d, "", message.Spam)
	if n := b.Nearest(d, "village"); n.Category != message.Phishing {
		t.Errorf("the operator's lesson is seen as %+v", n)
	}
	b.Forget(d, "", message.Spam)
	if n := b.Nearest(d, "village"); n.State != message.StateAbsent {
		t.Errorf("all is forgotten but %+v", n)
	}
}

// What one tenant forgot, however much of it, hides nobody's entries: here all agree in all bands with the operator's.
func TestForgottenHidesNothing(t *testing.T) {
	b, d := NewBook(), sum(t, offer)
	b.Teach(d, "", "operator", message.Spam, message.Scam, message.Forget)
	for i := range maxBucket {
		b.Teach(d, "village", fmt.Sprint(i), message.Ham, message.CategoryNone, message.Forget)
		b.Forget(d, "village", message.Ham)
	}
	for _, b := range []*Book{b, restored(t, b)} {
		for _, tenant := range []string{"", "village", "town"} {
			if n := b.Nearest(d, tenant); n.Campaign != "operator" {
				t.Errorf("%q sees %+v", tenant, n)
			}
		}
	}
}

// A snapshot of a build that did not count: a label stands for one lesson, and what was forgotten is in no band.
func TestSnapshotWithoutCounts(t *testing.T) {
	d := sum(t, offer)
	old := []byte{snapshotVersion}
	for i := range 1 + maxBucket {
		old = wire.AppendRecord(old, 1, func(b []byte) []byte {
			b = wire.AppendBytes(b, entryDigest, d.Bytes())
			b = wire.AppendString(b, entryID, fmt.Sprint("message ", i))
			b = wire.AppendUint(b, entryOrder, uint64(i))
			if i == 0 {
				b = wire.AppendUint(b, entryLabel, uint64(message.Spam))
			}
			return b
		})
	}
	b, err := ReadSnapshot(old)
	if err != nil {
		t.Fatal(err)
	}
	if n := b.Nearest(d, ""); n.Label != message.Spam || n.Campaign != "message 0" {
		t.Errorf("the lesson that stands is seen as %+v", n)
	}
	b.Forget(d, "", message.Spam)
	if n := b.Nearest(d, ""); n.State != message.StateAbsent {
		t.Errorf("forgotten, but %+v", n)
	}
}
