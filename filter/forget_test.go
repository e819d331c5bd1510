package filter

import (
	"reflect"
	"testing"

	"rempart/message"
)

var forgetScopes = []message.Scope{{}, {Tenant: "school"}, {User: "ben@example.net", Domain: "example.net"}}

// forgetting is a filter that learned a little, and a teacher in one scope.
type forgetting struct {
	*testing.T
	*Filter
	scope message.Scope
}

func newForgetting(t *testing.T, scope message.Scope) forgetting {
	f := forgetting{t, New(Options{}), scope}
	for i, s := range []string{"See you at eight at the harbour, and bring the keys of the boat please",
		"You have won a prize of 5000, call 09061 701461 now to claim it before midnight"} {
		f.Apply(f.Lesson(t.Context(), text(s), message.Label(1+i), message.Scope{}, "postmaster"))
	}
	return f
}

func parcel(sender string) *message.Message {
	m := text("Your parcel 4471 is held at the depot, pay the fee of 2.99 at the page below within 24 hours")
	m.MailFrom = sender
	return m
}

func (f forgetting) learn(m *message.Message, label message.Label) {
	f.Apply(f.Lesson(f.Context(), m, label, f.scope, "postmaster"))
}

// verdicts are what the teacher, and the operator, see of the message itself and of one that has nothing to do with it.
func (f forgetting) verdicts() (all []message.Contribution) {
	other := text("The choir meets on Thursday in the large room, Ann has the notes and the budget of the journey")
	other.MailFrom = "CHOIR"
	for _, m := range []*message.Message{parcel("PARCEL"), other} {
		to := []message.Recipient{{Tenant: f.scope.Tenant, Domain: f.scope.Domain, User: f.scope.User}, {}}
		for _, v := range f.Filter.Judge(f.Context(), m, to).Verdicts {
			all = append(all, message.Contribution{Name: "score", Coefficient: v.Score})
			all = append(all, v.Contributions...)
		}
	}
	return all
}

// Of a forgotten lesson nothing is left: not in the weights, not in near copies, not in its source, however often it is taught and
// forgotten. It can be taught again, and forgetting what was never taught does nothing. A snapshot keeps it.
func TestForget(t *testing.T) {
	for _, scope := range forgetScopes {
		for _, label := range []message.Label{message.Spam, message.Ham} {
			f, m := newForgetting(t, scope), parcel("PARCEL")
			before := f.verdicts()
			f.learn(m, message.Forget)
			if after := f.verdicts(); !reflect.DeepEqual(before, after) {
				t.Errorf("%v: nothing was taught, and forgetting it changed %v to %v", scope, before, after)
			}
			for range 20 {
				f.learn(m, label)
				if f.Taught(m, scope) != label || reflect.DeepEqual(before, f.verdicts()) {
					t.Fatalf("%v: %v was not taught", scope, label)
				}
				f.learn(m, message.Forget)
				if f.Taught(m, scope) != message.Forget {
					t.Fatalf("%v: %v was not forgotten", scope, label)
				}
			}
			f.sameBut(before, label)
			g := New(Options{})
			if err := g.Restore(f.Snapshot()); err != nil || g.Taught(m, scope) != message.Forget {
				t.Errorf("%v: restored as %v, %v", scope, g.Taught(m, scope), err)
			}
			if f.learn(m, label); f.Taught(m, scope) != label {
				t.Errorf("%v: %v was not taught again", scope, label)
			}
		}
	}
}

// sameBut compares with verdicts before. Of a user's or domain's lessons others keep what their influence does not allow to
// take back at once: that is less than half of log-odds.
func (f forgetting) sameBut(before []message.Contribution, label message.Label) {
	f.Helper()
	after := f.verdicts()
	if !f.scope.Narrow() {
		if !reflect.DeepEqual(before, after) {
			f.Errorf("%v: %v forgotten: %v, before %v", f.scope, label, after, before)
		}
		return
	}
	if len(before) != len(after) {
		f.Fatalf("%v: %v forgotten: %v, before %v", f.scope, label, after, before)
	}
	for i := range before {
		d := after[i].Weight() - before[i].Weight()
		if before[i].Name == "score" {
			d = after[i].Coefficient - before[i].Coefficient
		}
		if after[i].Name != before[i].Name || d < -message.One/2 || d > message.One/2 {
			f.Errorf("%v: %v forgotten: %v, before %v", f.scope, label, after[i], before[i])
		}
	}
}

// A lesson that was corrected, or taught twice, is forgotten as a whole; one on the same text with another Message-ID stays.
func TestForgetAsAWhole(t *testing.T) {
	for _, scope := range forgetScopes[:2] {
		for _, labels := range [][]message.Label{{message.Spam, message.Ham}, {message.Ham, message.Spam, message.Ham},
			{message.Spam, message.Spam}, {message.Spam, message.Spam, message.Ham, message.Ham}} {
			f, m := newForgetting(t, scope), parcel("PARCEL")
			other := parcel("PARCEL")
			other.MessageID = "other@example.net"
			f.learn(other, message.Spam)
			before := f.verdicts()
			for _, label := range labels {
				f.learn(m, label)
			}
			f.learn(m, message.Forget)
			f.sameBut(before, labels[len(labels)-1])
		}
	}
}

// A source counts once for a lesson that is taught twice, and for each source that the same text came from.
func TestSourceOfRepeatedLesson(t *testing.T) {
	f := newForgetting(t, message.Scope{})
	count := func(sender string) uint32 {
		m := parcel(sender)
		f.Filter.Judge(t.Context(), m, nil)
		return m.Facts.Reputation.Spam
	}
	for range 2 {
		f.learn(parcel("PARCEL"), message.Spam)
	}
	if n := count("PARCEL"); n != 1 {
		t.Errorf("one lesson, taught twice, counts %d", n)
	}
	f.learn(parcel("DEPOT"), message.Spam)
	f.learn(parcel("DEPOT"), message.Spam)
	if n := count("DEPOT"); n != 1 {
		t.Errorf("the same text of another sender counts %d", n)
	}
	f.learn(parcel("DEPOT"), message.Forget)
	if n := count("DEPOT"); n != 0 {
		t.Errorf("forgotten, the source counts %d", n)
	}
}
