package node

import (
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

// TaughtLesson is one of them, [index.ErrNotFound] if it is not there, and whether it stands: it was neither taken back nor corrected.
func (n *Node) TaughtLesson(ctx context.Context, id string) (l message.Lesson, stands bool, err error) {
	found, err := n.index.Lesson(ctx, id)
	if err != nil {
		return l, false, err
	}
	opened, err := n.openLesson(id, found.Record)
	if err != nil {
		return l, false, fmt.Errorf("open lesson: %w", err)
	}
	return *opened, opened.Label != message.Forget && n.filter.Standing(opened.Scope, opened.Message) == opened.Label, nil
}

// TakeBack takes a lesson back, as if it had not been taught. It gives [console.ErrNotStanding] if it does not stand.
func (n *Node) TakeBack(ctx context.Context, id, teacher string) error {
	_, stands, err := n.TaughtLesson(ctx, id)
	if err != nil {
		return err
	}
	found, err := n.index.Lesson(ctx, id)
	if err != nil {
		return err
	}
	if !stands {
		return console.ErrNotStanding
	}
	var whole *message.Lesson
	_, err = n.journal.Replay(ctx, journal.Lessons, found.Seq, func(r journal.Record) error {
		if r.ID == id {
			whole, err = n.openLesson(id, r.Data)
		}
		return errors.Join(err, errRead)
	})
	switch {
	case whole == nil && errors.Is(err, errRead):
		return fmt.Errorf("lesson %s is not in the journal: %w", id, index.ErrNotFound)
	case whole == nil:
		return err
	}
	whole.Label, whole.Teacher, whole.Replaces, whole.Before = message.Forget, teacher, id, 0
	return n.teach(ctx, whole)
}

// errRead ends a replay after its first record.
var errRead = errors.New("read")

func (n *Node) openLesson(id string, sealed []byte) (*message.Lesson, error) {
	record, err := n.keys.Open(sealed, []byte(id))
	if err != nil {
		return nil, err
	}
	var l message.Lesson
	return &l, l.UnmarshalBinary(record)
}
