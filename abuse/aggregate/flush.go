package aggregate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// flushBatch is how many reports are written in one transaction: what waits to write, as a mark, waits for no more.
const flushBatch = 500

// flush writes what was counted. What cannot be written is counted on.
func (s *Store) flush(ctx context.Context) error {
	s.mu.Lock()
	p := s.pending
	s.pending = newPending()
	s.mu.Unlock()
	for batch := range slices.Chunk(slices.Collect(maps.Keys(p.reports)), flushBatch) {
		leftOut, err := s.writeBatch(ctx, p.reports, batch)
		if err != nil {
			s.countOn(p.reports)
			return fmt.Errorf("keep what DMARC reports will tell: %w", err)
		}
		for _, key := range batch {
			delete(p.reports, key)
		}
		if leftOut > 0 {
			s.options.LeftOut(leftOut)
		}
	}
	return nil
}

func (s *Store) countOn(reports map[reportKey]*pendingReport) {
	for key, r := range reports {
		for row, n := range r.counts {
			s.add(key, r.latest, row, n)
		}
	}
}

func (s *Store) writeBatch(ctx context.Context, reports map[reportKey]*pendingReport, batch []reportKey) (leftOut uint64, err error) {
	days := map[int64]*fill{}
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		for _, key := range batch {
			f := days[key.day]
			if f == nil {
				var err error
				if f, err = filled(ctx, tx, key.day); err != nil {
					return err
				}
				days[key.day] = f
			}
			n, err := s.write(ctx, tx, key, reports[key], f)
			if err != nil {
				return err
			}
			leftOut += n
		}
		return nil
	})
	return leftOut, err
}

// fill is how full a day is. It is read once a transaction, since all reports of the day have to be looked at.
type fill struct{ reports, rows int }

func filled(ctx context.Context, tx *sql.Tx, day int64) (*fill, error) {
	var f fill
	err := tx.QueryRowContext(ctx, "SELECT count(*), ifnull(sum(rows), 0) FROM reports WHERE day = ?", day).Scan(&f.reports, &f.rows)
	return &f, err
}

// write adds to what a report will tell, within the bounds of its day.
func (s *Store) write(ctx context.Context, tx *sql.Tx, key reportKey, r *pendingReport, f *fill) (leftOut uint64, err error) {
	if s.now().Sub(time.Unix(key.day, 0)) > day+sendAfter {
		return sum(r.counts), nil // the disk was full for long, and the report is on its way
	}
	var rows int
	err = tx.QueryRowContext(ctx, "SELECT rows FROM reports WHERE day = ? AND domain = ?", key.day, key.domain).Scan(&rows)
	unknown := errors.Is(err, sql.ErrNoRows)
	switch {
	case unknown && (f.reports >= maxDomains || f.rows >= maxRows):
		return sum(r.counts), nil
	case err != nil && !unknown:
		return 0, err
	}
	added, leftOut, err := addRows(ctx, tx, key, r.counts, min(maxDomainRows-rows, maxRows-f.rows))
	if err != nil {
		return 0, err
	}
	f.rows += added
	if unknown {
		f.reports++
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO reports (day, domain, rows, policy, rua, due) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
		ON CONFLICT (day, domain) DO UPDATE SET rows = rows + ?3, policy = ?4, rua = ?5`, key.day, key.domain, added, r.latest.policy, r.latest.rua, s.due(key))
	return leftOut, err
}

// addRows adds counts to a report that has room for so many rows more.
func addRows(ctx context.Context, tx *sql.Tx, key reportKey, counts map[string]uint64, room int) (added int, leftOut uint64, err error) {
	for row, n := range counts {
		known, err := changed(tx.ExecContext(ctx, "UPDATE rows SET count = count + ? WHERE day = ? AND domain = ? AND row = ?", n, key.day, key.domain, row))
		switch {
		case err != nil:
			return 0, 0, err
		case known:
			continue
		case added >= room:
			leftOut += n
			continue
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO rows (day, domain, row, count) VALUES (?, ?, ?, ?)", key.day, key.domain, row, n); err != nil {
			return 0, 0, err
		}
		added++
	}
	return added, leftOut, nil
}

// changed reports whether a statement changed a row.
func changed(done sql.Result, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	n, err := done.RowsAffected()
	return n > 0, err
}

func sum(counts map[string]uint64) (n uint64) {
	for _, c := range counts {
		n += c
	}
	return n
}
