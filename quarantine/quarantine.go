// Package quarantine keeps mail that policy put aside, until its recipients or the postmaster release it, delete it, or it is too old.
//
// What is kept is a copy for each recipient: a row of quarantine.db (SQLite), and one body for all of them in a [blob.Store], sealed.
// [Store.Keep] returns when both are synced; only then may a front door say that it took the mail. A mail that its sender tries again
// while its copy waits is not kept twice. A [Store] hands a released copy, byte for byte, to the next hop by SMTP (RFC 5321), and marks
// it released when the next hop has taken it: a crash between the two can deliver it twice, never lose it. Links that are mailed lead a
// recipient to one copy ([Store.Link]) or sign them in to their mailbox ([Store.SignIn]). Each node keeps its own. A Store is safe for
// concurrent use.
package quarantine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"rempart/blob"
	"rempart/durable/sqlite"
	"rempart/keyring"
	"rempart/message/email"
	"rempart/nexthop"
)

// What callers decide on.
var (
	// ErrNotFound: never kept, deleted, or too old.
	ErrNotFound = errors.New("quarantine: no such mail")
	// ErrNotDelivered: the next hop did not take it; the copy waits on.
	ErrNotDelivered = errors.New("quarantine: not delivered")
	// ErrReleased: the copy was delivered before.
	ErrReleased = errors.New("quarantine: released already")
	// ErrMalware: only the postmaster releases it.
	ErrMalware = errors.New("quarantine: malware was found in it; only the postmaster can release it")
)

// Copy is one recipient's copy.
type Copy struct {
	ID          string    `json:"id"`
	Recipient   string    `json:"recipient"`
	Time        time.Time `json:"time"`
	Expires     time.Time `json:"expires"`
	Tenant      string    `json:"tenant,omitempty"`
	MailFrom    string    `json:"mail_from"`
	Size        int       `json:"size"`
	Probability float64   `json:"probability"`
	Malware     bool      `json:"malware,omitempty"`
	Released    time.Time `json:"released,omitzero"`
	ReleasedBy  string    `json:"released_by,omitempty"`
	Outgoing    bool      `json:"outgoing,omitempty"`
	Mailbox     string    `json:"mailbox,omitempty"` // whose it is; empty for mail going out
}

// Store is an open quarantine.
type Store struct {
	config atomic.Pointer[Config]
	keys   *keyring.Ring
	bodies *blob.Store
	db     *sql.DB
	// releasing holds, by copy, who releases: two at once deliver once.
	releasing [64]sync.Mutex
	seed      maphash.Seed
	log       *slog.Logger
	now       func() time.Time
}

// Open opens the quarantine below dir: quarantine.db and the directory blob.
func Open(ctx context.Context, dir string, c Config, keys *keyring.Ring, log *slog.Logger, now func() time.Time) (*Store, error) {
	bodies, err := blob.Open(filepath.Join(dir, "blob"), keys, log)
	if err != nil {
		return nil, err
	}
	s := &Store{seed: maphash.MakeSeed(), keys: keys, bodies: bodies, log: log, now: now}
	s.Reconfigure(c)
	if s.db, err = sqlite.Open(ctx, filepath.Join(dir, "quarantine.db"), schema); err != nil {
		return nil, fmt.Errorf("open quarantine: %w", err)
	}
	return s, nil
}

// Reconfigure takes a checked configuration over.
func (s *Store) Reconfigure(c Config) {
	c = c.withDefaults()
	s.config.Store(&c)
}

// On reports whether mail is kept here: where no next hop is configured it could not be released.
func (s *Store) On() bool { return s.config.Load().NextHop != "" }

// Close closes the files.
func (s *Store) Close() error { return s.db.Close() }

// Raw is the mail as it came.
func (s *Store) Raw(ctx context.Context, id string) ([]byte, error) {
	body, err := s.bodies.Get(ctx, id)
	if errors.Is(err, blob.ErrNotFound) || errors.Is(err, blob.ErrID) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(body)
}

