package index

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"rempart/durable/sqlite"
	"rempart/message"
)

const (
	maxBatch    = 512
	batchWait   = 200 * time.Millisecond
	sweepEvery  = time.Minute
	sweepBatch  = 2000 // rows a transaction, so that a sweep does not hold up the writer
	trimBatch   = 200  // rows before the size is looked at again
	sampleRest  = 16   // of what is no spam, one in so many is kept when the queue fills
	usualRecord = 2048 // bytes of an event
	maxLessons  = 100_000
	restRate    = 200 // of what is no spam, so many a second are kept, and a burst: more would cost the judging its processor
	restBurst   = 500
)

// entry is an event on its way to disk, and its draft if it has one.
type entry struct {
	event *message.Event
	draft []byte
}

// Wants reports whether an event is worth a draft and [Index.Add]: all spam is, and of the rest a sample when there is too
// much. What is not wanted is counted as left out.
func (x *Index) Wants(e *message.Event) bool {
	if isSpam(e) || x.rest.Allow() {
		return true
	}
	x.leftOut.Add(1)
	return false
}

// Add records an event, and with it a draft: what a lesson on the message needs, sealed by the caller (nil: none). Drafts
// are kept for [Config.DraftAge] only. It never waits. The caller must not change e afterwards.
func (x *Index) Add(e *message.Event, draft []byte) {
	spam := isSpam(e)
	if !spam && len(x.queue) > queueLength/2 && x.seen.Add(1)%sampleRest != 0 {
		x.dropped.Add(1)
		return
	}
	select {
	case x.queue <- entry{e, draft}:
	default:
		x.drop(e)
	}
}

func (x *Index) drop(e *message.Event) {
	if isSpam(e) {
		x.droppedSpam.Add(1)
	} else {
		x.dropped.Add(1)
	}
}

// isSpam says whether we, or the filter before, took it for spam.
func isSpam(e *message.Event) bool {
	o := e.Worst()
	return e.Incumbent.Label == message.Spam || o != nil && (o.Decision.Action > message.Accept || e.Verdicts[o.Verdict].Probability >= 0.5)
}

// Run writes and sweeps until ctx ends; what is queued by then is written first.
func (x *Index) Run(ctx context.Context) error {
	flush := time.NewTicker(batchWait)
	defer flush.Stop()
	sweep := time.NewTicker(sweepEvery)
	defer sweep.Stop()
	batch := make([]entry, 0, maxBatch)
	for {
		select {
		case e := <-x.queue:
			if batch = append(batch, e); len(batch) == maxBatch {
				batch = x.flush(batch)
			}
		case <-flush.C:
			batch = x.flush(batch)
		case <-sweep.C:
			if err := x.Sweep(ctx, time.Now()); err != nil && ctx.Err() == nil {
				x.log.Error("index was not swept", "error", err)
			}
		case <-ctx.Done():
			for {
				select {
				case e := <-x.queue:
					if batch = append(batch, e); len(batch) == maxBatch {
						batch = x.flush(batch)
					}
				default:
					x.flush(batch)
					return nil
				}
			}
		}
	}
}

// flush writes one batch, or drops and counts it, and returns it empty.
func (x *Index) flush(batch []entry) []entry {
	if len(batch) == 0 {
		return batch
	}
	// Without the context of Run: what is in hand is written also when it ends.
	if err := x.insert(context.Background(), batch); err != nil {
		for _, e := range batch {
			x.drop(e.event)
		}
		why := err.Error()
		if x.failure.Swap(&why) == nil {
			x.log.Error("events are dropped", "error", err)
		}
	} else {
		x.written.Add(uint64(len(batch)))
		if x.failure.Swap(nil) != nil {
			x.log.Info("events are recorded again")
		}
	}
	clear(batch)
	return batch[:0]
}

func (x *Index) insert(ctx context.Context, batch []entry) error {
	return sqlite.InTx(ctx, x.write, func(tx *sql.Tx) error {
		event, err := tx.PrepareContext(ctx, "INSERT INTO events (seq, id, channel, action, score, record) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (seq) DO NOTHING")
		if err != nil {
			return err
		}
		draft, err := tx.PrepareContext(ctx, "INSERT OR IGNORE INTO drafts (seq, record) VALUES (?, ?)")
		if err != nil {
			return err
		}
		var found []termRow
		counts := make(map[agreed]int)
		for i, entry := range batch {
			if i%eventsAtOnce == 0 {
				runtime.Gosched() // who waits for a verdict goes first
			}
			e := entry.event
			action, score := worst(e)
			record, _ := e.AppendBinary(make([]byte, 0, usualRecord))
			seq := e.Time.UnixMicro()
			for ; ; seq++ {
				r, err := event.ExecContext(ctx, seq, e.ID, int64(e.Channel), action, score, record)
				if err != nil {
					return err
				}
				if n, err := r.RowsAffected(); err != nil || n == 1 {
					break
				}
			}
			if entry.draft != nil {
				if _, err := draft.ExecContext(ctx, seq, entry.draft); err != nil {
					return err
				}
			}
			list := terms(e)
			for _, t := range list {
				found = append(found, termRow{t, seq, int64(e.Channel), action})
			}
			recount(counts, seq, list, 1)
		}
		if err := writeCounts(ctx, tx, counts); err != nil {
			return err
		}
		return insertTerms(ctx, tx, found)
	})
}

