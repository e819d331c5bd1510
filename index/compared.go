package index

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"rempart/durable/sqlite"
	"rempart/message"
)

// Terms that nobody can type begin with a control character.
const (
	agreementPrefix = "\x01agreement "
	keyPrefix       = "\x01key "
)

// agreementTerm is that of all events of an agreement, or of those that were taught as label.
func agreementTerm(a message.Agreement, taught message.Label) string {
	term := agreementPrefix + strconv.Itoa(int(a))
	if taught != message.Forget {
		term += " " + strconv.Itoa(int(taught))
	}
	return term
}

// compared is the terms by which an event is counted beside the filter before, and found when a lesson comes.
func compared(e *message.Event) (list []string) {
	if a := e.Agreement(); a != message.NotCompared {
		list = append(list, agreementTerm(a, message.Forget))
		if e.Taught != message.Forget {
			list = append(list, agreementTerm(a, e.Taught))
		}
	}
	if e.Key != "" {
		list = append(list, keyPrefix+e.Key)
	}
	return list
}

// Comparison is how often the filter before and we were of one mind, since a time.
type Comparison struct {
	From  time.Time    `json:"from"`
	Kinds []Comparable `json:"kinds"` // one an agreement, in the order of message.Agreements
}

// Comparable is the mails of one agreement, and those of them that somebody taught later.
type Comparable struct {
	Agreement  message.Agreement `json:"agreement"`
	Mails      int               `json:"mails"`
	TaughtHam  int               `json:"taught_ham"`
	TaughtSpam int               `json:"taught_spam"`
}

// Mails is how many were compared, and about how many of them the two differ.
func (c Comparison) Mails() (all, differ int) {
	for _, k := range c.Kinds {
		all += k.Mails
		if k.Agreement == message.OnlyIncumbent || k.Agreement == message.OnlyHere {
			differ += k.Mails
		}
	}
	return all, differ
}

// Right is in how many of the disagreements that were taught later we were right, and the filter before.
func (c Comparison) Right() (here, incumbent, taught int) {
	for _, k := range c.Kinds {
		switch k.Agreement {
		case message.OnlyIncumbent:
			here, incumbent = here+k.TaughtHam, incumbent+k.TaughtSpam
		case message.OnlyHere:
			here, incumbent = here+k.TaughtSpam, incumbent+k.TaughtHam
		}
	}
	return here, incumbent, here + incumbent
}

// Compare counts the events since the hour of from.
func (x *Index) Compare(ctx context.Context, from time.Time) (Comparison, error) {
	c := Comparison{From: from.UTC().Truncate(time.Hour)}
	rows, err := x.read.QueryContext(ctx, "SELECT term, sum(n) FROM agreements WHERE hour >= ? GROUP BY term", hourOf(c.From.UnixMicro()))
	if err != nil {
		return c, fmt.Errorf("compare: %w", err)
	}
	defer rows.Close()
	counts := make(map[string]int)
	for rows.Next() {
		var term string
		var n int
		if err := rows.Scan(&term, &n); err != nil {
			return c, fmt.Errorf("compare: %w", err)
		}
		counts[term] = n
	}
	for _, a := range message.Agreements {
		c.Kinds = append(c.Kinds, Comparable{a, counts[agreementTerm(a, message.Forget)], counts[agreementTerm(a, message.Ham)],
			counts[agreementTerm(a, message.Spam)]})
	}
	return c, rows.Err()
}

// agreed is a row of the table agreements.
type agreed struct {
	hour int64
	term string
}

func hourOf(seq int64) int64 { return seq / time.Hour.Microseconds() }

// recount adds n events with these terms to the counts of their hour.
func recount(counts map[agreed]int, seq int64, terms []string, n int) {
	for _, t := range terms {
		if strings.HasPrefix(t, agreementPrefix) {
			counts[agreed{hourOf(seq), t}] += n
		}
	}
}

// writeCounts adds to the table; what is at 0 goes.
func writeCounts(ctx context.Context, tx *sql.Tx, counts map[agreed]int) error {
	for at, n := range counts {
		if _, err := tx.ExecContext(ctx, "INSERT INTO agreements (hour, term, n) VALUES (?, ?, ?) ON CONFLICT (hour, term) DO UPDATE SET n = n + excluded.n",
			at.hour, at.term, n); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM agreements WHERE hour = ? AND term = ? AND n <= 0", at.hour, at.term); err != nil {
			return err
		}
	}
	return nil
}

// maxCopies bounds the events that one lesson is noted in, the newest: a mail that went to many, each by a mail of its own.
const maxCopies = 200

// Taught notes in the events of messages with that key, to those whom the scope names, what they were taught as; Forget takes it back.
func (x *Index) Taught(ctx context.Context, key string, scope message.Scope, label message.Label) error {
	var known bool
	term := keyPrefix + key
	if err := x.read.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM terms WHERE term = ?)", term).Scan(&known); err != nil {
		return fmt.Errorf("note a lesson: %w", err)
	}
	if !known {
		return nil // as most that is taught from elsewhere: without a wait for the writer
	}
	err := sqlite.InTx(ctx, x.write, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, "SELECT e.seq, e.record FROM terms t CROSS JOIN events e ON e.seq = t.seq WHERE t.term = ? ORDER BY t.seq DESC LIMIT ?", term, maxCopies)
		if err != nil {
			return err
		}
		defer rows.Close()
		found := make(map[int64]*message.Event)
		for rows.Next() {
			var seq int64
			var record []byte
			if err := rows.Scan(&seq, &record); err != nil {
				return err
			}
			e := new(message.Event)
			if e.UnmarshalBinary(record) == nil && e.Taught != label && covers(scope, e) {
				found[seq] = e
			}
		}
		if err := rows.Err(); err != nil {
			return err
		}
		counts := make(map[agreed]int)
		for seq, e := range found {
			recount(counts, seq, terms(e), -1)
			if err := rewrite(ctx, tx, seq, e, label); err != nil {
				return err
			}
			recount(counts, seq, terms(e), 1)
		}
		return writeCounts(ctx, tx, counts)
	})
	if err != nil {
		return fmt.Errorf("note a lesson: %w", err)
	}
	return nil
}

// covers says whether the scope is that of somebody who got the message.
func covers(s message.Scope, e *message.Event) bool {
	if s.Tenant != "" && s.Tenant != e.Tenant {
		return false
	}
	if s.User == "" && s.Domain == "" {
		return true
	}
	return slices.ContainsFunc(e.Outcomes, func(o message.Outcome) bool {
		domain := o.Recipient[strings.LastIndexByte(o.Recipient, '@')+1:]
		return strings.EqualFold(o.Recipient, s.User) || s.User == "" && strings.EqualFold(domain, s.Domain)
	})
}

// rewrite writes an event anew with what it was taught as, and its terms with it.
func rewrite(ctx context.Context, tx *sql.Tx, seq int64, e *message.Event, label message.Label) error {
	for _, t := range terms(e) {
		if _, err := tx.ExecContext(ctx, "DELETE FROM terms WHERE term = ? AND seq = ?", t, seq); err != nil {
			return err
		}
	}
	e.Taught = label
	record, _ := e.AppendBinary(make([]byte, 0, usualRecord))
	if _, err := tx.ExecContext(ctx, "UPDATE events SET record = ? WHERE seq = ?", record, seq); err != nil {
		return err
	}
	action, _ := worst(e)
	var found []termRow
	for _, t := range terms(e) {
		found = append(found, termRow{t, seq, int64(e.Channel), action})
	}
	return insertTerms(ctx, tx, found)
}
