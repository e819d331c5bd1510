// Package abuse is the state of the abuse desk: what others complain about, as cases, and the figures of the DMARC and TLS reports
// that they send.
//
// Complaints about one own account, or one source where no account is known, gather in one case until it is closed. Cases live in
// the journal's stream Cases, reports in Reports; a [Book] is their state in memory, replayed by [Open] and kept up by [Book.Run],
// so that all nodes of a cluster hold the same. It is bounded: the oldest closed cases and the oldest reports go first.
//
// What a report says is its reporter's word. Who may change a case, and the audit trail of it, are the caller's matter. A Book is
// safe for concurrent use. docs/formats.md specifies the bytes.
package abuse

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"

	"rempart/journal"
)

// What callers decide on.
var (
	// ErrNotFound: there is no such case, or it made room for newer ones.
	ErrNotFound = errors.New("abuse: no such case")
	// ErrClosed: a closed case does not change any more.
	ErrClosed = errors.New("abuse: the case is closed")
	// ErrNotSent: the next hop did not take the answer.
	ErrNotSent = errors.New("abuse: the answer was not sent")
)

// Bounds of what is held in memory.
const (
	maxCases      = 2000 // with maxComplaints of the longest values some 90 MB
	maxComplaints = 20   // the latest of a case; all are counted
	maxNotes      = 100  // the latest of a case
	maxReports    = 5000 // three months of twenty reporters on two domains
	maxSources    = 50   // of a report, those with most mails; the rest is summed up
	maxField      = 255  // bytes of what a report says
	maxNote       = 4000 // bytes of what people write
)

// Book is the cases and reports.
type Book struct {
	journal *journal.Journal

	mu      sync.RWMutex
	cases   []*Case // oldest first
	open    map[string]*Case
	reports []*Report // oldest first
	through map[journal.Stream]uint64
}

// Open replays both streams.
func Open(ctx context.Context, j *journal.Journal) (*Book, error) {
	b := &Book{journal: j, open: map[string]*Case{}, through: map[journal.Stream]uint64{}}
	for _, s := range []journal.Stream{journal.Cases, journal.Reports} {
		if err := b.catchUp(ctx, s); err != nil {
			return nil, fmt.Errorf("open %s: %w", s, err)
		}
	}
	return b, nil
}

// Run follows both streams until ctx ends.
func (b *Book) Run(ctx context.Context) error {
	g, run := errgroup.WithContext(ctx)
	for _, s := range []journal.Stream{journal.Cases, journal.Reports} {
		g.Go(func() error { return b.journal.Follow(run, s, b.next(s), b.applier(s)) })
	}
	err := g.Wait()
	if ctx.Err() != nil || errors.Is(err, journal.ErrClosed) {
		return nil
	}
	return fmt.Errorf("follow cases: %w", err)
}

func (b *Book) next(s journal.Stream) uint64 {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.through[s] + 1
}

// applier brings one record into the book, in the order of the log. A record that cannot be read was written by another version and
// is left out.
func (b *Book) applier(s journal.Stream) func(journal.Record) error {
	return func(rec journal.Record) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		if rec.Seq <= b.through[s] {
			return nil
		}
		b.through[s] = rec.Seq
		if s == journal.Reports {
			if r, err := unmarshalReport(rec.Data); err == nil {
				b.addReport(rec, r)
			}
		} else if r, err := unmarshal(rec.Data); err == nil {
			b.apply(rec, r)
		}
		return nil
	}
}

// append adds a record to a log and returns when it is applied here.
func (b *Book) append(ctx context.Context, s journal.Stream, id string, record []byte) error {
	if _, err := b.journal.Append(ctx, s, id, record); err != nil {
		return fmt.Errorf("append to %s: %w", s, err)
	}
	return b.catchUp(ctx, s)
}

// catchUp applies what the log has and the book has not; Run may do the same meanwhile.
func (b *Book) catchUp(ctx context.Context, s journal.Stream) error {
	_, err := b.journal.Replay(ctx, s, b.next(s), b.applier(s))
	return err
}

// clip bounds a text.
func clip(s string, limit int) string {
	s = strings.TrimSpace(s)
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}
