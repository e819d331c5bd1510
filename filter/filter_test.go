package filter

import (
	"context"
	"testing"

	"rempart/catalogue"
	"rempart/message"
)

func text(s string) *message.Message {
	return &message.Message{Channel: message.SMS, Direction: message.In, Text: s}
}

// Every signal can be read out, and says by which method of X.1245 it was found.
func TestEverySignalHasASentence(t *testing.T) {
	for _, table := range signalTables {
		seen := map[string]bool{}
		for _, row := range table.rows {
			if !catalogue.English().Has("signal." + row.name) {
				t.Errorf("%s: the catalogue lacks signal.%s", table.channel, row.name)
			}
			if row.method < message.SourceAnalysis || row.method > message.Content {
				t.Errorf("%s: %s has no method", table.channel, row.name)
			}
			if seen[row.name] {
				t.Errorf("%s: %s stands twice in the table", table.channel, row.name)
			}
			seen[row.name] = true
		}
	}
}

func TestNearCopyFollowsAtOnce(t *testing.T) {
	f := New(Options{})
	ctx := context.Background()
	const taught = "Your parcel 4471 is held at the depot, pay the fee of 2.99 at the page below within 24 hours"
	const copied = "Your parcel 9023 is held at the depot, pay the fee of 1.49 at the page below within 48 hours!"
	before := f.Judge(ctx, text(copied), nil).Verdicts[0]
	lesson := f.Lesson(ctx, text(taught), message.Spam, message.Scope{}, "postmaster")
	lesson.Category = message.Scam
	f.Apply(lesson)
	after := f.Judge(ctx, text(copied), nil).Verdicts[0]
	if after.Category != message.Scam {
		t.Errorf("a near copy of a scam is for %v", after.Category)
	}
	if before.Probability >= 0.5 || after.Probability < 0.9 {
		t.Errorf("probability %v before, %v after its near copy was taught", before.Probability, after.Probability)
	}
	f.Apply(f.Lesson(ctx, text(taught), message.Ham, message.Scope{}, "postmaster"))
	if corrected := f.Judge(ctx, text(copied), nil).Verdicts[0]; corrected.Probability >= 0.5 {
		t.Errorf("probability %v after the correction", corrected.Probability)
	}
}

func TestRecipientsShareAVerdict(t *testing.T) {
	f := New(Options{})
	j := f.Judge(t.Context(), text("see you at eight"), []message.Recipient{{Address: "+1"}, {Address: "+2", Tenant: "village"}})
	if len(j.Verdicts) != 2 || j.Verdicts[0] != j.Verdicts[1] {
		t.Errorf("%d verdicts, shared %v", len(j.Verdicts), j.Verdicts[0] == j.Verdicts[1])
	}
	if j.Verdicts[0].Sum() != j.Verdicts[0].Score {
		t.Error("contributions do not add up to the score")
	}
}

func TestSnapshot(t *testing.T) {
	f := New(Options{})
	ctx := context.Background()
	const taught = "Your parcel 4471 is held at the depot, pay the fee of 2.99 at the page below within 24 hours"
	m := text(taught)
	m.MailFrom = "PARCEL"
	f.Apply(f.Lesson(ctx, m, message.Spam, message.Scope{}, "postmaster"))
	g := New(Options{})
	snapshot := f.Snapshot()
	if err := g.Restore(snapshot); err != nil {
		t.Fatal(err)
	}
	a, b := f.Judge(ctx, m, nil).Verdicts[0], g.Judge(ctx, m, nil).Verdicts[0]
	if a.Score != b.Score || a.Probability < 0.9 || len(a.Contributions) != len(b.Contributions) {
		t.Errorf("restored: %v, want %v", b, a)
	}
	if err := g.Restore(snapshot[:len(snapshot)-3]); err == nil {
		t.Error("a damaged snapshot was taken")
	}
	if c := g.Judge(ctx, m, nil).Verdicts[0]; c.Score != a.Score {
		t.Error("a damaged snapshot changed the filter")
	}
}

// The very lesson stands: not before it, not after its correction, not in another scope, and not where a later lesson says
// otherwise of the same text. A snapshot keeps it.
func TestStands(t *testing.T) {
	f := New(Options{})
	school := message.Scope{Tenant: "school"}
	m := text("Your parcel 4471 is held at the depot, pay the fee of 2.99 at the page below within 24 hours")
	again := text(m.Text)
	again.MessageID = "2@example.com" // another message of the same text
	teach := func(m *message.Message, l message.Label, s message.Scope) {
		f.Apply(f.Lesson(t.Context(), m, l, s, "postmaster"))
	}
	want := func(when string, m *message.Message, l message.Label, s message.Scope, stands bool) {
		t.Helper()
		if f.Stands(m, l, s) != stands {
			t.Errorf("%s: %v stands is %v", when, l, !stands)
		}
	}
	want("untaught", m, message.Spam, message.Scope{}, false)
	teach(m, message.Spam, message.Scope{})
	want("taught", m, message.Spam, message.Scope{}, true)
	want("taught", m, message.Ham, message.Scope{}, false)
	want("taught to all", m, message.Spam, school, false)
	want("its text", again, message.Spam, message.Scope{}, false)
	if err := f.Restore(f.Snapshot()); err != nil {
		t.Fatal(err)
	}
	want("restored", m, message.Spam, message.Scope{}, true)
	teach(m, message.Ham, message.Scope{})
	want("corrected", m, message.Spam, message.Scope{}, false)
	want("corrected", m, message.Ham, message.Scope{}, true)
	teach(again, message.Spam, message.Scope{})
	want("its text was taught otherwise", m, message.Ham, message.Scope{}, false)
}
