package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"rempart/console"
	"rempart/index"
	"rempart/journal"
	"rempart/keyring"
	"rempart/message"
)

// noteTaught notes in the events of a message what it was taught as, and the lesson among those that the console lists. What was learned
// before this node's start is noted already.
func (n *Node) noteTaught(ctx context.Context, seq uint64, l *message.Lesson) {
	err := n.index.Taught(ctx, l.Message, l.Scope, l.Label)
	if err == nil {
		short := *l // what a list shows; the journal has the whole
		short.Features, short.Signals, short.Digest = nil, nil, nil
		record, _ := short.AppendBinary(nil)
		var sealed []byte
		if sealed, err = n.keys.Seal(keyring.Scope{Tenant: l.Scope.Tenant, User: l.Scope.User}, record, []byte(l.ID)); err == nil {
			err = n.index.AddLesson(ctx, index.Lesson{ID: l.ID, Time: l.Time, Seq: seq, Record: sealed})
		}
	}
	if err != nil && ctx.Err() == nil {
		n.log.Warn("lesson not noted in the index", "error", err)
	}
}

// TaughtLessons are the lessons since from that this node learned while it ran, newest first, limit at most. Those of people who were
// erased are not among them.
func (n *Node) TaughtLessons(ctx context.Context, from time.Time, limit int) (list []message.Lesson, err error) {
	found, err := n.index.Lessons(ctx, from, limit)
	if err != nil {
		return nil, err
	}
	for i := range found {
		if l, err := n.openLesson(found[i].ID, found[i].Record); err == nil {
			list = append(list, *l)
		}
	}
	return list, nil
}

// TaughtLesson is one of them, and whether it stands: it was neither taken back nor corrected. [index.ErrNotFound] if it is not there, or
// cannot be read here: whom it is of was erased, or the key is on another node.
func (n *Node) TaughtLesson(ctx context.Context, id string) (l message.Lesson, stands bool, err error) {
	_, opened, err := n.taught(ctx, id)
	if err != nil {
		return l, false, err
	}
	return *opened, n.stands(opened), nil
}

// TakeBack takes a lesson back, as if it had not been taught. It gives [console.ErrNotStanding] if it does not stand.
func (n *Node) TakeBack(ctx context.Context, id, teacher string) error {
	seq, short, err := n.taught(ctx, id)
	if err != nil {
		return err
	}
	if !n.stands(short) {
		return console.ErrNotStanding
	}
	var sealed []byte
	_, err = n.journal.Replay(ctx, journal.Lessons, seq, func(r journal.Record) error {
		if r.ID == id {
			sealed = bytes.Clone(r.Data)
		}
		return errRead
	})
	switch {
	case err != nil && !errors.Is(err, errRead):
		return err
	case sealed == nil:
		return fmt.Errorf("lesson %s is not in the journal: %w", id, index.ErrNotFound)
	}
	whole, err := n.openLesson(id, sealed)
	if err != nil {
		return err
	}
	whole.Label, whole.Teacher, whole.Replaces, whole.Before = message.Forget, teacher, id, 0
	return n.teach(ctx, whole)
}

// errRead ends a replay after its first record.
var errRead = errors.New("read")

// taught is what the index has of a lesson, and its place in the journal.
func (n *Node) taught(ctx context.Context, id string) (seq uint64, l *message.Lesson, err error) {
	row, err := n.index.Lesson(ctx, id)
	if err != nil {
		return 0, nil, err
	}
	l, err = n.openLesson(id, row.Record)
	return row.Seq, l, err
}

func (n *Node) stands(l *message.Lesson) bool {
	return l.Label != message.Forget && n.filter.Standing(l.Scope, l.Message) == l.Label
}

func (n *Node) openLesson(id string, sealed []byte) (*message.Lesson, error) {
	record, err := n.keys.Open(sealed, []byte(id))
	if errors.Is(err, keyring.ErrDestroyed) || errors.Is(err, keyring.ErrNoKey) {
		return nil, fmt.Errorf("open lesson %s: %w: %w", id, index.ErrNotFound, err)
	}
	if err != nil {
		return nil, fmt.Errorf("open lesson %s: %w", id, err)
	}
	l := &message.Lesson{}
	if err := l.UnmarshalBinary(record); err != nil {
		return nil, fmt.Errorf("read lesson %s: %w", id, err)
	}
	return l, nil
}
