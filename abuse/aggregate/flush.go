package aggregate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"rempart/durable/sqlite"
)

// flush writes what was counted. What cannot be written is counted on.
func (s *Store) flush(ctx context.Context) error {
	s.mu.Lock()
	p := s.pending
	s.pending = newPending()
	s.mu.Unlock()
	if p.bytes == 0 {
		return nil
	}
	leftOut := uint64(0)
	err := sqlite.InTx(ctx, s.db, func(tx *sql.Tx) error {
		leftOut = 0
		for key, r := range p.reports {
			n, err := s.write(ctx, tx, key, r)
			if err != nil {
				return err
			}
			leftOut += n
		}
		return nil
	})
	if err != nil {
		for key, r := range p.reports {
			for row, n := range r.counts {
				s.add(key, r.latest, row, n)
			}
		}
		return fmt.Errorf("keep what DMARC reports will tell: %w", err)
	}
	if leftOut > 0 {
		s.options.LeftOut(leftOut)
	}
	return nil
}

// write adds to what a report will tell, within the bounds of its day.
func (s *Store) write(ctx context.Context, tx *sql.Tx, key reportKey, r *pendingReport) (leftOut uint64, err error) {
	if s.now().Sub(time.Unix(key.day, 0)) > day+sendAfter {
		return sum(r.counts), nil // the disk was full for long, and the report is on its way
	}
	room, err := roomFor(ctx, tx, key)
	if err != nil || room < 0 {
		return sum(r.counts), err
	}
	added := 0
	for row, n := range r.counts {
		known, err := changed(tx.ExecContext(ctx, "UPDATE rows SET count = count + ? WHERE day = ? AND domain = ? AND row = ?", n, key.day, key.domain, row))
		switch {
		case err != nil:
			return 0, err
		case known:
			continue
		case added == room:
			leftOut += n
			continue
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO rows (day, domain, row, count) VALUES (?, ?, ?, ?)", key.day, key.domain, row, n); err != nil {
			return 0, err
		}
		added++
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO reports (day, domain, rows, policy, rua, due) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
		ON CONFLICT (day, domain) DO UPDATE SET rows = rows + ?3, policy = ?4, rua = ?5`, key.day, key.domain, added, r.latest.policy, r.latest.rua, s.due(key))
	return leftOut, err
}

// roomFor is how many rows a report may get; less than 0 if there may be none.
func roomFor(ctx context.Context, tx *sql.Tx, key reportKey) (room int, err error) {
	var domains, all, rows int
	if err := tx.QueryRowContext(ctx, "SELECT count(*), ifnull(sum(rows), 0) FROM reports WHERE day = ?", key.day).Scan(&domains, &all); err != nil {
		return 0, err
	}
	err = tx.QueryRowContext(ctx, "SELECT rows FROM reports WHERE day = ? AND domain = ?", key.day, key.domain).Scan(&rows)
	if errors.Is(err, sql.ErrNoRows) {
		if domains >= maxDomains || all >= maxRows {
			return -1, nil
		}
		err = nil
	}
	return min(maxDomainRows-rows, maxRows-all), err
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
