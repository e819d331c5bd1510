package learn

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"rempart/message"
)

var testSignals = []Signal{
	{"date_ahead", message.Characteristic, message.Odds(1.9), false},
	{"spf_fail", message.SourceAnalysis, message.Odds(0.8), false},
}

func newModel(scratch bool) (*Model, *Combiner) {
	m := New(scratch, "")
	return m, m.Combiner(message.SMS, message.In, -2*one, testSignals)
}

func text(s string) *message.Message {
	return &message.Message{Channel: message.SMS, Direction: message.In, Text: s}
}

func lesson(c *Combiner, msg *message.Message, label message.Label, tenant string) *message.Lesson {
	l := &message.Lesson{Message: msg.Key(), Label: label, Scope: message.Scope{Tenant: tenant}}
	c.Observe(l, msg, []message.Result{message.Absent, message.Unknown})
	return l
}

var nothing = []message.Result{message.Absent, message.Absent}

func (m *Model) probability(c *Combiner, s, tenant string) float64 {
	return m.Judge(c, text(s), nothing, []message.Scope{{Tenant: tenant}})[0].Probability
}

func TestOneLessonMovesTheNextVerdict(t *testing.T) {
	m, c := newModel(true)
	const prize = "You have won a prize, call now to claim it"
	before := m.probability(c, prize, "")
	m.Apply(lesson(c, text(prize), message.Spam, ""))
	after := m.probability(c, prize, "")
	if before != 0.5 || after < 0.9 {
		t.Errorf("probability %v before the lesson, %v after it", before, after)
	}
}

func TestContributionsAddUp(t *testing.T) {
	m, c := newModel(false)
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "text")
		results := []message.Result{message.Present(rapid.Float64Range(0, 99).Draw(t, "value"), 3), message.Unknown}
		v := m.Judge(c, text(s), results, []message.Scope{{}})[0]
		if v.Sum() != v.Score {
			t.Fatalf("score %d, contributions add up to %d", v.Score, v.Sum())
		}
		m.Apply(lesson(c, text(s), message.Label(rapid.IntRange(1, 2).Draw(t, "label")), ""))
	})
}

func TestCorrectionTakesTheLessonBack(t *testing.T) {
	m, c := newModel(true)
	for i := range 50 {
		m.Apply(lesson(c, text(fmt.Sprintf("dinner at %d with the neighbours", i)), message.Ham, ""))
	}
	before := weightsOf(m)
	const code = "Your code is 4821. Do not share it."
	m.Apply(lesson(c, text(code), message.Spam, ""))
	wrong := m.probability(c, code, "")
	correction := lesson(c, text(code), message.Ham, "")
	past := m.ledger.get(ledgerKey(correction.Scope, correction.Message))
	m.takeBack(correction, past, nil)
	if !reflect.DeepEqual(before, weightsOf(m)) {
		t.Error("taking a lesson back left a trace in the tables")
	}
	m.Apply(lesson(c, text(code), message.Spam, ""))
	m.Apply(correction)
	if right := m.probability(c, code, ""); right >= wrong || right > 0.5 {
		t.Errorf("probability %v while taught wrong, %v after the correction", wrong, right)
	}
}

func TestTenants(t *testing.T) {
	m, c := newModel(true)
	const offer = "This week at the village shop: lamp oil and rice at half price"
	m.Apply(lesson(c, text(offer), message.Ham, ""))
	m.Apply(lesson(c, text(offer), message.Spam, "village"))
	verdicts := m.Judge(c, text(offer), nothing, []message.Scope{{}, {Tenant: "village"}, {Tenant: "town"}, {}})
	if verdicts[0] != verdicts[2] || verdicts[0] != verdicts[3] {
		t.Error("tenants without lessons of their own do not share a verdict")
	}
	if own, others := verdicts[1].Probability, verdicts[0].Probability; own < 0.8 || others > 0.5 {
		t.Errorf("the tenant who taught it sees %v, the others %v", own, others)
	}
}

// Replay of one journal must give the same weights to the bit, whatever was judged between the lessons.
func TestReplayIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, ca := newModel(false)
		b, cb := newModel(false)
		for _, n := range rapid.SliceOfN(rapid.IntRange(0, 40), 1, 30).Draw(t, "lessons") {
			msg := text(strings.Repeat(fmt.Sprintf("word%d and %d more ", n%10, n), 1+n%4))
			label := message.Label(1 + n%2)
			tenant := []string{"", "a", "b"}[n%3]
			l := lesson(ca, msg, label, tenant)
			a.Apply(l)
			b.probability(cb, "something else", tenant)
			record, _ := l.AppendBinary(nil)
			var again message.Lesson
			if err := again.UnmarshalBinary(record); err != nil {
				t.Fatal(err)
			}
			b.Apply(&again)
		}
		if !reflect.DeepEqual(weightsOf(a), weightsOf(b)) || !reflect.DeepEqual(ca.learned, cb.learned) {
			t.Fatal("the same lessons gave other weights")
		}
	})
}

