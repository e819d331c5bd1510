// Package gateway is what all front doors share. A front door speaks one protocol: bytes in, a message to [Judge], an
// action out. It holds no judgement; each sub-package is one protocol.
package gateway

import (
	"context"

	"rempart/message"
)

// Judge is the one question of a front door: what is to be done with m for each of its recipients. The node answers it
// by filter and policy, and beside it counts the message and records the event. It never fails: what could not be found
// out is an unknown signal. It returns when ctx ends, with a verdict from what was known by then.
type Judge func(ctx context.Context, m *message.Message) Answer

// Sign gives the header fields that are to stand before a mail which a front door lets pass, the first on top: DKIM signatures
// of a mail going out, the ARC set of one that comes in. Values may be folded by CRLF and a tab. m was judged, or is as the
// parser and the front door made it; replaced are fields that get another value before the mail goes on. The mail must go on
// otherwise as m.Raw has it: fields may be added, other than those that an author writes. It may take some milliseconds. In
// shadow and tap mode of the front door no mail is signed; where the node or a recipient is in shadow, mail is signed all
// the same, since who gets it would take unsigned mail for forged.
type Sign func(m *message.Message, replaced ...HeaderField) []HeaderField

// Answer is the node's reply. Decisions are in the order of the message's recipients; a message without recipients gets
// one decision all the same.
type Answer struct {
	Judgement message.Judgement
	Decisions []message.Decision
	// Kept: the copies of those whose action is quarantine are safe in our own store, and the front door delivers none of them. Else it
	// has the mail server hold the mail.
	Kept bool
}

// Worst is the verdict and the decision for the recipient with the highest probability among those in whose name may be
// acted. It is the answer of a front door that can give but one.
func (a Answer) Worst() (*message.Verdict, message.Decision) {
	v, d, found := &message.Verdict{}, a.Decisions[0], false
	for i, next := range a.Decisions {
		if i >= len(a.Judgement.Verdicts) {
			break
		}
		nv, acts := a.Judgement.Verdicts[i], next.Mode == message.ModeJudge
		if i == 0 || acts && !found || acts == found && nv.Probability > v.Probability {
			v, d, found = nv, next, acts
		}
	}
	return v, d
}
