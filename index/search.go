package index

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"rempart/message"
)

// Query selects events. Zero fields select all.
type Query struct {
	// Text is words that must all occur: an address, a domain, a number, a Message-ID, a queue id, a client address, a
	// link's host, words of the subject. Whole words, in any case.
	Text    string
	Channel message.Channel
	Action  message.Action // of the worst outcome
	// Agreement is how the verdict of the filter before stands to ours.
	Agreement message.Agreement
	// Key is what a lesson on the message is known by.
	Key string
	// Signal was seen in the event. No index has it: one page looks through 1,000 events at most, and may be short.
	Signal string
	From   time.Time // not before
	To     time.Time // before
	Limit  int       // events a page; default 50, at most 500
	Cursor Cursor    // where the page before ended
}

// Cursor is where a page ended: pass it on as it is. 0 is the beginning.
type Cursor int64

// Page is events, newest first.
type Page struct {
	Events []*message.Event
	Next   Cursor // 0: this was the last page
}

const (
	defaultLimit = 50
	maxLimit     = 500
	maxWords     = 8
	maxLooked    = 1000 // events of a page that are looked through for a signal: less than a tenth of a second
)

// Search gives one page.
func (x *Index) Search(ctx context.Context, q Query) (Page, error) {
	if q.Limit <= 0 {
		q.Limit = defaultLimit
	}
	q.Limit = min(q.Limit, maxLimit)
	list, err := x.rarestFirst(ctx, q.words())
	if err != nil {
		return Page{}, err
	}
	query, args := q.sql(list)
	rows, err := x.read.QueryContext(ctx, query, args...)
	if err != nil {
		return Page{}, fmt.Errorf("search: %w", err)
	}
	defer rows.Close()
	var p Page
	for looked := 0; rows.Next(); looked++ {
		var seq int64
		var record []byte
		if err := rows.Scan(&seq, &record); err != nil {
			return Page{}, fmt.Errorf("search: %w", err)
		}
		if len(p.Events) == q.Limit || looked == maxLooked { // one more than asked for: there is a next page
			return p, nil
		}
		e := new(message.Event)
		e.UnmarshalBinary(record) // of a damaged one, what can be read
		p.Next = Cursor(seq)
		if q.Signal == "" || e.Saw(q.Signal) {
			p.Events = append(p.Events, e)
		}
	}
	p.Next = 0
	return p, rows.Err()
}

// sql walks one index from the newest on: that of the rarest word, or of channel and action, or the table itself.
func (q Query) sql(list []string) (string, []any) {
	var b strings.Builder
	var args []any
	and := func(cond string, arg any) {
		b.WriteString(" AND " + cond)
		args = append(args, arg)
	}
	row := "e"
	if len(list) > 0 {
		row = "t"
		b.WriteString("SELECT e.seq, e.record FROM terms t CROSS JOIN events e ON e.seq = t.seq WHERE t.term = ?")
		args = append(args, list[0])
		for _, w := range list[1:] {
			and("EXISTS (SELECT 1 FROM terms u WHERE u.term = ? AND u.seq = t.seq)", w)
		}
	} else {
		b.WriteString("SELECT e.seq, e.record FROM events e WHERE 1")
	}
	if q.Channel != 0 {
		and(row+".channel = ?", int64(q.Channel))
	}
	if q.Action != 0 {
		and(row+".action = ?", int64(q.Action))
	}
	if !q.From.IsZero() {
		and(row+".seq >= ?", q.From.UnixMicro())
	}
	before := int64(q.Cursor)
	if !q.To.IsZero() && (before == 0 || q.To.UnixMicro() < before) {
		before = q.To.UnixMicro()
	}
	if before != 0 {
		and(row+".seq < ?", before)
	}
	limit := q.Limit
	if q.Signal != "" {
		limit = maxLooked
	}
	b.WriteString(" ORDER BY " + row + ".seq DESC LIMIT ?")
	return b.String(), append(args, limit+1)
}

// words are the terms that must all occur.
func (q Query) words() (list []string) {
	if q.Agreement != message.NotCompared {
		list = append(list, agreementTerm(q.Agreement, message.Forget))
	}
	if q.Key != "" {
		list = append(list, keyPrefix+q.Key)
	}
	for i, w := range strings.Fields(q.Text) {
		if w = normal(w); w != "" && i < maxWords {
			list = append(list, w)
		}
	}
	return list
}

// rarestFirst puts the word with the fewest events first, counted up to a thousand.
func (x *Index) rarestFirst(ctx context.Context, words []string) ([]string, error) {
	var list []string
	fewest := int64(1 << 62)
	for _, w := range words {
		var n int64
		err := x.read.QueryRowContext(ctx, "SELECT count(*) FROM (SELECT 1 FROM terms WHERE term = ? LIMIT 1000)", w).Scan(&n)
		if err != nil {
			return nil, fmt.Errorf("search: %w", err)
		}
		if list = append(list, w); n < fewest {
			fewest = n
			list[0], list[len(list)-1] = list[len(list)-1], list[0]
		}
	}
	return list, nil
}

// Latest gives the newest events to take, at most limit, the oldest of them first, until take fails or ctx ends.
func (x *Index) Latest(ctx context.Context, limit int, take func(*message.Event) error) error {
	rows, err := x.read.QueryContext(ctx, "SELECT record FROM events WHERE seq >= coalesce((SELECT seq FROM events ORDER BY seq DESC LIMIT 1 OFFSET ?), 0) ORDER BY seq", limit-1)
	if err != nil {
		return fmt.Errorf("read latest events: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var record []byte
		if err := rows.Scan(&record); err != nil {
			return fmt.Errorf("read latest events: %w", err)
		}
		e := new(message.Event)
		e.UnmarshalBinary(record) // of a damaged one, what can be read
		if err := take(e); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Get reads one event by its message's id; [ErrNotFound].
func (x *Index) Get(ctx context.Context, id string) (*message.Event, error) {
	var record []byte
	err := x.read.QueryRowContext(ctx, "SELECT record FROM events WHERE id = ? ORDER BY seq DESC LIMIT 1", id).Scan(&record)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("get event: %w", err)
	}
	e := new(message.Event)
	if err := e.UnmarshalBinary(record); err != nil {
		return e, fmt.Errorf("get event: %w", err)
	}
	return e, nil
}

// Draft reads the draft that [Index.Add] kept for a message; [ErrNotFound] if there is none any more.
func (x *Index) Draft(ctx context.Context, id string) ([]byte, error) {
	var record []byte
	err := x.read.QueryRowContext(ctx, "SELECT d.record FROM events e JOIN drafts d ON d.seq = e.seq WHERE e.id = ? ORDER BY e.seq DESC LIMIT 1", id).Scan(&record)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("get draft: %w", err)
	}
	return record, nil
}

// Backup writes a consistent copy of index.db to a new file, while the index is in use.
func (x *Index) Backup(ctx context.Context, file string) error {
	if _, err := x.write.ExecContext(ctx, "VACUUM INTO ?", file); err != nil {
		return fmt.Errorf("back up index: %w", err)
	}
	return nil
}
