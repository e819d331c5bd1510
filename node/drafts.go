package node

import (
	"context"
	"fmt"
	"runtime"

	"rempart/keyring"
	"rempart/message"
)

// judged is a message on its way to the index.
type judged struct {
	message *message.Message // nil if there is to be no draft
	event   *message.Event
}

// Drafts are made so many a second of each kind, and a burst: hardly one is ever taught, and each costs as much as to judge
// the mail. Of what lies between, where lessons matter, there may be more.
const (
	sureDrafts   = 10
	sureBurst    = 20
	otherDrafts  = 50
	otherBurst   = 30
	surelyHonest = 0.1 // probability below it
	surelySpam   = 0.99
)

// worthDraft reports whether a message may come to be taught.
func (n *Node) worthDraft(e *message.Event) bool {
	o := e.Worst()
	switch {
	case o == nil:
		return true
	case e.Agreement() == message.OnlyIncumbent || e.Agreement() == message.OnlyHere:
		return n.otherDrafts.Allow()
	case e.Verdicts[o.Verdict].Probability < surelyHonest && o.Decision.Action <= message.Accept:
		return n.honestDrafts.Allow()
	case e.Verdicts[o.Verdict].Probability > surelySpam:
		return n.spamDrafts.Allow()
	}
	return n.otherDrafts.Allow()
}

// draftQueue bounds the messages that wait for their draft; beyond it events are kept without draft and campaign. Mail is
// not held up for what may be taught.
const draftQueue = 256

// keep hands the event to the index, by way of the drafts if they keep up.
func (n *Node) keep(m *message.Message, e *message.Event) {
	if !n.index.Wants(e) {
		return
	}
	if !n.worthDraft(e) {
		m = nil
	}
	select {
	case n.drafts <- judged{m, e}:
	default:
		n.index.Add(e, nil)
	}
}

// makeDrafts finds the campaigns of events and makes and seals drafts until ctx ends; what is queued by then is kept first.
func (n *Node) makeDrafts(ctx context.Context) error {
	n.recallCampaigns(ctx)
	var record []byte // of one draft after the other
	for {
		select {
		case j := <-n.drafts:
			j.event.Campaign = n.watch.Add(j.event)
			var sealed []byte
			if j.message != nil {
				draft := n.filter.Draft(j.message)
				record, _ = draft.AppendBinary(record[:0])
				sealed = n.seal(j.message, record)
				j.event.Key = draft.Message
			}
			n.index.Add(j.event, sealed)
			runtime.Gosched() // who waits for a verdict goes first
		case <-ctx.Done():
			for {
				select {
				case j := <-n.drafts:
					j.event.Campaign = n.watch.Add(j.event)
					n.index.Add(j.event, nil)
				default:
					return nil
				}
			}
		}
	}
}

// recalledEvents is how many events campaigns are made of again at the start: about a second's work.
const recalledEvents = 20_000

// recallCampaigns makes the campaigns of the latest events again.
func (n *Node) recallCampaigns(ctx context.Context) {
	err := n.index.Latest(ctx, recalledEvents, func(e *message.Event) error {
		n.watch.Add(e)
		return nil
	})
	if err != nil && ctx.Err() == nil {
		n.log.Warn("campaigns begin anew", "error", err)
	}
}

// seal seals the draft of a message; nil if it cannot be sealed, which the log says.
func (n *Node) seal(m *message.Message, record []byte) []byte {
	sealed, err := n.keys.Seal(keyring.Scope{Tenant: m.Tenant}, record, []byte(m.ID))
	if err != nil {
		n.log.Error("draft not kept", "error", err)
		return nil
	}
	return sealed
}

// Teach teaches that a judged message, named by its id, is of that label. It returns when the lesson is synced and applied,
// with the probability before and after; [rempart/index.ErrNotFound] if the message is too old to be taught.
func (n *Node) Teach(ctx context.Context, id string, label message.Label, teacher string) (before, after float64, err error) {
	sealed, err := n.index.Draft(ctx, id)
	if err != nil {
		return 0, 0, err
	}
	record, err := n.keys.Open(sealed, []byte(id))
	if err != nil {
		return 0, 0, fmt.Errorf("open draft: %w", err)
	}
	var lesson message.Lesson
	if err := lesson.UnmarshalBinary(record); err != nil {
		return 0, 0, err
	}
	e, err := n.index.Get(ctx, id)
	if err != nil {
		return 0, 0, err
	}
	lesson.Label, lesson.Scope, lesson.Teacher = label, message.Scope{Tenant: e.Tenant}, teacher
	before = n.filter.Reconsider(&lesson).Probability
	lesson.Before = before
	if err := n.teach(ctx, &lesson); err != nil {
		return before, before, err
	}
	return before, n.filter.Reconsider(&lesson).Probability, nil
}
