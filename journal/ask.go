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

// Ask puts a question to the other nodes of the cluster and returns the first answer. [ErrAlone] if none comes before ctx ends.
func (j *Journal) Ask(ctx context.Context, what string, question []byte) ([]byte, error) {
	j.mu.Lock()
	conn, cluster := j.conn, j.Shared()
	j.mu.Unlock()
	if conn == nil || !cluster {
		return nil, ErrAlone
	}
	m, err := conn.RequestWithContext(ctx, askSubject+what, question)
	if err != nil {
		return nil, errors.Join(ErrAlone, err)
	}
	return m.Data, nil
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
