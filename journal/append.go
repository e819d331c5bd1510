package journal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

type idHash [16]byte

func hashID(id string) idHash {
	h := sha256.Sum256([]byte(id))
	return idHash(h[:16])
}

// stream is this process's view of one log.
type stream struct {
	name   Stream
	latest bool

	scan sync.Mutex // one scan at a time; held over reading

	mu      sync.Mutex
	ids     map[idHash]uint64 // the lowest sequence number of each id
	through uint64            // sequence number up to which ids is complete
	loaded  bool
	pending []*appending
	busy    bool // someone publishes
}

type appending struct {
	hash idHash
	rec  Record
	seq  uint64
	err  error
	done chan struct{}
	lead chan struct{} // closed: it is this one's turn to publish
}

// first notes a record and says whether it is the first of its id: whoever reads has seen all before it. In a stream of
// revisions every record is, and none is noted: memory would grow with each checkpoint.
func (s *stream) first(r Record) bool {
	if s.latest {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	h := hashID(r.ID)
	if old, ok := s.ids[h]; ok && old < r.Seq {
		return false
	}
	s.ids[h] = r.Seq
	return true
}

// A batch is bounded so that a record never waits for more than one sync of moderate size.
const (
	maxBatch      = 256 // the place in it is the low byte of the sequence number
	maxBatchBytes = MaxRecord
)

// Append adds a record and returns its sequence number when it is synced. An id that the log has already is not added
// again: its number is returned. If ctx ends first, or the error is not ErrNoSpace, the record may or may not have been
// stored: append it again with the same id. While the operator's cluster cannot be reached or does
// not answer (its servers choose another leader), the record is synced here and [ErrQueued] is returned: it is sent later.
func (j *Journal) Append(ctx context.Context, name Stream, id string, record []byte) (uint64, error) {
	s, err := j.log0(name)
	queues := err == nil && !s.latest && id != "" && len(record)+len(id) <= MaxRecord
	if queues && j.apart(name) {
		return 0, j.queue(name, id, record)
	}
	seq, err := j.append(ctx, name, id, record)
	if queues && err != nil && j.unanswered(err) {
		return 0, j.queue(name, id, record) // if it is stored after all, it is applied once: by its id
	}
	return seq, err
}

func (j *Journal) append(ctx context.Context, name Stream, id string, record []byte) (uint64, error) {
	s, err := j.log0(name)
	if err != nil {
		return 0, err
	}
	if id == "" {
		return 0, errors.New("journal: a record needs an id")
	}
	if len(record)+len(id) > MaxRecord {
		return 0, ErrTooLarge
	}
	if err := j.load(ctx, s, false); err != nil {
		return 0, j.failed(err)
	}
	a := &appending{hash: hashID(id), rec: Record{ID: id, Data: record}, done: make(chan struct{}), lead: make(chan struct{})}
	s.mu.Lock()
	if seq, ok := s.ids[a.hash]; ok {
		s.mu.Unlock()
		return seq, nil
	}
	s.pending = append(s.pending, a)
	if !s.busy {
		s.busy = true
		close(a.lead)
	}
	s.mu.Unlock()
	select {
	case <-a.lead:
		j.publish(s)
		<-a.done
	case <-a.done:
	case <-ctx.Done():
		select {
		case <-a.lead: // whoever leads owes the others the commit
			j.publish(s)
		default:
			go j.abandon(s, a)
		}
		return 0, ctx.Err()
	}
	return a.seq, a.err
}

// abandon takes the lead for an append whose caller has gone, should its turn come. It ends with the commit in hand.
func (j *Journal) abandon(s *stream, a *appending) {
	select {
	case <-a.lead:
		j.publish(s)
	case <-a.done:
	}
}

// publish commits what is pending as one message, then hands the lead to the first who came meanwhile.
func (j *Journal) publish(s *stream) {
	s.mu.Lock()
	n, size := 0, 0
	for n < len(s.pending) && n < maxBatch && (n == 0 || size+len(s.pending[n].rec.Data) <= maxBatchBytes) && (n == 0 || !s.latest) {
		size += len(s.pending[n].rec.Data)
		n++
	}
	batch := append([]*appending(nil), s.pending[:n]...)
	s.pending = append(s.pending[:0], s.pending[n:]...)
	s.mu.Unlock()

	j.commit(s, batch)

	s.mu.Lock()
	for _, a := range batch {
		if a.err == nil && !s.latest {
			if old, ok := s.ids[a.hash]; !ok || a.seq < old {
				s.ids[a.hash] = a.seq
			} else {
				a.seq = old
			}
		}
	}
	if len(s.pending) > 0 {
		close(s.pending[0].lead)
	} else {
		s.busy = false
	}
	s.mu.Unlock()
	for _, a := range batch {
		close(a.done)
	}
}

// commit fills in sequence number or error of each.
func (j *Journal) commit(s *stream, batch []*appending) {
	records := make([]Record, len(batch))
	for i, a := range batch {
		records[i] = a.rec
	}
	msg := nats.NewMsg(subjectOf(s, batch[0].rec.ID))
	msg.Data = appendBatch(nil, time.Now(), records)
	seq, err := j.send(s.name, msg)
	for i, a := range batch {
		a.seq, a.err = seq<<8|uint64(i), err
	}
}

// subjectOf is where the record goes: in a stream of revisions, one subject for each id without its revision.
func subjectOf(s *stream, id string) string {
	if !s.latest {
		return subject(s.name) + ".log"
	}
	if i := strings.LastIndexByte(id, '/'); i >= 0 {
		id = id[:i]
	}
	h := hashID(id)
	return subject(s.name) + "." + hex.EncodeToString(h[:])
}

// send publishes without the caller's context: a batch belongs to several.
func (j *Journal) send(name Stream, msg *nats.Msg) (uint64, error) {
	js, err := j.current()
	if err != nil {
		return 0, j.failed(err)
	}
	timeout := appendTimeout
	if j.Shared() {
		timeout = clusterTimeout
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	ack, err := js.PublishMsg(ctx, msg, jetstream.WithExpectStream(jsName(name)), jetstream.WithRetryAttempts(0))
	if err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("%w: %w", errSend, err)
		}
		return 0, j.failed(fmt.Errorf("append to %s: %w", name, err))
	}
	return ack.Sequence, nil
}

// failed remembers the error for Health and tells a full disk from the rest.
func (j *Journal) failed(err error) error {
	var api *jetstream.APIError
	full := strings.Contains(err.Error(), "no space left") || strings.Contains(err.Error(), "maximum bytes exceeded") ||
		errors.As(err, &api) && noSpaceCode(api)
	j.mu.Lock()
	defer j.mu.Unlock()
	if errors.Is(err, errSend) && j.srv != nil {
		j.sick = true // a full disk can also make JetStream fall silent: it forgets to answer, and never recovers
	}
	down := j.down()
	switch {
	case j.closed:
		err = ErrClosed
	case errors.Is(err, ErrNoSpace) || errors.Is(err, ErrNoAnswer):
	case full:
		err = fmt.Errorf("%w: %w", ErrNoSpace, err)
	case down:
		err = fmt.Errorf("%w: %w", j.why(), err)
	}
	j.err = err
	return err
}
