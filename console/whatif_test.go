package console

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"rempart/account"
	"rempart/message"
	"rempart/policy"
)

// A mail for many, under many rules, is decided again for the one recipient whose page it is; where that takes too long nevertheless, the
// page goes without.
func TestWhatIfIsBounded(t *testing.T) {
	s := newStand(t)
	mapped := 0
	s.Map = func(context.Context, *message.Message) { mapped++ }
	for i := range 200 {
		rule := policy.RuleConfig{Name: fmt.Sprint("r", i), When: `recipient.address contains "nobody@" or message.recipients < 1000`, Action: message.Quarantine}
		var err error
		if s.rules, err = s.rules.Try(policy.Trial{Rule: &rule}); err != nil {
			t.Fatal(err)
		}
	}
	e := &message.Event{ID: "x", Channel: message.Email}
	for i := range 1000 {
		v := message.Verdict{Calibration: message.Identity}
		for range 30 {
			v.Contributions = append(v.Contributions, message.Contribution{Name: "learner_text", State: message.StatePresent, Input: message.FixedOne, Coefficient: message.Odds(0.1)})
		}
		v.Score = v.Sum()
		v.Probability = v.Calibration.Probability(v.Score)
		e.Verdicts = append(e.Verdicts, v)
		e.Outcomes = append(e.Outcomes, message.Outcome{Recipient: fmt.Sprint("a", i, "@example.org"), Verdict: i})
	}
	for i, d := range s.rules.Again(e, policy.Recorded(e)) {
		e.Outcomes[i].Decision = d
	}
	start := time.Now()
	got, tried := s.whatIf(t.Context(), e, &e.Outcomes[999])
	t.Logf("took %v", time.Since(start))
	if tried && (len(got) != 1 || got[0].Action != message.Tag) || mapped != 1 {
		t.Errorf("%+v, mailboxes were asked for %d times", got, mapped)
	}
	s.Map = func(ctx context.Context, _ *message.Message) { <-ctx.Done() }
	if got, tried := s.whatIf(t.Context(), e, &e.Outcomes[999]); got != nil || tried {
		t.Errorf("after its time: %+v", got)
	}
	if status, body := s.as(t, account.Viewer).get("/messages/" + hostileID); status != 200 || strings.Contains(body, `id="whatif"`) {
		t.Errorf("%d, a section that was not made", status)
	}
}

// What a scanner found is missing like any other reason.
func TestWhatIfNoMalware(t *testing.T) {
	s := newStand(t)
	e := &message.Event{ID: "x", Channel: message.Email, Verdicts: []message.Verdict{{Calibration: message.Identity, Contributions: []message.Contribution{
		{Name: "malware", State: message.StatePresent, Input: message.FixedOne, Coefficient: message.Odds(1), Args: []any{"Eicar"}},
	}}}, Outcomes: []message.Outcome{{Recipient: "a@example.org"}}}
	v := &e.Verdicts[0]
	v.Score = v.Sum()
	v.Probability = v.Calibration.Probability(v.Score)
	e.Outcomes[0].Decision = s.rules.Again(e, policy.Recorded(e))[0]
	if d := e.Outcomes[0].Decision; d.Rule != policy.RuleMalware {
		t.Fatalf("%+v", d)
	}
	if got, _ := s.whatIf(t.Context(), e, &e.Outcomes[0]); len(got) != 1 || got[0].Action != message.Tag {
		t.Errorf("%+v", got)
	}
}
