package node

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"rempart/gateway"
	"rempart/journal"
	"rempart/keyring"
	"rempart/message"
)

// lessons is how far lessons were applied, for those who wait for theirs.
type lessons struct {
	mu      sync.Mutex
	applied uint64 // sequence number in the journal
	changed chan struct{}
}

func (l *lessons) reached(seq uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.applied = seq
	close(l.changed)
	l.changed = make(chan struct{})
}

// wait returns when the lesson with that number was applied.
func (l *lessons) wait(ctx context.Context, seq uint64) error {
	for {
		l.mu.Lock()
		done, changed := l.applied >= seq, l.changed
		l.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Learn teaches that m is of that label. It returns when the lesson is synced and applied, with the verdicts before and
// after for whom it speaks.
func (n *Node) Learn(ctx context.Context, m *message.Message, label message.Label, category message.Category, scope message.Scope, teacher string) (before, after *message.Verdict, err error) {
	before = n.verdict(ctx, m, scope)
	lesson := n.lessonOn(m, label, scope, teacher)
	lesson.Category, lesson.Before = category, before.Probability
	if err := n.teach(ctx, lesson); err != nil {
		return before, before, err
	}
	return before, n.verdict(ctx, m, scope), nil
}

// lessonOn makes the lesson on a message that was just judged: what was gathered for that is not asked again.
func (n *Node) lessonOn(m *message.Message, label message.Label, scope message.Scope, teacher string) *message.Lesson {
	l := n.filter.Draft(m)
	l.Label, l.Scope, l.Teacher = label, scope, teacher
	return l
}

func (n *Node) verdict(ctx context.Context, m *message.Message, scope message.Scope) *message.Verdict {
	return n.filter.Judge(ctx, m, []message.Recipient{{Tenant: scope.Tenant, Domain: scope.Domain, User: scope.User}}).Worst()
}

// LearnStored teaches mails of a mail store together, so that one sync serves them all, and returns for each the probability
// that it is spam as it was before.
func (n *Node) LearnStored(ctx context.Context, mails []StoredMail, scope message.Scope) ([]float64, error) {
	before := make([]float64, len(mails))
	lessons := make([]*message.Lesson, len(mails))
	for i, s := range mails {
		m := s.message()
		before[i] = n.verdict(ctx, m, scope).Probability
		lessons[i] = n.lessonOn(m, s.Label, scope, teacherLocal)
		lessons[i].Before = before[i]
	}
	var together errgroup.Group
	var last atomic.Uint64
	for _, l := range lessons {
		together.Go(func() error {
			seq, err := n.keepLesson(ctx, l)
			for seen := last.Load(); seq > seen && !last.CompareAndSwap(seen, seq); seen = last.Load() {
			}
			return err
		})
	}
	if err := together.Wait(); err != nil {
		return before, err
	}
	return before, n.lessons.wait(ctx, last.Load())
}

// JudgeStored gives the probability that each mail of a mail store is spam.
func (n *Node) JudgeStored(ctx context.Context, mails []StoredMail, scope message.Scope) ([]float64, error) {
	probabilities := make([]float64, len(mails))
	for i, s := range mails {
		probabilities[i] = n.verdict(ctx, s.message(), scope).Probability
	}
	return probabilities, ctx.Err()
}

// teach appends a lesson to the journal and waits until it was applied here.
func (n *Node) teach(ctx context.Context, lesson *message.Lesson) error {
	seq, err := n.keepLesson(ctx, lesson)
	if err != nil {
		return err
	}
	return n.lessons.wait(ctx, seq)
}

// keepLesson appends a lesson to the journal and returns its sequence number; 0 if it is accepted and will be learned when the
// cluster has it.
func (n *Node) keepLesson(ctx context.Context, lesson *message.Lesson) (uint64, error) {
	lesson.ID, lesson.Time = gateway.NewID(n.now()), n.now()
	record, _ := lesson.AppendBinary(nil)
	sealed, err := n.keys.Seal(keyring.Scope{Tenant: lesson.Scope.Tenant, User: lesson.Scope.User}, record, []byte(lesson.ID))
	if err != nil {
		return 0, fmt.Errorf("seal lesson: %w", err)
	}
	seq, err := n.journal.Append(ctx, journal.Lessons, lesson.ID, sealed)
	if errors.Is(err, journal.ErrQueued) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("keep lesson: %w", err)
	}
	return seq, nil
}

// errAwaitsKey ends a replay before a lesson whose key another node has to give.
var errAwaitsKey = errors.New("the key of a lesson is on another node")

// learnRecord learns one record of the journal. A lesson of an erased person is passed over; so is one that cannot be
// read, with a line in the log: the others must still be learned; neither gives a lesson. In a cluster fetch gets the key of another
// node's lesson.
func (n *Node) learnRecord(r journal.Record, fetch func(journal.Record) error) (*message.Lesson, error) {
	record, err := n.keys.Open(r.Data, []byte(r.ID))
	if errors.Is(err, keyring.ErrNoKey) && n.journal.Shared() && !n.lost.has(r.Data) {
		if err = fetch(r); err == nil {
			record, err = n.keys.Open(r.Data, []byte(r.ID))
		}
		if err != nil && !errors.Is(err, keyring.ErrNoKey) && !errors.Is(err, keyring.ErrDestroyed) {
			return nil, err // the lesson is not lost: it comes again
		}
	}
	if errors.Is(err, keyring.ErrDestroyed) {
		return nil, nil
	}
	if errors.Is(err, keyring.ErrNoKey) {
		if err := n.lost.add(r.Data); err != nil {
			return nil, fmt.Errorf("note a lost key: %w", err)
		}
		if n.locked.Add(1) == 1 {
			n.log.Error("lessons are passed over: their keys are not on this node", "first", r.ID,
				"next", "rempart restore --keys-only BACKUP --data DIR")
		}
		return nil, nil
	}
	var lesson message.Lesson
	if err == nil {
		err = lesson.UnmarshalBinary(record)
	}
	if err != nil {
		n.log.Error("lesson passed over", "record", r.ID, "error", err)
		return nil, nil
	}
	n.filter.Apply(&lesson)
	label := lesson.Label.String()
	if lesson.Label == message.Forget {
		label = "forget"
	}
	n.metrics.lessons.WithLabelValues(label).Inc()
	return &lesson, nil
}

// replayLessons applies the snapshot of the filter and the lessons after it.
func (n *Node) replayLessons(ctx context.Context) error {
	from := uint64(0)
	regained, err := n.regain(ctx)
	if err != nil {
		return err
	}
	seq, data, err := n.journal.LoadSnapshot(filterSnapshot)
	if regained {
		n.log.Info("keys of lessons are there again: all lessons are learned anew")
		err = journal.ErrNoSnapshot
	}
	if err == nil {
		data, err = n.keys.Open(data, []byte(filterSnapshot))
	}
	if err == nil {
		err = n.filter.Restore(data)
		from = seq + 1
	}
	if err != nil {
		if !errors.Is(err, journal.ErrNoSnapshot) {
			n.log.Warn("snapshot of the filter is not usable, replaying all lessons", "error", err)
		}
		from = 0
	}
	last, err := n.journal.Replay(ctx, journal.Lessons, from, func(r journal.Record) error {
		_, err := n.learnRecord(r, func(r journal.Record) error {
			id, err := keyring.KeyOf(r.Data)
			if err == nil {
				err = n.fetchKey(ctx, id)
			}
			if errors.Is(err, keyring.ErrNoKey) {
				return errAwaitsKey // the node is not to start later for it
			}
			return err
		})
		return err
	})
	if errors.Is(err, errAwaitsKey) {
		err = nil
	}
	if err != nil {
		return fmt.Errorf("replay lessons: %w", err)
	}
	n.lessons.reached(last)
	return nil
}

// filterSnapshot is the name of the filter's state in the journal's snapshots.
const filterSnapshot = "filter"

// snapshotLessons: so many lessons are replayed in a second; a snapshot more often would cost more than it saves.
const snapshotLessons = 2000

// followLessons applies what is taught here and on other nodes, until ctx ends, and saves a snapshot now and then.
func (n *Node) followLessons(ctx context.Context) error {
	since := 0
	n.lessons.mu.Lock()
	from := n.lessons.applied + 1
	n.lessons.mu.Unlock()
	err := n.journal.Follow(ctx, journal.Lessons, from, func(r journal.Record) error {
		lesson, err := n.learnRecord(r, func(r journal.Record) error { return n.awaitKey(ctx, r) })
		if err != nil {
			return err
		}
		if lesson != nil {
			n.noteTaught(ctx, r.Seq, lesson)
		}
		n.lessons.reached(r.Seq)
		if since++; since >= snapshotLessons {
			since = 0
			n.saveFilter()
		}
		return nil
	})
	if ctx.Err() != nil {
		n.saveFilter()
		return nil
	}
	return err
}

// saveFilter writes the snapshot; without one a start takes longer, nothing is lost.
func (n *Node) saveFilter() {
	n.lessons.mu.Lock()
	seq := n.lessons.applied
	n.lessons.mu.Unlock()
	sealed, err := n.keys.Seal(keyring.Scope{}, n.filter.Snapshot(), []byte(filterSnapshot))
	if err == nil {
		err = n.journal.SaveSnapshot(filterSnapshot, seq, sealed)
	}
	if err != nil {
		n.log.Warn("snapshot of the filter not saved", "error", err)
	}
}
