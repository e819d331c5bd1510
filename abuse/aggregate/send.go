package aggregate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/textproto"
	"time"

	"rempart/catalogue"
	"rempart/durable/sqlite"
	"rempart/message/feedback"
	"rempart/nexthop"
)

const (
	sendEvery  = 10 * time.Minute
	sendAfter  = 2 * grace     // the end of a day its first reports are sent
	sendSpread = 6 * time.Hour // in which the others are
	retryEvery = time.Hour
	keepFor    = day + sendAfter + sendSpread + day // after the day's begin: a report is tried for a day at least, and then given up
	sendBatch  = 100                                // reports in one go
)

// sendDue sends what is due, and deletes what nobody needs any more.
func (s *Store) sendDue(ctx context.Context) error {
	if err := s.giveUp(ctx); err != nil {
		return err
	}
	if c := s.config.Load(); !c.Send {
		return nil
	}
	for {
		keys, err := s.dueNow(ctx)
		if err != nil || len(keys) == 0 {
			return err
		}
		for _, key := range keys {
			if err := s.send(ctx, key); err != nil {
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
		if err := s.drop(ctx, key); err != nil {
			return err
		}
		if s.config.Load().Send {
			s.log.Warn("a DMARC report was given up: it could not be sent within a day", "domain", key.domain, "day", time.Unix(key.day, 0).UTC().Format(time.DateOnly))
			s.options.Done(GivenUp)
		}
	}
	return nil
}

// drop deletes a report and all it would tell.
func (s *Store) drop(ctx context.Context, key reportKey) error {
	return sqlite.InTx(ctx, s.db, func(tx *sql.Tx) error {
		for _, table := range []string{"rows", "done", "reports"} {
			if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE day = ? AND domain = ?", key.day, key.domain); err != nil {
				return err
			}
		}
		return nil
	})
}

// send hands a report over for each mailbox that has not got it. An error is one that is there for all reports; what is wrong with one
// mailbox puts off the report, for that mailbox.
func (s *Store) send(ctx context.Context, key reportKey) error {
	a, err := s.build(ctx, key)
	if err != nil {
		return err
	}
	var rua string
	if err := s.db.QueryRowContext(ctx, "SELECT rua FROM reports WHERE day = ? AND domain = ?", key.day, key.domain).Scan(&rua); err != nil {
		return err
	}
	putOff := false
	for _, d := range destinations(rua) {
		if s.config.Load().excludes(d.host) {
			continue
		}
		outcome, err := s.sendTo(ctx, key, a, d)
		var refused *textproto.Error
		if err != nil && !errors.Is(err, errDNS) && !errors.As(err, &refused) {
			return err
		}
		if err != nil {
			s.log.Info("a DMARC report is put off", "domain", key.domain, "host", d.host, "error", err)
			putOff = true
			continue
		}
		if outcome != "" {
			s.options.Done(outcome)
		}
	}
	if putOff {
		_, err := s.db.ExecContext(ctx, "UPDATE reports SET due = ? WHERE day = ? AND domain = ?", s.now().Add(retryEvery).Unix(), key.day, key.domain)
		return err
	}
	return s.drop(context.WithoutCancel(ctx), key)
}

// errDNS: DNS did not tell whether a mailbox may have reports.
var errDNS = errors.New("DNS did not answer")

// sendTo hands a report over for one mailbox, and marks that it is done with; outcome is empty if it was before.
func (s *Store) sendTo(ctx context.Context, key reportKey, a *feedback.Aggregate, d destination) (outcome Outcome, err error) {
	var done bool
	if err := s.db.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM done WHERE day = ? AND domain = ? AND mailbox = ?)", key.day, key.domain, d.address).Scan(&done); err != nil || done {
		return "", err
	}
	to, allowed, err := s.verified(ctx, key.domain, d)
	switch {
	case err != nil:
		return "", err
	case !allowed:
		outcome = Unverified
	default:
		if outcome, err = s.handOver(ctx, a, to); err != nil {
			return "", err
		}
	}
	// It is on its way, whatever becomes of this node.
	_, err = s.db.ExecContext(context.WithoutCancel(ctx), "INSERT INTO done (day, domain, mailbox) VALUES (?, ?, ?)", key.day, key.domain, d.address)
	return outcome, err
}

// verified is the mailbox that a report goes to: the one that the domain names, or that its host names instead (RFC 9990 section 4).
func (s *Store) verified(ctx context.Context, domain string, d destination) (to destination, allowed bool, err error) {
	takes, instead, err := s.options.Takes(ctx, domain, d.host)
	if err != nil {
		return d, false, fmt.Errorf("%w: %w", errDNS, err)
	}
	if !takes || instead == "" {
		return d, takes, nil
	}
	for _, other := range destinations(instead) {
		if other.host == d.host { // no other, or it could be anybody's
			return other, true, nil
		}
	}
	return d, false, nil
}

func (s *Store) handOver(ctx context.Context, a *feedback.Aggregate, to destination) (Outcome, error) {
	from, _ := s.config.Load().author()
	text := catalogue.English().Say("dmarc.report", a.Policy.Domain, a.Begin.Format(time.DateOnly), a.Organisation)
	raw, err := a.Mail(from, []string{to.address}, text, s.now())
	if err != nil {
		return "", err
	}
	raw = s.options.Sign(raw)
	if len(raw) > to.limit {
		return TooLarge, nil
	}
	next := s.nextHop.Load()
	err = nexthop.Send(ctx, next.address, next.access, from.Address, to.address, raw)
	if nexthop.Refused(err) {
		s.log.Warn("a DMARC report was refused", "domain", a.Policy.Domain, "host", to.host, "error", err)
		return Refused, nil
	}
	return Sent, err
}
