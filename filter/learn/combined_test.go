package learn

import (
	"bytes"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"rempart/message"
	"rempart/wire"
)

// A lesson that is forgotten leaves every weight and count as it was, also when coefficients are at their bounds, when it was
// corrected or repeated before, taught under two directions, or when a snapshot was between.
func TestForgetIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, c := newModel(false)
		out := m.Combiner(message.SMS, message.Out, -2*one, testSignals[1:])
		tenant := rapid.SampledFrom([]string{"", "village"}).Draw(t, "tenant")
		m.Apply(lesson(c, text("see you at eight"), message.Ham, tenant))
		c.learned.bias, c.learned.spam = 5*one, 300
		c.learned.present[0] = rapid.SampledFrom([]message.LogOdds{0, maxLearned - 100, -maxLearned}).Draw(t, "coefficient")
		c.learned.unknown[1] = rapid.SampledFrom([]message.LogOdds{0, maxLearned, 100 - maxLearned}).Draw(t, "unknown")
		for i := range learners {
			if before := learners[i].share[message.SMS]; before != 0 {
				c.learned.share[i] = rapid.SampledFrom([]message.LogOdds{0, minShare - before, maxShare - before - 5}).Draw(t, "share")
			}
		}
		apply := func(c *Combiner, label message.Label) {
			l := &message.Lesson{Message: "key", Label: label, Scope: message.Scope{Tenant: tenant}}
			c.Observe(l, text("You have won a prize, call now"), []message.Result{message.Present(0.5), message.Unknown}[:len(c.signals)])
			m.Apply(l)
		}
		m.ledger.put(ledgerKey(message.Scope{Tenant: tenant}, "key"), message.Forget)
		before := m.state()
		for _, label := range rapid.SliceOfN(rapid.SampledFrom([]message.Label{message.Ham, message.Spam}), 1, 6).Draw(t, "labels") {
			apply(rapid.SampledFrom([]*Combiner{c, out}).Draw(t, "combiner"), label)
			if rapid.Bool().Draw(t, "snapshot") {
				if err := m.Restore(m.AppendSnapshot(nil)); err != nil {
					t.Fatal(err)
				}
			}
		}
		apply(c, message.Forget)
		if after := m.state(); !reflect.DeepEqual(before, after) {
			t.Fatalf("%v, forgotten %v", before[0], after[0])
		}
	})
}

// state is all that lessons made but how many they were.
func (m *Model) state() []any {
	lessons := m.lessons
	defer func() { m.lessons = lessons }()
	m.lessons = 0
	var combiners [][]int64
	for _, c := range m.combiners {
		combiners = append(combiners, c.learned.numbers())
	}
	return []any{combiners, weightsOf(m), m.AppendSnapshot(nil)}
}

// Where a coefficient met its bound since, it stays within it.
func TestForgetAtTheBound(t *testing.T) {
	m, c := newModel(false)
	l := lesson(c, text("You have won a prize, call now"), message.Ham, "")
	m.Apply(l)
	c.learned.unknown[1], c.learned.ham = maxLearned, 0
	l.Label = message.Forget
	m.Apply(l)
	if c.learned.unknown[1] != maxLearned || c.learned.ham != 0 {
		t.Errorf("coefficient %v of at most %v, %d lessons", c.learned.unknown[1], maxLearned, c.learned.ham)
	}
}

// Another build has its combiners and signals in other places, and lacks some. What a lesson moved is found by name.
func TestForgetInAnotherBuild(t *testing.T) {
	m, c := newModel(false)
	l := lesson(c, text("You have won a prize, call now"), message.Spam, "")
	c.Observe(l, text("You have won a prize, call now"), []message.Result{message.Present(1), message.Present(1)})
	m.Apply(l)
	next := New(false, "")
	next.Combiner(message.Email, message.In, 0, testSignals)
	there := next.Combiner(message.SMS, message.In, 0, []Signal{{Name: "new"}, testSignals[1]})
	if err := next.Restore(m.AppendSnapshot(nil)); err != nil {
		t.Fatal(err)
	}
	if there.learned.present[1] != c.learned.present[1] || there.learned.spam != 1 {
		t.Fatalf("restored as %+v", there.learned)
	}
	l.Label = message.Forget
	next.Apply(l)
	for i, n := range there.learned.numbers() {
		if n != 0 {
			t.Errorf("number %d is %d after the only lesson was forgotten", i, n)
		}
	}
}

// A snapshot before moves were kept can be read; its lessons are taken back from the tables.
func TestSnapshotWithoutMoves(t *testing.T) {
	m, c := newModel(false)
	l := lesson(c, text("You have won a prize, call now"), message.Spam, "")
	m.Apply(l)
	for _, e := range m.ledger.effects {
		e.combined, e.source = nil, 0
	}
	before := c.learned.numbers()
	if err := m.Restore(m.AppendSnapshot(nil)); err != nil {
		t.Fatal(err)
	}
	l.Label = message.Forget
	m.Apply(l)
	if !reflect.DeepEqual(before, c.learned.numbers()) {
		t.Error("what was not kept was taken back")
	}
	for i, table := range weightsOf(m) {
		if len(table) != 0 {
			t.Errorf("%s: %d weights left", learners[i].name, len(table))
		}
	}
}

// Whatever bytes a snapshot has for moves, they are refused or can be taken back, within all bounds.
func FuzzMoves(f *testing.F) {
	f.Add([]byte(packMoves([]move{{0, 5}, {1, 1}, {4, -7}, {combinerPlaces, 3}})))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, c := newModel(false)
		all := []layout{{combiner: c, signals: []int{1, -1, 0}}, {}}
		read, err := readCombined(b, all)
		if err != nil {
			if err != wire.ErrShort {
				t.Fatal(err)
			}
			return
		}
		list, err := read.unpack()
		if err != nil || !bytes.Equal(packMoves(list), read) {
			t.Fatalf("%x is read as %x, %v", b, read, err)
		}
		m.takeBackCombined(read)
		w := &c.learned
		if w.spam < 0 || w.ham < 0 || w.spam > maxLessons || w.ham > maxLessons {
			t.Errorf("%d spam, %d ham", w.spam, w.ham)
		}
		for i := range w.present {
			if clamp(w.present[i]) != w.present[i] || clamp(w.unknown[i]) != w.unknown[i] {
				t.Errorf("signal %d: %v, %v", i, w.present[i], w.unknown[i])
			}
		}
	})
}
