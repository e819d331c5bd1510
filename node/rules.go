package node

import (
	"time"

	"rempart/message"
)

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
