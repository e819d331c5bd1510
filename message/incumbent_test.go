package message

import "testing"

func TestAgreement(t *testing.T) {
	for _, tt := range []struct {
		said   Label
		action Action
		want   Agreement
	}{
		{Forget, Tag, NotCompared},
		{Ham, Accept, BothHonest},
		{Ham, Greylist, BothHonest}, // it may still come
		{Spam, Accept, OnlyIncumbent},
		{Ham, Tag, OnlyHere},
		{Ham, Reject, OnlyHere},
		{Spam, Quarantine, BothSpam},
	} {
		// The recipient with the worst verdict counts, also in shadow.
		e := &Event{Incumbent: Incumbent{Filter: "rspamd", Label: tt.said}, Verdicts: []Verdict{{Probability: 0.1}, {Probability: 0.7}},
			Outcomes: []Outcome{{Verdict: 0, Decision: Decision{Action: Discard}}, {Verdict: 1, Decision: Decision{Action: tt.action, Mode: ModeShadow}}}}
		got := e.Agreement()
		if got != tt.want {
			t.Errorf("%s said %v, we %v: %v, want %v", e.Incumbent.Filter, tt.said, tt.action, got, tt.want)
		}
		b, _ := got.MarshalText()
		var again Agreement
		if err := again.UnmarshalText(b); got != NotCompared && (err != nil || again != got) {
			t.Errorf("%q is read as %v, %v", b, again, err)
		}
	}
	if e := (&Event{Incumbent: Incumbent{Label: Spam}}); e.Agreement() != NotCompared {
		t.Error("a mail without a verdict of ours was compared")
	}
}