// eventsAtOnce are written before others have their turn: some tenths of a millisecond.
const eventsAtOnce = 8

// worst is the action and the score that an event is found by.
func worst(e *message.Event) (action, score int64) {
	if o := e.Worst(); o != nil {
		return int64(o.Decision.Action), int64(e.Verdicts[o.Verdict].Score)
	}
	return 0, 0
}

// termRow is a row of the table terms.
type termRow struct {
	term                 string
	seq, channel, action int64
}

// termRows are written by one statement: to start a statement costs more than a row does.
const termRows = 128

// insertTerms writes the terms of a batch in the order of their table, so that neighbours meet on one page.
func insertTerms(ctx context.Context, tx *sql.Tx, rows []termRow) error {
	slices.SortFunc(rows, func(a, b termRow) int { return cmp.Or(cmp.Compare(a.term, b.term), cmp.Compare(a.seq, b.seq)) })
	const one = "(?, ?, ?, ?)"
	insert := func(rows []termRow) (*sql.Stmt, error) {
		return tx.PrepareContext(ctx, "INSERT OR IGNORE INTO terms (term, seq, channel, action) VALUES "+one+strings.Repeat(", "+one, len(rows)-1))
	}
	var full *sql.Stmt
	for chunk := range slices.Chunk(rows, termRows) {
		runtime.Gosched()
		statement := full
		if statement == nil || len(chunk) < termRows {
			var err error
			if statement, err = insert(chunk); err != nil {
				return err
			}
		}
		if len(chunk) == termRows {
			full = statement
		}
		args := make([]any, 0, 4*termRows)
		for _, r := range chunk {
			args = append(args, r.term, r.seq, r.channel, r.action)
		}
		if _, err := statement.ExecContext(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}

// Sweep deletes what is older than the configured age at now, then the oldest until the size is within its bound. Run
// does it every minute.
func (x *Index) Sweep(ctx context.Context, now time.Time) error {
	drafts := now.Add(-time.Duration(x.config.DraftAge)).UnixMicro()
	if _, err := x.write.ExecContext(ctx, "DELETE FROM drafts WHERE seq < ?", drafts); err != nil {
		return fmt.Errorf("delete drafts: %w", err)
	}
	oldest := now.Add(-time.Duration(x.config.MaxAge)).UnixMicro()
	if _, err := x.write.ExecContext(ctx, "DELETE FROM lessons WHERE seq < ? OR seq < (SELECT seq FROM lessons ORDER BY seq DESC LIMIT 1 OFFSET ?)", oldest, maxLessons); err != nil {
		return fmt.Errorf("delete lessons: %w", err)
	}
	for {
		n, err := x.delete(ctx, "SELECT seq, record FROM events WHERE seq < ? ORDER BY seq LIMIT ?", oldest, sweepBatch)
		if err != nil {
			return err
		}
		if n < sweepBatch {
			break
		}
	}
	for {
		bytes, err := size(ctx, x.write)
		if err != nil || bytes <= x.config.MaxBytes {
			return err
		}
		n, err := x.delete(ctx, "SELECT seq, record FROM events WHERE seq < ? ORDER BY seq LIMIT ?", int64(1)<<62, trimBatch)
		if err != nil || n == 0 {
			return err
		}
	}
}

// delete removes the selected events with their terms, which are made again from the record.
func (x *Index) delete(ctx context.Context, query string, args ...any) (n int, err error) {
	err = sqlite.InTx(ctx, x.write, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		gone := make(map[int64][]string)
		for rows.Next() {
			var seq int64
			var record []byte
			if err := rows.Scan(&seq, &record); err != nil {
				return err
			}
			var e message.Event
			e.UnmarshalBinary(record) // of a damaged one, what can be read
			gone[seq] = terms(&e)
		}
		if err := rows.Err(); err != nil {
			return err
		}
		counts := make(map[agreed]int)
		for seq, list := range gone {
			recount(counts, seq, list, -1)
			for _, t := range list {
				if _, err := tx.ExecContext(ctx, "DELETE FROM terms WHERE term = ? AND seq = ?", t, seq); err != nil {
					return err
				}
			}
			for _, query := range []string{"DELETE FROM events WHERE seq = ?", "DELETE FROM drafts WHERE seq = ?"} {
				if _, err := tx.ExecContext(ctx, query, seq); err != nil {
					return err
				}
			}
		}
		n = len(gone)
		return writeCounts(ctx, tx, counts)
	})
	if err != nil {
		return 0, fmt.Errorf("delete events: %w", err)
	}
	return n, nil
}
