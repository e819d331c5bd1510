package node

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"rempart/account"
	"rempart/index"
	"rempart/journal"
	"rempart/keyring"
	"rempart/message"
)

// ErrNoPerson is a word that could stand for more than one person.
var ErrNoPerson = errors.New("not the address or number of a person")

// maxShownEvents bounds the ids that are listed of a person's events; all are counted.
const maxShownEvents = 1000

// Holding is what a node holds on a person.
type Holding struct {
	Address string     `json:"address"`
	Events  HeldEvents `json:"events"`
	Lessons int        `json:"lessons"`         // taught in the person's name
	Keys    int        `json:"keys"`            // of the person, one a tenant: what is sealed with them
	Mails   int        `json:"mails"`           // in quarantine for the person, or in their mailbox
	Cases   []string   `json:"cases,omitempty"` // of the abuse desk that name the person, newest first; Erase leaves them
}

// HeldEvents are the messages whose event names the person.
type HeldEvents struct {
	Count  int        `json:"count"`
	Oldest *time.Time `json:"oldest,omitempty"`
	Newest *time.Time `json:"newest,omitempty"`
	IDs    []string   `json:"ids,omitempty"` // the newest thousand
}

// Erased is what a node erased of a person.
type Erased struct {
	Address string `json:"address"`
	Events  int    `json:"events"`
	Lessons int    `json:"lessons"`
	Keys    int    `json:"keys"`
	Mails   int    `json:"mails"`
}

// personOf refuses what is no person: a domain or a word would erase more than was meant.
func personOf(address string) (isUser func(string) bool, err error) {
	want := index.Address(address)
	_, ipErr := netip.ParseAddr(want)
	local, domain, mail := strings.Cut(want, "@")
	number := len(want) >= 3 && strings.Trim(want, "0123456789") == ""
	if ipErr != nil && !number && (!mail || local == "" || domain == "") {
		return nil, fmt.Errorf("%w: %q", ErrNoPerson, address)
	}
	return func(user string) bool { return index.Address(user) == want }, nil
}

// Holds says what is held on an address or number. It reads all lessons, a second for some hundred thousand.
func (n *Node) Holds(ctx context.Context, address string) (h Holding, err error) {
	isUser, err := personOf(address)
	if err != nil {
		return h, err
	}
	h.Address = address
	scopes, err := n.keys.Scopes(func(s keyring.Scope) bool { return s.User != "" && isUser(s.User) })
	if err != nil {
		return h, err
	}
	h.Keys = len(scopes)
	events, err := n.index.Holds(ctx, address, maxShownEvents)
	if err != nil {
		return h, err
	}
	h.Events = HeldEvents{Count: events.Events, IDs: events.IDs}
	if events.Events > 0 {
		h.Events.Oldest, h.Events.Newest = &events.Oldest, &events.Newest
	}
	if h.Mails, err = n.quarantine.Count(ctx, ownMailbox(isUser)); err != nil {
		return h, err
	}
	h.Cases = n.abuse.Naming(isUser)
	if len(scopes) > 0 {
		h.Lessons, err = n.lessonsOf(ctx, isUser)
	}
	return h, err
}

// lessonsOf counts the lessons in the name of a user.
func (n *Node) lessonsOf(ctx context.Context, isUser func(string) bool) (count int, err error) {
	_, err = n.journal.Replay(ctx, journal.Lessons, 0, func(r journal.Record) error {
		record, err := n.keys.Open(r.Data, []byte(r.ID))
		if err != nil {
			return nil // erased, or not of this node: nobody's any more
		}
		var l message.Lesson
		if l.UnmarshalBinary(record) == nil && l.Scope.User != "" && isUser(l.Scope.User) {
			count++
		}
		return nil
	})
	return count, err
}

// Erase destroys the person's keys, so that what they taught can never be read again, here, in backups without keys and in
// copies of the journal; deletes the events that name them; and drops from the learner what is kept in their name. The
// weights that all share stay, and so do cases of the abuse desk. The audit trail says who did it, of the person only a mask. On an error it is to be called again:
// what was erased until then stays so.
func (n *Node) Erase(ctx context.Context, address string, by account.Actor) (e Erased, err error) {
	isUser, err := personOf(address)
	if err != nil {
		return e, err
	}
	h, err := n.Holds(ctx, address)
	if err != nil {
		return e, err
	}
	e.Address = address
	err = n.accounts.Record(ctx, account.Entry{Who: by.Name, Address: by.Address, What: "privacy.erased", Object: message.Masked(index.Address(address)),
		Before: fmt.Sprintf("%d events, %d lessons", h.Events.Count, h.Lessons)})
	if err != nil {
		return e, err
	}
	scopes, err := n.keys.Scopes(func(s keyring.Scope) bool { return s.User != "" && isUser(s.User) })
	if err != nil {
		return e, err
	}
	for _, s := range scopes {
		if err := n.keys.Destroy(s); err != nil {
			return e, fmt.Errorf("erase: %w", err)
		}
		e.Keys++
	}
	e.Lessons = h.Lessons
	n.filter.Forget(isUser)
	n.suspects.drop(isUser)
	if err := n.saveMemory(); err != nil { // the old one has which mail of theirs is waited for
		return e, fmt.Errorf("erase: %w", err)
	}
	if err := n.journal.DropSnapshot(filterSnapshot); err != nil { // the old one names them; the next is written without
		return e, fmt.Errorf("erase: %w", err)
	}
	if e.Events, err = n.index.Erase(ctx, address); err != nil {
		return e, fmt.Errorf("erase: %w", err)
	}
	if e.Mails, err = n.quarantine.Erase(ctx, ownMailbox(isUser)); err != nil {
		return e, fmt.Errorf("erase: %w", err)
	}
	if c := n.console.Load(); c != nil {
		c.EndOwners(ownMailbox(isUser))
	}
	n.watch.Clear() // campaigns name senders: they are made again of the events that are left
	n.recallCampaigns(ctx)
	n.log.Info("a person was erased", "events", e.Events, "lessons", e.Lessons)
	return e, nil
}

type personRequest struct {
	Address string `json:"address"`
}

// LocalActor is who works on this machine, as the user that the node runs as.
var LocalActor = account.Actor{Name: teacherLocal}

// Holds asks the running node what it holds on a person.
func (c *Client) Holds(ctx context.Context, address string) (h Holding, err error) {
	if _, err := personOf(address); err != nil {
		return h, err
	}
	err = c.ask(ctx, "/privacy/show", personRequest{address}, &h)
	return h, err
}

// Erase lets the running node erase a person.
func (c *Client) Erase(ctx context.Context, address string) (e Erased, err error) {
	if _, err := personOf(address); err != nil {
		return e, err
	}
	err = c.ask(ctx, "/privacy/erase", personRequest{address}, &e)
	return e, err
}
