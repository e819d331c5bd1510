package account

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"rempart/journal"
	"rempart/wire"
)

// Entry is one line of the audit trail: who did what to which object, and what it was before and after. Never a secret.
type Entry struct {
	ID      string
	Time    time.Time // of the journal
	Who     string
	Address string // of who did it; empty for the program itself
	What    string // key of its sentence in the catalogue, under "audit"
	Object  string
	Before  string
	After   string
}

// A record of stream Audit is one version byte and these fields, all strings.
const entryVersion = 1

const (
	tagWho     wire.Tag = 1
	tagAddress wire.Tag = 2
	tagWhat    wire.Tag = 3
	tagObject  wire.Tag = 4
	tagBefore  wire.Tag = 5
	tagAfter   wire.Tag = 6
)

// maxField bounds each field: what people type in must not fill the trail.
const maxField = 512

func (e Entry) marshal() []byte {
	b := []byte{entryVersion}
	b = wire.AppendString(b, tagWho, clip(e.Who))
	b = wire.AppendString(b, tagAddress, clip(e.Address))
	b = wire.AppendString(b, tagWhat, clip(e.What))
	b = wire.AppendString(b, tagObject, clip(e.Object))
	b = wire.AppendString(b, tagBefore, clip(e.Before))
	return wire.AppendString(b, tagAfter, clip(e.After))
}

func clip(s string) string {
	if len(s) <= maxField {
		return s
	}
	end := maxField
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

func readEntry(rec journal.Record) (e Entry, err error) {
	e.ID, e.Time = rec.ID, rec.Time
	if len(rec.Data) == 0 || rec.Data[0] != entryVersion {
		return e, wire.ErrVersion
	}
	err = wire.Fields(rec.Data[1:], func(tag wire.Tag, c wire.Content) error {
		switch tag {
		case tagWho:
			e.Who = c.String()
		case tagAddress:
			e.Address = c.String()
		case tagWhat:
			e.What = c.String()
		case tagObject:
			e.Object = c.String()
		case tagBefore:
			e.Before = c.String()
		case tagAfter:
			e.After = c.String()
		}
		return nil
	})
	return e, err
}

// MaxTrail is how many of the last entries are at hand; all that the journal keeps are read by [Book.Trail].
const MaxTrail = 10_000

// trail is the last entries in memory.
type trail struct {
	mu      sync.RWMutex
	entries []Entry // oldest first
	next    uint64  // sequence number
}

// trailStart is where the last MaxTrail entries begin at the latest: a message of the log holds at least one record.
func trailStart(last uint64) uint64 {
	const back = MaxTrail << 8
	if last <= back {
		return 0
	}
	return last - back
}

func (t *trail) from() uint64 {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.next
}

func (t *trail) apply(rec journal.Record) error {
	e, err := readEntry(rec)
	if err != nil && e.What == "" {
		e.What = "unreadable" // shown, never hidden
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if rec.Seq < t.next {
		return nil
	}
	t.next = rec.Seq + 1
	if len(t.entries) == 2*MaxTrail {
		t.entries = slices.Delete(t.entries, 0, MaxTrail)
	}
	t.entries = append(t.entries, e)
	return nil
}

// Record adds an entry to the trail and returns when it is synced; while the cluster does not answer, on this node.
func (b *Book) Record(ctx context.Context, e Entry) error {
	_, err := b.journal.Append(ctx, journal.Audit, rand.Text(), e.marshal())
	if errors.Is(err, journal.ErrQueued) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("audit trail: %w", err)
	}
	if b.journal.Shared() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, seenWithin)
		defer cancel()
	}
	_, err = b.journal.Replay(ctx, journal.Audit, b.trail.from(), b.trail.apply)
	if b.journal.Shared() && errors.Is(err, context.DeadlineExceeded) {
		return nil // it is in the log, and comes with what follows
	}
	return err
}

// seenWithin is how long a writer waits to see its own entry; a cluster that chooses a leader takes longer.
const seenWithin = 100 * time.Millisecond

// Latest are the last n entries, newest first, leaving out the first skip.
func (b *Book) Latest(skip, n int) []Entry {
	b.trail.mu.RLock()
	defer b.trail.mu.RUnlock()
	var out []Entry
	for i := len(b.trail.entries) - 1 - skip; i >= 0 && len(out) < n; i-- {
		out = append(out, b.trail.entries[i])
	}
	return out
}

// Trail visits every entry that the journal keeps, oldest first.
func (b *Book) Trail(ctx context.Context, visit func(Entry) error) error {
	_, err := b.journal.Replay(ctx, journal.Audit, 0, func(rec journal.Record) error {
		e, err := readEntry(rec)
		if err != nil && e.What == "" {
			e.What = "unreadable"
		}
		return visit(e)
	})
	return err
}
