package node

import (
	"context"
	"time"

	"rempart/message"
	"rempart/policy"
)

// Rules are those in force.
func (n *Node) Rules() *policy.Rules { return n.live.Load().rules }

// RuleCounts is how often an operator's rule fitted a recipient's message since the start, and how often it was left out because it took
// too long or failed.
func (n *Node) RuleCounts(name string) (fitted, skipped uint64) {
	c := n.metrics.rule(name)
	return c.fitted.Load(), c.skipped.Load()
}

// mapMailboxes fills in whose mailboxes the recipients of a message are.
func (n *Node) mapMailboxes(ctx context.Context, m *message.Message) { n.live.Load().boxes.Map(ctx, m) }

// skippedEvery is how often the log tells of a rule that is skipped: it may be so for every mail.
const skippedEvery = time.Minute

// tellSkipped logs a rule of the operator's that took too long or failed; the metric counts them all.
func (n *Node) tellSkipped(e *message.Event) {
	for i := range e.Outcomes {
		for _, rule := range e.Outcomes[i].Decision.Skipped {
			now := n.now()
			last, told := n.skipped.Load(rule)
			if told && now.Sub(last.(time.Time)) < skippedEvery {
				continue
			}
			n.skipped.Store(rule, now)
			n.log.Warn("rule took too long or failed: mail is decided without it", "rule", rule, "id", e.ID)
		}
	}
}
