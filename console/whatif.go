package console

import (
	"cmp"
	"context"
	"slices"

	"rempart/message"
	"rempart/policy"
)

// whatIf is one change to a message that would have changed what was done with it.
type whatIf struct {
	Without     []string // sentences of what would have been missing
	Action      message.Action
	Probability float64
}

const maxWhatIf = 4

// decider decides about a changed record: by the policy in force, whose rules it asks anew, where that decides about the record as it
// was decided then; where the policy was changed since, from the matches that the record has.
func (c *Console) decider(ctx context.Context, e *message.Event) func(*message.Event) []message.Decision {
	rules := c.Rules()
	decide := func(e *message.Event) []message.Decision { return rules.Again(e, c.recorded(ctx, e)) }
	again := decide(e)
	for i := range e.Outcomes {
		if i >= len(again) || again[i].Action != e.Outcomes[i].Decision.Action {
			return policy.Remake
		}
	}
	return decide
}

// recorded is the message of an event, with the mailboxes of its recipients.
func (c *Console) recorded(ctx context.Context, e *message.Event) *message.Message {
	m := policy.Recorded(e)
	c.Map(ctx, m)
	return m
}

// whatIf makes the recorded decision again without each contribution in turn; where none decides alone, without the
// strongest together.
func (c *Console) whatIf(ctx context.Context, e *message.Event, o *message.Outcome) []whatIf {
	at := slices.IndexFunc(e.Outcomes, func(x message.Outcome) bool { return x.Recipient == o.Recipient && x.Verdict == o.Verdict })
	if at < 0 {
		return nil
	}
	v := &e.Verdicts[o.Verdict]
	order := removable(v)
	decide := c.decider(ctx, e)
	var out []whatIf
	for _, i := range order {
		if action, p := without(e, decide, at, i); action != o.Decision.Action {
			out = append(out, whatIf{[]string{c.sentence(v.Contributions[i])}, action, p})
			if len(out) == maxWhatIf {
				break
			}
		}
	}
	if len(out) > 0 {
		return out
	}
	together := strongest(v, order)
	var reasons []string
	for n := range together {
		reasons = append(reasons, c.sentence(v.Contributions[together[n]]))
		if action, p := without(e, decide, at, together[:n+1]...); action != o.Decision.Action {
			return []whatIf{{reasons, action, p}}
		}
		if n == 2*maxWhatIf {
			break
		}
	}
	return nil
}

// removable are the places of the facts about this message, the heaviest first; what holds before anything is known of a
// message (the bias) cannot be missing.
func removable(v *message.Verdict) []int {
	var order []int
	for i, p := range v.Contributions {
		if p.State == message.StatePresent && p.Name != "bias" && p.Weight() != 0 {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(magnitude(v.Contributions[b]), magnitude(v.Contributions[a]))
	})
	return order
}

// strongest are those of order that speak for the side the verdict is on.
func strongest(v *message.Verdict, order []int) []int {
	var out []int
	for _, i := range order {
		if (v.Contributions[i].Weight() > 0) == (v.Probability >= 0.5) {
			out = append(out, i)
		}
	}
	return out
}

// without decides for one recipient as if some contributions had not been there.
func without(e *message.Event, decide func(*message.Event) []message.Decision, at int, missing ...int) (message.Action, float64) {
	changed := *e
	changed.Verdicts = slices.Clone(e.Verdicts)
	v := &changed.Verdicts[e.Outcomes[at].Verdict]
	old := v.Contributions
	v.Contributions = nil
	for i, p := range old {
		if !slices.Contains(missing, i) {
			v.Contributions = append(v.Contributions, p)
		}
	}
	v.Score = v.Sum()
	v.Probability = v.Calibration.Probability(v.Score)
	return decide(&changed)[at].Action, v.Probability
}
