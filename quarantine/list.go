package quarantine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Query selects copies. Zero fields select all.
type Query struct {
	Recipient string   // exactly
	Mailboxes []string // whose copies, of mail coming in
	Text      string   // occurs in recipient, envelope sender or id
	Waiting   bool     // not released
	Limit     int      // default 50, at most 500
	Cursor    string   // where the page before ended
}

// Page is copies, newest first.
type Page struct {
	Copies []Copy `json:"copies"`
	Next   string `json:"next,omitempty"` // empty: this was the last page
}

const (
	defaultLimit = 50
	maxLimit     = 500
)

const columns = "id, recipient, time, expires, tenant, mail_from, size, probability, malware, released, released_by, outgoing, mailbox"

// List gives one page.
func (s *Store) List(ctx context.Context, q Query) (p Page, err error) {
	if q.Limit <= 0 {
		q.Limit = defaultLimit
	}
	q.Limit = min(q.Limit, maxLimit)
	query, args := "SELECT "+columns+" FROM copies WHERE expires > ?", []any{s.now().Unix()}
	and := func(cond string, arg ...any) {
		query += " AND " + cond
		args = append(args, arg...)
	}
	if q.Recipient != "" {
		and("recipient = ?", q.Recipient)
	}
	if len(q.Mailboxes) > 0 {
		cond, mailboxes := inMailboxes(q.Mailboxes)
		and(cond, mailboxes...)
	}
	if q.Text != "" {
		like := "%" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(q.Text) + "%"
		and(`(recipient LIKE ? ESCAPE '\' OR mail_from LIKE ? ESCAPE '\' OR id = ?)`, like, like, q.Text)
	}
	if q.Waiting {
		and("released = 0")
	}
	if id, recipient, ok := strings.Cut(q.Cursor, " "); ok {
		and("(id, recipient) < (?, ?)", id, recipient)
	}
	query += " ORDER BY id DESC, recipient DESC LIMIT ?" // ids sort by time
	rows, err := s.db.QueryContext(ctx, query, append(args, q.Limit+1)...)
	if err != nil {
		return p, fmt.Errorf("quarantine: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		c, err := scan(rows)
		if err != nil {
			return p, err
		}
		if len(p.Copies) == q.Limit { // one more than asked for: there is a next page
			last := p.Copies[q.Limit-1]
			p.Next = last.ID + " " + last.Recipient
			break
		}
		p.Copies = append(p.Copies, c)
	}
	return p, rows.Err()
}

// inMailboxes is the condition that a copy is in one of the mailboxes, with its arguments. An empty name is no mailbox.
func inMailboxes(mailboxes []string) (cond string, args []any) {
	for _, m := range mailboxes {
		args = append(args, m)
	}
	return "mailbox != '' AND mailbox IN (?" + strings.Repeat(", ?", len(mailboxes)-1) + ")", args
}

// Get is one copy.
func (s *Store) Get(ctx context.Context, id, recipient string) (Copy, error) {
	c, err := scan(s.db.QueryRowContext(ctx, "SELECT "+columns+" FROM copies WHERE id = ? AND recipient = ? AND expires > ?", id, recipient, s.now().Unix()))
	if errors.Is(err, sql.ErrNoRows) {
		return c, ErrNotFound
	}
	return c, err
}

// Waiting is how many copies wait to be released.
func (s *Store) Waiting(ctx context.Context) (n int, err error) {
	err = s.db.QueryRowContext(ctx, "SELECT count(*) FROM copies WHERE released = 0 AND expires > ?", s.now().Unix()).Scan(&n)
	return n, err
}

func scan(row interface{ Scan(...any) error }) (c Copy, err error) {
	var at, expires, released int64
	err = row.Scan(&c.ID, &c.Recipient, &at, &expires, &c.Tenant, &c.MailFrom, &c.Size, &c.Probability, &c.Malware, &released, &c.ReleasedBy, &c.Outgoing, &c.Mailbox)
	c.Time, c.Expires = time.Unix(at, 0).UTC(), time.Unix(expires, 0).UTC()
	if released != 0 {
		c.Released = time.Unix(released, 0).UTC()
	}
	return c, err
}

// Erase deletes the copies for one person, by the address they came to or by their mailbox, and their bodies where nobody else's copy is
// left; it returns how many. IsUser recognises the address, and the names of the mailbox, in whatever form they are written. What others
// got from that address stays theirs.
func (s *Store) Erase(ctx context.Context, isUser func(string) bool) (n int, err error) {
	found, err := s.copiesOf(ctx, isUser)
	if err != nil {
		return 0, err
	}
	for _, c := range found {
		if err := s.Delete(ctx, c.ID, c.Recipient); err != nil && !errors.Is(err, ErrNotFound) {
			return n, err
		}
		n++
	}
	return n, errors.Join(s.forget(ctx, "digests", "recipient", isUser), s.forget(ctx, "signins", "mailbox", isUser))
}

// forget drops the rows of a table whose column names the user: when a digest was sent, by which links they signed in.
func (s *Store) forget(ctx context.Context, table, column string, isUser func(string) bool) error {
	rows, err := s.db.QueryContext(ctx, "SELECT DISTINCT "+column+" FROM "+table)
	if err != nil {
		return fmt.Errorf("quarantine: %w", err)
	}
	defer rows.Close()
	var found []string
	for rows.Next() {
		var to string
		if err := rows.Scan(&to); err != nil {
			return err
		}
		if isUser(to) {
			found = append(found, to)
		}
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	for _, to := range found {
		if _, err := s.db.ExecContext(ctx, "DELETE FROM "+table+" WHERE "+column+" = ?", to); err != nil {
			return fmt.Errorf("quarantine: %w", err)
		}
	}
	return nil
}

// Count is how many copies are kept for one person, as [Store.Erase] finds them.
func (s *Store) Count(ctx context.Context, isUser func(string) bool) (int, error) {
	found, err := s.copiesOf(ctx, isUser)
	return len(found), err
}

func (s *Store) copiesOf(ctx context.Context, isUser func(string) bool) (found []Copy, err error) {
	rows, err := s.db.QueryContext(ctx, "SELECT "+columns+" FROM copies")
	if err != nil {
		return nil, fmt.Errorf("quarantine: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		c, err := scan(rows)
		if err != nil {
			return nil, err
		}
		if isUser(c.Recipient) || c.Mailbox != "" && isUser(c.Mailbox) {
			found = append(found, c)
		}
	}
	return found, rows.Err()
}