func TestUnknownIsNotLearnedAsAbsent(t *testing.T) {
	m, c := newModel(true)
	for i := range 30 {
		l := lesson(c, text(fmt.Sprintf("number %d", i)), message.Spam, "")
		m.Apply(l)
	}
	if c.learned.unknown[1] <= 0 || c.learned.present[1] != 0 {
		t.Errorf("learned %v for unknown, %v for present", c.learned.unknown[1], c.learned.present[1])
	}
}

func TestFeaturesAreASet(t *testing.T) {
	f := pool.Get().(*features)
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.SliceOf(rapid.Uint32Range(1, 300)).Draw(t, "hashes")
		f.start(len(in))
		want := map[uint32]bool{}
		for _, h := range in {
			f.add(h)
			want[h] = true
		}
		f.unique()
		if len(f.hashes) != len(want) {
			t.Fatalf("%d hashes kept of %d unlike ones", len(f.hashes), len(want))
		}
	})
}

func weightsOf(m *Model) (all []map[int]int32) {
	for _, t := range m.shared {
		nonzero := map[int]int32{}
		for i, w := range t.store().values {
			if w != 0 {
				nonzero[i] = w
			}
		}
		all = append(all, nonzero)
	}
	return all
}

func BenchmarkJudgeText(b *testing.B) {
	m, c := newModel(false)
	msg := text(strings.Repeat("Dear customer, your parcel 4471 is waiting. ", 4)[:160])
	m.Apply(lesson(c, msg, message.Spam, ""))
	b.ReportAllocs()
	tenants := []message.Scope{{}}
	for b.Loop() {
		m.Judge(c, msg, nothing, tenants)
	}
}

// A channel that nobody taught takes no memory: a node that only screens calls has no tables of mail.
func TestUntaughtTablesAreEmpty(t *testing.T) {
	m, c := newModel(false)
	m.probability(c, "see you at eight", "village")
	m.Apply(lesson(c, text("see you at eight"), message.Ham, "village"))
	again, _ := newModel(false)
	if err := again.Restore(m.AppendSnapshot(nil)); err != nil {
		t.Fatal(err)
	}
	for i := range learners {
		seen := learners[i].share[message.SMS] != 0
		for _, tables := range [][]table{m.shared, m.tenants["village"], again.shared, again.tenants["village"]} {
			if got := tables[i].store().values != nil; got != seen {
				t.Errorf("%s: cells made: %v, want %v", learners[i].name, got, seen)
			}
		}
	}
}

// A wrong label among many right ones moves others' verdicts less than a lesson on what nobody is sure of.
func TestDoubt(t *testing.T) {
	m, c := newModel(true)
	const code = "Your code is 4821. Do not share it."
	for i := range 20 {
		m.Apply(lesson(c, text(fmt.Sprintf("Your code is %d. Do not share it.", 1000+i)), message.Ham, ""))
		m.Apply(lesson(c, text(fmt.Sprintf("You have won prize %d, call now", i)), message.Spam, ""))
	}
	m.Apply(lesson(c, text(code), message.Spam, ""))
	if p := m.probability(c, "Your code is 7777. Do not share it.", ""); p > 0.5 {
		t.Errorf("one wrong lesson among forty: probability %v", p)
	}
	for range 4 {
		m.Apply(lesson(c, text(code), message.Spam, ""))
	}
	if p := m.probability(c, code, ""); p < 0.5 {
		t.Errorf("taught again and again: probability %v", p)
	}
}

// Header and body are told apart whichever way lines end, and no byte is in both.
func FuzzBodyAt(f *testing.F) {
	for _, raw := range []string{"A: b\r\n\r\ntext", "A: b\n\ntext", "A: b\r\n", "", "\n\n", "\n"} {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		i := bodyAt(raw)
		head, body := raw[:i], raw[i:]
		if bytes.Contains(head, []byte("\n\n")) || bytes.Contains(head, []byte("\n\r\n")) {
			t.Errorf("the header %q has an empty line", head)
		}
		if len(body) > 0 && !bytes.HasPrefix(body, []byte("\n\n")) && !bytes.HasPrefix(body, []byte("\n\r\n")) {
			t.Errorf("the body %q begins without one", body)
		}
	})
}
