package aggregate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

const (
	sendEvery  = 10 * time.Minute
	sendAfter  = 2 * grace     // the end of a day its first reports are sent
	sendSpread = 6 * time.Hour // in which the others are
	retryEvery = time.Hour
	markEvery  = time.Second
	keepFor    = day + sendAfter + sendSpread + day // after the day's begin: a report is tried for a day at least, and then given up
	sendBatch  = 100                                // reports in one go

	// A report that the next hop breaks off at may be to blame itself; of so many in a row it is the next hop.
	maxBrokenOff = 3
)

// sendDue sends what is due, and deletes what nobody needs any more.
func (s *Store) sendDue(ctx context.Context) error {
	if err := s.giveUp(ctx); err != nil {
		return err
	}
	if c := s.config.Load(); !c.Send {
		return nil
	}
	brokenOff := 0 // in a row
	for {
		keys, err := s.dueNow(ctx)
		if err != nil || len(keys) == 0 {
			return err
		}
		for _, key := range keys {
			switch err := s.send(ctx, key); {
			case err == nil:
				brokenOff = 0
			case errors.Is(err, errBrokenOff) && brokenOff < maxBrokenOff-1:
				brokenOff++
			default:
				return fmt.Errorf("on %s: %w", key.domain, err)
			}
		}
	}
}

func (s *Store) dueNow(ctx context.Context) ([]reportKey, error) {
	return s.keys(ctx, "SELECT day, domain FROM reports WHERE due <= ? ORDER BY due LIMIT ?", s.now().Unix(), sendBatch)
}

func (s *Store) keys(ctx context.Context, query string, args ...any) (keys []reportKey, err error) {
	rows, err := s.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var k reportKey
		if err := rows.Scan(&k.day, &k.domain); err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	return keys, rows.Err()
}

// giveUp deletes the reports that are too old.
func (s *Store) giveUp(ctx context.Context) error {
	keys, err := s.keys(ctx, "SELECT day, domain FROM reports WHERE day <= ?", s.now().Add(-keepFor).Unix())
	if err != nil {
		return err
	}
	for _, key := range keys {
		mailboxes, err := s.remaining(ctx, key)
		if err != nil {
			return err
		}
		if err := s.drop(ctx, key); err != nil {
			return err
		}
		if len(mailboxes) == 0 || !s.config.Load().Send {
			continue
		}
		s.log.Warn("a DMARC report was given up: it could not be sent within a day", "domain", key.domain, "mailboxes", len(mailboxes),
			"day", time.Unix(key.day, 0).UTC().Format(time.DateOnly))
		for range mailboxes {
			s.options.Done(GivenUp)
		}
	}
	return nil
}

// drop deletes a report and all it would tell.
func (s *Store) drop(ctx context.Context, key reportKey) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		for _, table := range []string{"rows", "done", "reports"} {
			if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE day = ? AND domain = ?", key.day, key.domain); err != nil {
				return err
			}
		}
		return nil
	})
}

// remaining are the mailboxes that a report is still to go to.
func (s *Store) remaining(ctx context.Context, key reportKey) (list []destination, err error) {
	var rua string
	if err := s.db.QueryRowContext(ctx, "SELECT rua FROM reports WHERE day = ? AND domain = ?", key.day, key.domain).Scan(&rua); err != nil {
		return nil, err
	}
	c := s.config.Load()
	for _, d := range destinations(rua) {
		var done bool
		if err := s.db.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM done WHERE day = ? AND domain = ? AND mailbox = ?)", key.day, key.domain, d.address).Scan(&done); err != nil {
			return nil, err
		}
		if !done && !c.excludes(d.host) {
			list = append(list, d)
		}
	}
	return list, nil
}

// send hands a report over for each mailbox that has not got it. What is wrong with one mailbox puts off the report, for that mailbox.
// An error says that no other report would fare better; errBrokenOff, that another might.
func (s *Store) send(ctx context.Context, key reportKey) error {
	a, err := s.build(ctx, key)
	if err != nil {
		return err
	}
	mailboxes, err := s.remaining(ctx, key)
	if err != nil {
		return err
	}
	putOff := false
	var brokenOff error
	for _, d := range mailboxes {
		outcome, err := s.sendTo(ctx, key, a, d)
		switch {
		case err == nil:
			s.options.Done(outcome)
			continue
		case !mayWait(err):
			return err
		case errors.Is(err, errBrokenOff):
			brokenOff = err
		}
		s.log.Info("a DMARC report is put off", "domain", key.domain, "host", d.host, "error", err)
		putOff = true
	}
	if !putOff {
		return s.drop(context.WithoutCancel(ctx), key)
	}
	if err := s.exec(ctx, "UPDATE reports SET due = ? WHERE day = ? AND domain = ?", s.now().Add(retryEvery).Unix(), key.day, key.domain); err != nil {
		return err
	}
	return brokenOff
}
