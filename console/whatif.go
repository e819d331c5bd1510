package console

import (
	"cmp"
	"context"
	"slices"
	"time"

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

// whatIfTime is enough for some hundred rules about mail for a few recipients; beyond it the page goes without.
const whatIfTime = 200 * time.Millisecond

// decider decides for the recipient at place at of a changed record: by the policy in force, whose rules it asks anew, where that decides
// as it was decided then; where the policy was changed since, from the matches that the record has.
func (c *Console) decider(ctx context.Context, e *message.Event, at int) func(*message.Event) message.Decision {
	rules, recipients := c.Rules(), c.recorded(ctx, e).Recipients
	decide := func(e *message.Event) message.Decision {
		m := policy.Recorded(e) // anew: a scanner's finding may be what is missing
		m.Recipients = recipients
		return rules.AgainFor(at, e, m)
	}
	if decide(e).Action != e.Outcomes[at].Decision.Action {
		return func(e *message.Event) message.Decision { return policy.Remake(e)[at] }
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
// strongest together. tried is false where time ran out before.
func (c *Console) whatIf(ctx context.Context, e *message.Event, o *message.Outcome) (out []whatIf, tried bool) {
	at := slices.IndexFunc(e.Outcomes, func(x message.Outcome) bool { return x.Recipient == o.Recipient && x.Verdict == o.Verdict })
	if at < 0 {
		return nil, false
	}
	ctx, cancel := context.WithTimeout(ctx, whatIfTime)
	defer cancel()
	v := &e.Verdicts[o.Verdict]
	order := removable(v)
	decide := c.decider(ctx, e, at)
	for _, i := range order {
		if ctx.Err() != nil {
			return nil, false
		}
		if action, p := without(e, decide, at, i); action != o.Decision.Action {
			out = append(out, whatIf{[]string{c.sentence(v.Contributions[i])}, action, p})
			if len(out) == maxWhatIf {
				break
			}
		}
	}
	if len(out) > 0 {
		return out, true
	}
	together := strongest(v, order)
	together = together[:min(len(together), 2*maxWhatIf+1)]
	var reasons []string
	for n := range together {
		if ctx.Err() != nil {
			return nil, false
		}
		reasons = append(reasons, c.sentence(v.Contributions[together[n]]))
		if action, p := without(e, decide, at, together[:n+1]...); action != o.Decision.Action {
			return []whatIf{{reasons, action, p}}, true
		}
	}
	return nil, true
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
func without(e *message.Event, decide func(*message.Event) message.Decision, at int, missing ...int) (message.Action, float64) {
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
	return decide(&changed).Action, v.Probability
}
