package journal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Replay calls apply for each record from sequence number from on, up to what is there now, each id once, in order. It
// returns the last sequence number applied (from-1 if there was none: 0 for from 0), to go on from last+1. An error of
// apply ends it.
func (j *Journal) Replay(ctx context.Context, name Stream, from uint64, apply func(Record) error) (last uint64, err error) {
	s, err := j.log0(name)
	if err != nil {
		return 0, err
	}
	if err := j.load(ctx, s, true); err != nil {
		return 0, j.failed(err)
	}
	return j.replay(ctx, s, from, apply)
}

func (j *Journal) replay(ctx context.Context, s *stream, from uint64, apply func(Record) error) (last uint64, err error) {
	if from > 0 {
		last = from - 1
	}
	js, err := j.current()
	if err != nil {
		return last, err
	}
	var st jetstream.Stream
	err = j.insist(ctx, func(ctx context.Context) (err error) {
		st, err = js.Stream(ctx, jsName(s.name))
		return err
	})
	if err != nil {
		return last, j.failed(fmt.Errorf("read %s: %w", s.name, err))
	}
	state := st.CachedInfo().State
	if state.Msgs == 0 || from>>8 > state.LastSeq {
		return last, nil
	}
	visit := func(r Record) error {
		if r.Seq < from {
			return nil
		}
		if err := apply(r); err != nil {
			return err
		}
		last = r.Seq
		return nil
	}
	if first := max(from>>8, state.FirstSeq); state.LastSeq-first < fewMessages {
		return last, j.fetch(ctx, st, s, first, state.LastSeq, visit)
	}
	err = j.read(ctx, js, s, from, visit, func(number uint64) bool { return number >= state.LastSeq })
	return last, err
}

// fewMessages are fetched one by one: a consumer costs a cluster more.
const fewMessages = 8

// fetch visits the records of the messages from first to last.
func (j *Journal) fetch(ctx context.Context, st jetstream.Stream, s *stream, first, last uint64, visit func(Record) error) error {
	for number := first; number <= last; number++ {
		msg, err := st.GetMsg(ctx, number)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue // a revision that is gone, or one past its age
		}
		if err != nil {
			return j.failed(fmt.Errorf("read %s: %w", s.name, err))
		}
		if err := s.visit(msg.Data, number, visit); err != nil {
			return err
		}
	}
	return nil
}

// visit visits the records of a message that are the first of their ids.
func (s *stream) visit(data []byte, number uint64, visit func(Record) error) error {
	records, err := readBatch(data, number)
	if err != nil {
		return fmt.Errorf("read %s, message %d: %w", s.name, number, err)
	}
	for _, r := range records {
		if r.ID == "" || !s.first(r) { // a place kept by a restore; appended again
			continue
		}
		if err := visit(r); err != nil {
			return err
		}
	}
	return nil
}

// Follow is [Journal.Replay] that goes on with what is appended, until ctx ends or apply fails. While JetStream is down
// it waits.
func (j *Journal) Follow(ctx context.Context, name Stream, from uint64, apply func(Record) error) error {
	s, err := j.log0(name)
	if err != nil {
		return err
	}
	var failed error
	for {
		js, err := j.current()
		if err == nil {
			err = j.load(ctx, s, true)
		}
		if err == nil {
			err = j.read(ctx, js, s, from, func(r Record) error {
				if r.Seq < from {
					return nil
				}
				if failed = apply(r); failed == nil {
					from = r.Seq + 1
				}
				return failed
			}, func(uint64) bool { return false })
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case failed != nil:
			return failed
		case errors.Is(err, ErrClosed):
			return ErrClosed
		}
		select { // the connection was lost; Run brings it back
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(restartCheck):
		}
	}
}

// A reader whose server went away notices by two heartbeats that do not come, and reads on from another.
// Its consumer is deleted by the server if nobody reads for a minute.
const (
	pullExpiry    = 30 * time.Second
	pullHeartbeat = time.Second
	consumerLife  = time.Minute
)

// read visits the records of the messages from that of sequence number from on until end says that one was the last.
// Everything before must have been seen, so that the first of an id is known.
func (j *Journal) read(ctx context.Context, js jetstream.JetStream, s *stream, from uint64, visit func(Record) error, end func(uint64) bool) error {
	var cons jetstream.Consumer
	err := j.insist(ctx, func(ctx context.Context) (err error) {
		cons, err = js.OrderedConsumer(ctx, jsName(s.name), jetstream.OrderedConsumerConfig{
			DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: max(from>>8, 1), InactiveThreshold: consumerLife})
		return err
	})
	if err != nil {
		return j.failed(fmt.Errorf("read %s: %w", s.name, err))
	}
	msgs, err := cons.Messages(jetstream.PullExpiry(pullExpiry), jetstream.PullHeartbeat(pullHeartbeat))
	if err != nil {
		return j.failed(fmt.Errorf("read %s: %w", s.name, err))
	}
	defer func() {
		msgs.Stop()
		j.dismiss(js, s.name, cons)
	}()
	for {
		msg, err := msgs.Next(jetstream.NextContext(ctx))
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return j.failed(fmt.Errorf("read %s: %w", s.name, err))
		}
		meta, err := msg.Metadata()
		if err != nil {
			return err
		}
		number := meta.Sequence.Stream
		if err := s.visit(msg.Data(), number, visit); err != nil {
			return err
		}
		if end(number) {
			return nil
		}
	}
}

// dismiss deletes a consumer that is done; one that stays is deleted by its server after a while.
func (j *Journal) dismiss(js jetstream.JetStream, name Stream, cons jetstream.Consumer) {
	ctx, cancel := context.WithTimeout(context.Background(), mostPatience)
	defer cancel()
	if info := cons.CachedInfo(); info != nil {
		_ = js.DeleteConsumer(ctx, jsName(name), info.Name)
	}
}

// load reads the ids of the log once, so that later appends and reads know what is there. In a cluster others write too:
// who is going to read from the middle catches up first.
func (j *Journal) load(ctx context.Context, s *stream, reading bool) error {
	if s.latest {
		return nil
	}
	catchUp := reading && j.Shared()
	s.mu.Lock()
	loaded := s.loaded
	s.mu.Unlock()
	if loaded && !catchUp {
		return nil
	}
	s.scan.Lock()
	defer s.scan.Unlock()
	s.mu.Lock()
	from := s.through
	loaded = s.loaded
	s.mu.Unlock()
	if loaded && !catchUp {
		return nil
	}
	last, err := j.replay(ctx, s, from, func(Record) error { return nil })
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.loaded, s.through = true, max(last, from)
	}
	return err
}
