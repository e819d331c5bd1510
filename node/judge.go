package node

import (
	"context"
	"time"

	"rempart/gateway"
	"rempart/message"
	"rempart/policy"
)

// Judge is the way of one message, for the front doors: filter, policy, and beside them the tally, the event and the log.
func (n *Node) Judge(ctx context.Context, m *message.Message) gateway.Answer {
	start := time.Now()
	if m.ID == "" {
		m.ID = gateway.NewID(n.now())
	}
	if m.Arrived.IsZero() {
		m.Arrived = n.now()
	}
	l := n.live.Load()
	m.Mode = n.modeOf(m.Mode)
	l.boxes.Map(ctx, m)
	n.filter.Arrive(m)
	j := n.filter.Judge(ctx, m, m.Recipients)
	n.filter.Judged(m, j)
	decisions := policy.Decide(j, m, l.rules)
	n.filter.Answered(m, decisions)
	took := time.Since(start)
	kept, err := n.putAside(ctx, m, j, decisions)
	if err != nil {
		n.log.Error("mail could not be put into quarantine: it is not taken", "id", m.ID, "error", err)
		return gateway.Answer{} // the front door answers by its on_error
	}

	e := message.NewEvent(m, j, decisions)
	e.Node, e.Took = n.config.Name, took
	if l.config.Keep.Subjects {
		e.Subject = m.Subject
	}
	n.record(m, e, l)
	n.countForOwner(m, decisions, l)
	return gateway.Answer{Judgement: j, Decisions: decisions, Kept: kept}
}

// Scan judges a message with what the node was taught, and neither counts nor keeps it.
func (n *Node) Scan(ctx context.Context, m *message.Message) gateway.Answer {
	l := n.live.Load()
	l.boxes.Map(ctx, m)
	j := n.filter.Judge(ctx, m, m.Recipients)
	return gateway.Answer{Judgement: j, Decisions: policy.Decide(j, m, l.rules)}
}

// record counts and keeps what was judged. It waits for nothing.
func (n *Node) record(m *message.Message, e *message.Event, l *live) {
	n.tallies.Fold(e)
	n.keep(m, e)
	n.metrics.judged(e)
	n.metrics.rules(e)
	n.tellSkipped(e)
	n.tellSuspect(m, e, l.config.Log.Mask)
	n.noteReport(m, &l.config.Feedback)
	if *l.config.Log.Messages {
		n.logMessage(e, l.config.Log.Mask)
	}
}

// Calls takes call records: how calls ended tells what their callers do. Nobody waits for it.
func (n *Node) Calls(records []message.CallRecord) {
	for i := range records {
		n.filter.Called(records[i])
	}
}
