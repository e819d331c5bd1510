package node

import (
	"context"
	"time"

	"rempart/gateway"
	"rempart/message"
	"rempart/sign"
)

// loadKeys reads the keys of a configuration. What DNS said of those that there are already stays known.
func (n *Node) loadKeys(c sign.Config) (*sign.Signer, error) {
	s, warnings, err := sign.Load(c)
	if err != nil {
		return nil, err
	}
	for _, w := range warnings {
		n.log.Warn("key that signs", "warning", w)
	}
	if old := n.live.Load(); old != nil {
		s.Inherit(old.signer)
	}
	return s, nil
}

// sign is what the front doors ask for the signatures of a mail.
func (n *Node) sign(m *message.Message, replaced ...gateway.HeaderField) []gateway.HeaderField {
	other := make([]sign.Field, len(replaced))
	for i, f := range replaced {
		other[i] = sign.Field(f)
	}
	fields, outcome := n.live.Load().signer.Sign(m, n.now(), other...)
	if outcome == sign.None {
		return nil
	}
	n.metrics.signed.WithLabelValues(string(outcome)).Inc()
	if len(fields) == 0 && outcome != sign.NoKey {
		n.log.Warn("mail not signed", "id", m.ID, "queue_id", m.QueueID, "domain", m.From.Domain, "why", string(outcome))
	}
	out := make([]gateway.HeaderField, len(fields))
	for i, f := range fields {
		out[i] = gateway.HeaderField(f)
	}
	return out
}

// lookEvery is how often DNS is asked for the keys' records; what it said stays in the resolver's cache as long as it allows.
const lookEvery = 5 * time.Minute

// lookForKeys asks DNS for the records of the keys, at the start, after a reload and then again and again, until ctx ends.
func (n *Node) lookForKeys(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-n.newKeys:
		case <-tick.C:
		}
		if l := n.live.Load(); l.asks != nil {
			for _, k := range l.signer.Look(ctx, l.asks, n.now()) {
				n.logKey(k)
			}
		}
	}
}

// lookAgain has DNS asked now.
func (n *Node) lookAgain() {
	select {
	case n.newKeys <- struct{}{}:
	default: // it will be
	}
}

func (n *Node) logKey(k sign.KeyStatus) {
	write := n.log.Info
	if k.State != sign.Published {
		write = n.log.Warn
	}
	write("key that signs", "record", k.Name(), "algorithm", k.Algorithm, "state", string(k.State), "why", k.Why, "signs", k.Signs)
}