// About is what a mail shows as its author and its subject. It reads the beginning of the mail only.
func (s *Store) About(ctx context.Context, id string) (author, subject string, err error) {
	body, err := s.bodies.Get(ctx, id)
	if errors.Is(err, blob.ErrNotFound) || errors.Is(err, blob.ErrID) {
		return "", "", ErrNotFound
	}
	if err != nil {
		return "", "", err
	}
	defer body.Close()
	head, err := io.ReadAll(io.LimitReader(body, maxAbout))
	if err != nil {
		return "", "", err
	}
	m := email.ParseBytes(head)
	return Author(m), m.Subject, nil
}

// maxAbout is of how much of a mail author and subject are read: who writes more before them is no person.
const maxAbout = 32 << 10

// Release hands a copy to the next hop and returns the mail. Who names the one who asks; a postmaster may release malware, and
// what was released before.
func (s *Store) Release(ctx context.Context, id, recipient, who string, postmaster bool) ([]byte, error) {
	one := &s.releasing[maphash.String(s.seed, id+recipient)%uint64(len(s.releasing))]
	one.Lock()
	defer one.Unlock()
	c, err := s.Releasable(ctx, id, recipient, postmaster)
	if err != nil {
		return nil, err
	}
	raw, err := s.Raw(ctx, id)
	if err != nil {
		return nil, err
	}
	next := s.config.Load()
	if err := nexthop.Send(ctx, next.NextHop, next.Access, c.MailFrom, c.Recipient, raw); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotDelivered, err)
	}
	// It is delivered, whatever becomes of who asked.
	_, err = s.db.ExecContext(context.WithoutCancel(ctx), "UPDATE copies SET released = ?, released_by = ? WHERE id = ? AND recipient = ?",
		s.now().Unix(), who, id, recipient)
	if err != nil {
		return raw, fmt.Errorf("quarantine: delivered, but not marked: %w", err)
	}
	return raw, nil
}

// Releasable is a copy that may be released now, by a postmaster or by its recipient.
func (s *Store) Releasable(ctx context.Context, id, recipient string, postmaster bool) (Copy, error) {
	c, err := s.Get(ctx, id, recipient)
	switch {
	case err != nil:
		return c, err
	case c.Malware && !postmaster:
		return c, ErrMalware
	case !c.Released.IsZero() && !postmaster:
		return c, ErrReleased
	}
	return c, nil
}

// Delete deletes a copy for good, and the body with the last one.
func (s *Store) Delete(ctx context.Context, id, recipient string) error {
	left := 0
	err := sqlite.InTx(ctx, s.db, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, "DELETE FROM copies WHERE id = ? AND recipient = ?", id, recipient)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return errors.Join(ErrNotFound, err)
		}
		return tx.QueryRowContext(ctx, "SELECT count(*) FROM copies WHERE id = ?", id).Scan(&left)
	})
	if err != nil || left > 0 {
		return err
	}
	return s.bodies.Delete(ctx, id)
}

const sweepEvery = 10 * time.Minute

// Run deletes what is too old and sends the digests, until ctx ends.
func (s *Store) Run(ctx context.Context) error {
	var all errgroup.Group
	all.Go(func() error { return s.bodies.Run(ctx) })
	all.Go(func() error { return s.often(ctx, "quarantine was not swept", s.sweep) })
	all.Go(func() error {
		return s.often(ctx, "not all who have mail in quarantine were told; it is tried again", s.tell)
	})
	return all.Wait()
}

func (s *Store) often(ctx context.Context, failed string, do func(context.Context) error) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		if err := do(ctx); err != nil && ctx.Err() == nil {
			s.log.Error(failed, "error", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

func (s *Store) sweep(ctx context.Context) error {
	_, err := s.db.ExecContext(ctx, "DELETE FROM copies WHERE expires <= ?", s.now().Unix())
	if err == nil {
		_, err = s.db.ExecContext(ctx, "DELETE FROM digests WHERE time <= ?", s.now().Add(-48*time.Hour).Unix()) // the latest moment alone matters
	}
	if err == nil {
		_, err = s.db.ExecContext(ctx, "DELETE FROM signins WHERE sent <= ?", s.now().Add(-SignInLife).Unix())
	}
	return err
}
