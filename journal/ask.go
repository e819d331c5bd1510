package journal

import (
	"context"
	"errors"

	"github.com/nats-io/nats.go"
)

// ErrAlone: no other node answers, or there is no cluster.
var ErrAlone = errors.New("journal: no other node answers")

// askSubject is where nodes of a cluster ask each other; nothing of it is stored.
const askSubject = "rempart.ask."

// Ask puts a question to the other nodes of the cluster until take is content with an answer. [ErrAlone] if none is before ctx ends.
func (j *Journal) Ask(ctx context.Context, what string, question []byte, take func(answer []byte) bool) error {
	j.mu.Lock()
	conn, cluster := j.conn, j.Shared()
	j.mu.Unlock()
	if conn == nil || !cluster {
		return ErrAlone
	}
	answers, err := conn.SubscribeSync(nats.NewInbox())
	if err != nil {
		return errors.Join(ErrAlone, err)
	}
	defer func() { _ = answers.Unsubscribe() }()
	if err := conn.PublishRequest(askSubject+what, answers.Subject, question); err != nil {
		return errors.Join(ErrAlone, err)
	}
	for {
		m, err := answers.NextMsgWithContext(ctx)
		if err != nil {
			return errors.Join(ErrAlone, err)
		}
		if take(m.Data) {
			return nil
		}
	}
}

// Answer has such questions of other nodes answered until the journal is closed; where answer gives nothing, this node is silent.
func (j *Journal) Answer(what string, answer func(question []byte) []byte) error {
	j.mu.Lock()
	conn, cluster := j.conn, j.Shared()
	j.mu.Unlock()
	if conn == nil || !cluster {
		return nil
	}
	_, err := conn.Subscribe(askSubject+what, func(m *nats.Msg) {
		if a := answer(m.Data); len(a) > 0 {
			_ = m.Respond(a) // who asked asks again
		}
	})
	return err
}
