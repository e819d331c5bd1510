package index

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Lesson is one that was learned on this node. Record is sealed by the caller; what of a person is in it goes with their key.
type Lesson struct {
	ID     string
	Time   time.Time
	Seq    uint64 // in the journal, which has all of it
	Record []byte
}

// AddLesson keeps a lesson as long as events are kept. One that is there already stays as it is.
func (x *Index) AddLesson(ctx context.Context, l Lesson) error {
	if _, err := x.Lesson(ctx, l.ID); !errors.Is(err, ErrNotFound) {
		return err
	}
	for seq := l.Time.UnixMicro(); ; seq++ {
		r, err := x.write.ExecContext(ctx, "INSERT INTO lessons (seq, id, journal, record) VALUES (?, ?, ?, ?) ON CONFLICT (seq) DO NOTHING", seq, l.ID, int64(l.Seq), l.Record)
		if err != nil {
			return fmt.Errorf("keep lesson: %w", err)
		}
		if n, err := r.RowsAffected(); err != nil || n == 1 {
			return err
		}
	}
}

// Lessons are those since from, newest first, limit at most.
func (x *Index) Lessons(ctx context.Context, from time.Time, limit int) (list []Lesson, err error) {
	rows, err := x.read.QueryContext(ctx, "SELECT seq, id, journal, record FROM lessons WHERE seq >= ? ORDER BY seq DESC LIMIT ?", from.UnixMicro(), limit)
	if err != nil {
		return nil, fmt.Errorf("read lessons: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		l, err := scanLesson(rows)
		if err != nil {
			return nil, fmt.Errorf("read lessons: %w", err)
		}
		list = append(list, l)
	}
	return list, rows.Err()
}

// Lesson is the one with that id; [ErrNotFound].
func (x *Index) Lesson(ctx context.Context, id string) (Lesson, error) {
	l, err := scanLesson(x.read.QueryRowContext(ctx, "SELECT seq, id, journal, record FROM lessons WHERE id = ?", id))
	if errors.Is(err, sql.ErrNoRows) {
		return l, ErrNotFound
	}
	if err != nil {
		return l, fmt.Errorf("read lesson: %w", err)
	}
	return l, nil
}

func scanLesson(row interface{ Scan(...any) error }) (l Lesson, err error) {
	var seq, number int64
	err = row.Scan(&seq, &l.ID, &number, &l.Record)
	l.Time, l.Seq = time.UnixMicro(seq).UTC(), uint64(number)
	return l, err
}
