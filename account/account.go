// Package account holds who may use the console, what each may do, and the trail of what was done.
//
// Accounts live in the journal's stream Accounts, the audit trail in Audit; a [Book] is their state in memory, replayed by
// [Open] and kept up by [Book.Run], so that all nodes of a cluster hold the same. A change is written to the trail before it
// is made, and returns when both are synced and applied here.
//
// Passwords are stored as argon2id (RFC 9106). A link for a first login, or one that was forgotten, carries 256 random
// bits, of which only the SHA-256 is stored; it is good once, for [LinkLife]. In a cluster the first use in the log counts.
// An account that was removed can be restored for [UndoLife].
//
// A Book is safe for concurrent use. docs/formats.md specifies the bytes.
package account

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"rempart/journal"
)

// What callers decide on.
var (
	// ErrLogin: the name or the password is wrong; which one is not told.
	ErrLogin = errors.New("account: wrong name or password")
	// ErrBusy: so many are logging in at once that this one was not checked.
	ErrBusy = errors.New("account: too many logins at once")
	// ErrLink: the link was used, has expired, was replaced by a newer one or never was.
	ErrLink = errors.New("account: the link is not valid any more")
	// ErrName: not 1 to 64 letters, digits and "._@+-".
	ErrName = errors.New("account: not a valid name")
	// ErrExists: an account of this name exists, perhaps removed.
	ErrExists = errors.New("account: exists already")
	// ErrUnknown: there is no account of this name, or it was removed.
	ErrUnknown = errors.New("account: unknown")
	// ErrRole: there is no such role.
	ErrRole = errors.New("account: unknown role")
	// ErrLastAdministrator: nobody would be left who may manage accounts.
	ErrLastAdministrator = errors.New("account: the last administrator")
	// ErrPassword: too short or too long; see [MinPassword].
	ErrPassword = errors.New("account: not a possible password")
)

const (
	// LinkLife is how long a one-time link can be used: over a night and a day off.
	LinkLife = 48 * time.Hour
	// UndoLife is how long a removed account can be restored.
	UndoLife = 30 * 24 * time.Hour

	maxName = 64
)

// FirstAdministrator is the name of the account that the first start makes.
const FirstAdministrator = "admin"

// Account is one person who may use the console.
type Account struct {
	Name        string
	Role        Role
	Made        time.Time
	HasPassword bool
	LinkUntil   time.Time // a one-time link is out until then; zero if none is
	Removed     time.Time // zero if it was not
	// Generation rises whenever sessions begun before must end: at a new password, a removal, a changed role.
	Generation uint64
}

// Active reports whether the account may log in.
func (a Account) Active() bool { return a.Removed.IsZero() }

// Actor is who changes something, and from where: what the trail says of it.
type Actor struct {
	Name    string
	Address string // of the client; empty for the program itself
}

// System is the actor of what the program does by itself.
var System = Actor{Name: "rempart"}

// Book is the accounts and the end of the trail.
type Book struct {
	journal *journal.Journal
	hasher  *hasher

	mu      sync.RWMutex
	holders map[string]*holder
	links   map[digest]*link
	through uint64 // sequence number up to which Accounts is applied

	trail trail
}

// Open replays the accounts, and the last [MaxTrail] entries of the trail.
func Open(ctx context.Context, j *journal.Journal) (*Book, error) {
	b := &Book{journal: j, hasher: newHasher(), holders: map[string]*holder{}, links: map[digest]*link{}}
	if err := b.catchUp(ctx); err != nil {
		return nil, fmt.Errorf("open accounts: %w", err)
	}
	b.trail.next = trailStart(j.Health(ctx).Last[journal.Audit])
	if _, err := j.Replay(ctx, journal.Audit, b.trail.next, b.trail.apply); err != nil {
		return nil, fmt.Errorf("open audit trail: %w", err)
	}
	return b, nil
}

// Run follows both streams until ctx ends.
func (b *Book) Run(ctx context.Context) error {
	b.mu.RLock()
	accounts := b.through + 1
	b.mu.RUnlock()
	g, run := errgroup.WithContext(ctx)
	g.Go(func() error { return b.journal.Follow(run, journal.Accounts, accounts, b.apply) })
	g.Go(func() error { return b.journal.Follow(run, journal.Audit, b.trail.from(), b.trail.apply) })
	err := g.Wait()
	if ctx.Err() != nil || errors.Is(err, journal.ErrClosed) {
		return nil
	}
	return fmt.Errorf("follow accounts: %w", err)
}

// Accounts are all that are active or can be restored at the given time, by name.
func (b *Book) Accounts(now time.Time) []Account {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var out []Account
	for _, h := range b.holders {
		if h.Active() || now.Sub(h.Removed) < UndoLife {
			out = append(out, b.shown(h, now))
		}
	}
	slices.SortFunc(out, func(a, b Account) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Account finds an active account.
func (b *Book) Account(name string) (Account, bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	h := b.holders[name]
	if h == nil || !h.Active() {
		return Account{}, false
	}
	return h.Account, true
}

// shown adds until when a link is out. The caller holds mu.
func (b *Book) shown(h *holder, now time.Time) Account {
	a := h.Account
	for _, l := range b.links {
		if l.name == h.Name && l.usable(now) {
			a.LinkUntil = l.expires
		}
	}
	return a
}

func validName(name string) bool {
	if name == "" || len(name) > maxName {
		return false
	}
	for _, r := range name {
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@+-", r) {
			return false
		}
	}
	return true
}
