package quarantine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/textproto"
	"time"

	"rempart/durable/sqlite"
	"rempart/message"
	"rempart/nexthop"
)

// maxDigest is how many mails one digest names; of the rest it says that they are there.
const maxDigest = 50

// digestMoment is when digests were due last: the latest moment of that time of day, in UTC, that is not after now.
func digestMoment(now time.Time, at time.Duration) time.Time {
	day := now.UTC().Truncate(24 * time.Hour)
	if moment := day.Add(at); !moment.After(now) {
		return moment
	}
	return day.Add(at - 24*time.Hour)
}

// tell sends each recipient who has new mail waiting a digest, at most one a day. A digest that the next hop does not take is tried
// again with the next call.
func (s *Store) tell(ctx context.Context) error {
	c := s.config.Load()
	if !c.digests() {
		return nil
	}
	due := digestMoment(s.now(), c.digestAt())
	recipients, err := s.toTell(ctx, due)
	if err != nil {
		return fmt.Errorf("digests: %w", err)
	}
	putOff := 0
	for _, to := range recipients {
		err := s.tellOne(ctx, c, to, due)
		var refused *textproto.Error
		switch {
		case errors.As(err, &refused): // of this recipient; the text may name them, so that the log has only how many
			putOff++
		case err != nil:
			return fmt.Errorf("digests: %w", err) // the next hop is away: for all
		}
	}
	if putOff > 0 {
		return fmt.Errorf("digests: the next hop put off %d of %d", putOff, len(recipients))
	}
	return nil
}

// untold is what of a recipient's copies belongs into a digest.
const untold = "outgoing = 0 AND told = 0 AND released = 0 AND malware = 0 AND time <= ? AND expires > ?"

func (s *Store) toTell(ctx context.Context, due time.Time) (recipients []string, err error) {
	rows, err := s.db.QueryContext(ctx, "SELECT DISTINCT recipient FROM copies WHERE "+untold+
		" AND recipient NOT IN (SELECT recipient FROM digests WHERE time >= ?) ORDER BY recipient", due.Unix(), s.now().Unix(), due.Unix())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var to string
		if err := rows.Scan(&to); err != nil {
			return nil, err
		}
		recipients = append(recipients, to)
	}
	return recipients, rows.Err()
}

func (s *Store) tellOne(ctx context.Context, c *Config, to string, due time.Time) error {
	d := digest{To: to, From: c.DigestFrom, All: c.URL + MinePath}
	rows, err := s.db.QueryContext(ctx, "SELECT "+columns+" FROM copies WHERE recipient = ? AND "+untold+" ORDER BY id DESC", to, due.Unix(), s.now().Unix())
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		k, err := scan(rows)
		if err != nil {
			return err
		}
		if len(d.Entries) == maxDigest {
			d.More++
			continue
		}
		if entry, err := s.entry(ctx, c, &k); err != nil {
			s.log.Error("a mail in quarantine stays out of its digest", "id", k.ID, "error", err)
		} else {
			d.Entries = append(d.Entries, entry)
		}
	}
	if err := rows.Close(); err != nil {
		return err
	}
	if len(d.Entries) > 0 {
		raw, err := d.compose(s.now())
		if err != nil {
			return err
		}
		if err := nexthop.Send(ctx, c.NextHop, c.Access, "", to, raw); nexthop.Refused(err) {
			s.log.Warn("a digest was refused; its recipient is told of new mail tomorrow")
		} else if err != nil {
			return err
		}
	}
	return s.markTold(context.WithoutCancel(ctx), to, due) // it is on its way
}

func (s *Store) entry(ctx context.Context, c *Config, k *Copy) (digestEntry, error) {
	author, subject, err := s.About(ctx, k.ID)
	if err != nil {
		return digestEntry{}, err
	}
	link, err := s.Link(k)
	if err != nil {
		return digestEntry{}, err
	}
	return digestEntry{From: author, Subject: subject, Time: k.Time, Until: k.Expires, Link: c.URL + LinkPath + link}, nil
}

// Author is whom a mail shows as its author.
func Author(m *message.Message) string {
	if m.From.Name == "" {
		return m.From.String()
	}
	return m.From.Name + " <" + m.From.String() + ">"
}

func (s *Store) markTold(ctx context.Context, to string, due time.Time) error {
	return sqlite.InTx(ctx, s.db, func(tx *sql.Tx) error {
		now := s.now().Unix()
		if _, err := tx.ExecContext(ctx, "UPDATE copies SET told = ? WHERE recipient = ? AND "+untold, now, to, due.Unix(), now); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO digests (recipient, time) VALUES (?, ?)", to, now)
		return err
	})
}
