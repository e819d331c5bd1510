package index

import (
	"context"
	"fmt"
	"slices"
	"time"

	"rempart/message"
)

// Holding is what the index holds on a person.
type Holding struct {
	Events         int
	Oldest, Newest time.Time // zero if there is no event
	IDs            []string  // of the newest events
}

// Address is the form in which the index compares addresses and numbers: two that have one form are one.
func Address(a string) string { return normal(a) }

// Holds counts the events in which the address or number appears, as sender, recipient or source, and gives the ids of at
// most limit of them.
func (x *Index) Holds(ctx context.Context, address string, limit int) (h Holding, err error) {
	term := normal(address)
	add := func(seq int64, id string) {
		at := time.UnixMicro(seq).UTC()
		if h.Events++; h.Events == 1 || at.Before(h.Oldest) {
			h.Oldest = at
		}
		if at.After(h.Newest) {
			h.Newest = at
		}
		if len(h.IDs) < limit {
			h.IDs = append(h.IDs, id)
		}
	}
	rows, err := x.read.QueryContext(ctx, "SELECT e.seq, e.id FROM terms t CROSS JOIN events e ON e.seq = t.seq WHERE t.term = ? ORDER BY t.seq DESC", term)
	if err != nil {
		return h, fmt.Errorf("look for a person: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var seq int64
		var id string
		if err := rows.Scan(&seq, &id); err != nil {
			return h, fmt.Errorf("look for a person: %w", err)
		}
		add(seq, id)
	}
	if err := rows.Err(); err != nil {
		return h, fmt.Errorf("look for a person: %w", err)
	}
	return h, x.crowds(ctx, term, func(seq int64, e *message.Event) { add(seq, e.ID) })
}

// crowds visits the events that have term, but too many others before it for the terms to show it.
func (x *Index) crowds(ctx context.Context, term string, visit func(int64, *message.Event)) error {
	rows, err := x.read.QueryContext(ctx, "SELECT e.seq, e.record FROM terms t CROSS JOIN events e ON e.seq = t.seq WHERE t.term = ?", crowded)
	if err != nil {
		return fmt.Errorf("look for a person: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var seq int64
		var record []byte
		if err := rows.Scan(&seq, &record); err != nil {
			return fmt.Errorf("look for a person: %w", err)
		}
		e := new(message.Event)
		e.UnmarshalBinary(record) // of a damaged one, what can be read
		if all := allTerms(e); slices.Contains(all[min(maxTerms, len(all)):], term) {
			visit(seq, e)
		}
	}
	return rows.Err()
}

// Erase deletes every event in which the address or number appears, as sender, recipient or source, and returns how many.
// The pages are overwritten, the write-ahead log emptied.
func (x *Index) Erase(ctx context.Context, address string) (erased int, err error) {
	term := normal(address)
	var hidden []int64
	if err := x.crowds(ctx, term, func(seq int64, _ *message.Event) { hidden = append(hidden, seq) }); err != nil {
		return 0, err
	}
	for _, seq := range hidden {
		n, err := x.delete(ctx, "SELECT seq, record FROM events WHERE seq = ?", seq)
		erased += n
		if err != nil {
			return erased, err
		}
	}
	for {
		n, err := x.delete(ctx, "SELECT e.seq, e.record FROM terms t CROSS JOIN events e ON e.seq = t.seq WHERE t.term = ? LIMIT ?",
			term, sweepBatch)
		erased += n
		if err != nil {
			return erased, err
		}
		if n == 0 {
			break
		}
	}
	_, err = x.write.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	return erased, err
}
