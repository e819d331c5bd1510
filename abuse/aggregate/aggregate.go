// Package aggregate makes DMARC aggregate reports (RFC 9990): what this node saw of mail in the name of a domain, for the domain's owner,
// who asks for them by the rua tag of its DMARC record.
//
// [Store.Count] counts a judged mail into rows of the reports of its UTC day; they are written to dmarc.db (SQLite) every ten seconds.
// In the hours after the day [Store.Run] makes one report a Policy Domain and hands it to the next hop for each mailbox that may have
// it, marks that, and deletes the report when all have it. A crash between the two, an end while the disk takes no mark and an answer
// that was lost send a report again, with the same ID and file: receivers know it by them. Each node reports what it saw itself. All is
// bounded, by the constants in the code: what comes in, and from whom, is for others to decide. A Store is safe for concurrent use.
package aggregate

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"rempart/durable/sqlite"
	"rempart/nexthop"
)

// Outcome says what became of a report to one mailbox.
type Outcome string

// Outcomes.
const (
	Sent       Outcome = "sent"
	Refused    Outcome = "refused"    // by the next hop, for good
	TooLarge   Outcome = "too_large"  // for the limit that the mailbox's URI names
	Unverified Outcome = "unverified" // the mailbox is another organisation's, which does not say that it takes it
	GivenUp    Outcome = "given_up"   // not sent within a day
)

// Outcomes are all.
var Outcomes = []Outcome{Sent, Refused, TooLarge, Unverified, GivenUp}

// Options is what a Store needs of the node.
type Options struct {
	Node, Version string // the node's name, the program's version
	Log           *slog.Logger
	Now           func() time.Time

	// Takes asks DNS whether a host takes reports on a domain; instead is a rua that the host puts in the place of the domain's.
	Takes func(ctx context.Context, domain, host string) (takes bool, instead string, err error)
	// Sign puts a signature before a mail, if there is a key.
	Sign func(mail []byte) []byte
	// Done is told of each mailbox that a report is done with, LeftOut of mails that no report tells of, since there was too much.
	Done    func(Outcome)
	LeftOut func(mails uint64)
}

// Store is the reports that are being made.
type Store struct {
	options Options
	log     *slog.Logger
	now     func() time.Time
	db      *sql.DB
	config  atomic.Pointer[Config]
	nextHop atomic.Pointer[hop]

	mu      sync.Mutex // guards pending
	pending pending

	writing sync.Mutex // held by who writes to db: SQLite's own wait for each other ends in an error, however well all goes
}

var schema = sqlite.Schema{Version: 1, Create: `
CREATE TABLE reports (
	day    INTEGER NOT NULL, -- its begin, in seconds since 1970
	domain TEXT NOT NULL,    -- Policy Domain
	rows   INTEGER NOT NULL,
	policy TEXT NOT NULL,    -- feedback.Policy as JSON, as it was seen last
	rua    TEXT NOT NULL,    -- as published then
	due    INTEGER NOT NULL, -- when it is to be sent, in seconds since 1970
	PRIMARY KEY (day, domain)
) WITHOUT ROWID;
CREATE TABLE rows (
	day    INTEGER NOT NULL,
	domain TEXT NOT NULL,
	row    TEXT NOT NULL, -- feedback.Row as JSON, without its count
	count  INTEGER NOT NULL,
	PRIMARY KEY (day, domain, row)
) WITHOUT ROWID;
CREATE TABLE done (
	day     INTEGER NOT NULL,
	domain  TEXT NOT NULL,
	mailbox TEXT NOT NULL, -- as the domain names it, which needs no more of this report
	PRIMARY KEY (day, domain, mailbox)
) WITHOUT ROWID;
`}

// hop is where reports are handed to.
type hop struct {
	address string
	access  nexthop.Access
}

// Open opens dmarc.db in dir. nextHop and a are where reports are handed to, as [nexthop.Send] takes them.
func Open(ctx context.Context, dir string, c Config, nextHop string, a nexthop.Access, o Options) (*Store, error) {
	s := &Store{options: o, log: o.Log, now: o.Now, pending: newPending()}
	s.Reconfigure(c, nextHop, a)
	var err error
	if s.db, err = sqlite.Open(ctx, filepath.Join(dir, "dmarc.db"), schema); err != nil {
		return nil, fmt.Errorf("open DMARC reports: %w", err)
	}
	return s, nil
}

// Reconfigure takes a checked configuration over.
func (s *Store) Reconfigure(c Config, nextHop string, a nexthop.Access) {
	s.nextHop.Store(&hop{nextHop, a})
	s.config.Store(&c)
}

// Close closes the file; call it after Run returned.
func (s *Store) Close() error { return s.db.Close() }

// Run writes what is counted and sends what is due, until ctx ends; then all that was counted is written.
func (s *Store) Run(ctx context.Context) error {
	var all errgroup.Group
	all.Go(func() error {
		s.often(ctx, flushEvery, "what DMARC reports will tell was not kept; it is tried again", s.flush)
		if err := s.flush(context.WithoutCancel(ctx)); err != nil {
			s.log.Error("what DMARC reports will tell was not kept", "error", err)
		}
		return nil
	})
	all.Go(func() error {
		s.often(ctx, sendEvery, "DMARC reports were not sent; it is tried again", s.sendDue)
		return nil
	})
	return all.Wait()
}

func (s *Store) often(ctx context.Context, every time.Duration, failed string, do func(context.Context) error) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if err := do(ctx); err != nil && ctx.Err() == nil {
			s.log.Error(failed, "error", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (s *Store) inTx(ctx context.Context, do func(*sql.Tx) error) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	return sqlite.InTx(ctx, s.db, do)
}

// exec is a transaction of one statement.
func (s *Store) exec(ctx context.Context, statement string, args ...any) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, statement, args...)
		return err
	})
}
