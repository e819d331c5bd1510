package abuse

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"time"

	"rempart/journal"
)

// State is how far a case is.
type State string

// States.
const (
	StateOpen     State = "open"     // nobody answered the latest complaint
	StateAnswered State = "answered" // until the next complaint
	StateClosed   State = "closed"   // for good; the next complaint opens another case
)

// Case is the complaints about one own account, or one source.
type Case struct {
	ID         string
	Tenant     string
	Account    string // of our own that sent it; empty if none is known
	Source     string // else: network, or domain that is held responsible
	State      State
	Opened     time.Time
	Changed    time.Time
	Count      uint64      // mails that were complained about
	Complaints []Complaint // the latest, oldest first
	Notes      []Note      // oldest first
}

// About is the account or source.
func (c *Case) About() string {
	if c.Account != "" {
		return c.Account
	}
	return c.Source
}

// Complaint is one that came in.
type Complaint struct {
	Time      time.Time // it was recorded
	Tenant    string
	Account   string
	Source    string
	Type      string // as in feedback.Complaint
	Reporter  string // who wrote it: address; only claimed unless Verified is of its domain
	Verified  string // domain that the report provably comes from (DMARC or DKIM); empty if there is none
	Recipient string // who got the mail, if it was told
	From      string // author of the mail
	MessageID string
	EventID   string // of the mail when it went out from here, if it is known
	Incidents uint64 // mails that it stands for
}

// Note is what somebody did about a case.
type Note struct {
	Time time.Time
	Who  string
	What What
	Text string
}

// What is the kind of a note.
type What string

// Kinds of notes.
const (
	Noted    What = "noted"
	Answered What = "answered"
	Closed   What = "closed"
)

// Complain adds a complaint to the open case about its account or source, or opens one. Id names the report that brought it: the same
// one is added once.
func (b *Book) Complain(ctx context.Context, id string, c Complaint) error {
	return b.append(ctx, journal.Cases, id, record{kind: kindComplaint, complaint: c}.marshal())
}

// Note records what was done about a case: an answer, its end, or a word for colleagues. Only one that is not closed takes it.
func (b *Book) Note(ctx context.Context, caseID, who string, what What, text string) error {
	c, err := b.Case(caseID)
	if err != nil {
		return err
	}
	if c.State == StateClosed {
		return ErrClosed
	}
	return b.append(ctx, journal.Cases, rand.Text(), record{kind: kindOf(what), caseID: caseID, who: who, text: clip(text, maxNote)}.marshal())
}

// Case is one case.
func (b *Book) Case(id string) (Case, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, c := range b.cases {
		if c.ID == id {
			return c.clone(), nil
		}
	}
	return Case{}, ErrNotFound
}

// Query is what cases are listed for.
type Query struct {
	Text  string // that occurs in the account, source or a reporter; or is the id
	Open  bool   // only those that are not closed
	Skip  int
	Limit int
}

// Cases are those that fit, the one that changed last first; more reports whether there are others behind them.
func (b *Book) Cases(q Query) (out []Case, more bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var fit []*Case
	for _, c := range b.cases {
		if c.fits(&q) {
			fit = append(fit, c)
		}
	}
	slices.SortStableFunc(fit, func(a, b *Case) int { return b.Changed.Compare(a.Changed) })
	fit = fit[min(q.Skip, len(fit)):]
	for _, c := range fit[:min(q.Limit, len(fit))] {
		out = append(out, c.clone())
	}
	return out, len(fit) > len(out)
}

func (c *Case) fits(q *Query) bool {
	if q.Open && c.State == StateClosed {
		return false
	}
	text := strings.ToLower(strings.TrimSpace(q.Text))
	if text == "" || c.ID == q.Text || strings.Contains(strings.ToLower(c.About()), text) {
		return true
	}
	return slices.ContainsFunc(c.Complaints, func(k Complaint) bool { return strings.Contains(strings.ToLower(k.Reporter), text) })
}

// Naming are the ids of the cases that name a person: as the account or source complained about, or in a complaint as who made it, who
// got the mail or who wrote it. The newest come first. What people wrote in notes is not looked at, nor complaints that a case has no
// longer at hand.
func (b *Book) Naming(isPerson func(string) bool) (ids []string) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, c := range slices.Backward(b.cases) {
		if c.names(isPerson) {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

func (c *Case) names(isPerson func(string) bool) bool {
	return isPerson(c.Account) || isPerson(c.Source) || slices.ContainsFunc(c.Complaints, func(k Complaint) bool {
		return isPerson(k.Reporter) || isPerson(k.Recipient) || isPerson(k.From)
	})
}

func (c *Case) clone() Case {
	out := *c
	out.Complaints, out.Notes = slices.Clone(c.Complaints), slices.Clone(c.Notes)
	return out
}

// key tells what belongs to one case.
func (c *Complaint) key() string {
	if c.Account != "" {
		return "account\x00" + c.Tenant + "\x00" + c.Account
	}
	return "source\x00" + c.Tenant + "\x00" + c.Source
}

// apply brings a record into the cases. What it asks for and the state does not allow (two nodes that close a case at once) is left
// out by every node alike. The caller holds mu.
func (b *Book) apply(rec journal.Record, r record) {
	if r.kind == kindComplaint {
		b.complained(rec, r.complaint)
		return
	}
	i := slices.IndexFunc(b.cases, func(c *Case) bool { return c.ID == r.caseID })
	what := r.kind.what()
	if i < 0 || b.cases[i].State == StateClosed || what == "" {
		return
	}
	c := b.cases[i]
	c.Changed = rec.Time
	c.Notes = append(c.Notes, Note{rec.Time, r.who, what, r.text})
	if len(c.Notes) > maxNotes {
		c.Notes = slices.Delete(c.Notes, 0, 1)
	}
	switch what {
	case Answered:
		c.State = StateAnswered
	case Closed:
		c.State = StateClosed
		for key, open := range b.open {
			if open == c {
				delete(b.open, key)
			}
		}
	}
}

func (b *Book) complained(rec journal.Record, k Complaint) {
	k.Time = rec.Time
	key := k.key()
	c := b.open[key]
	if c == nil {
		c = &Case{ID: strings.ToLower(rec.ID), Tenant: k.Tenant, Account: k.Account, Source: k.Source, Opened: rec.Time}
		b.open[key] = c
		b.cases = append(b.cases, c)
		b.makeRoom()
	}
	c.State, c.Changed = StateOpen, rec.Time
	c.Count += k.Incidents
	c.Complaints = append(c.Complaints, k)
	if len(c.Complaints) > maxComplaints {
		c.Complaints = slices.Delete(c.Complaints, 0, 1)
	}
}

// makeRoom drops the oldest closed case, or else the oldest.
func (b *Book) makeRoom() {
	if len(b.cases) <= maxCases {
		return
	}
	i := max(slices.IndexFunc(b.cases, func(c *Case) bool { return c.State == StateClosed }), 0)
	for key, c := range b.open {
		if c == b.cases[i] {
			delete(b.open, key)
		}
	}
	b.cases = slices.Delete(b.cases, i, i+1)
}
