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

// Answer is the node's reply. Decisions are in the order of the message's recipients; a message without recipients gets
// one decision all the same.
type Answer struct {
	Judgement message.Judgement
	Decisions []message.Decision
}
