package aggregate

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"rempart/message/dkim"
	"rempart/message/feedback"
)

// ErrNone is a domain and day of which there is no report: nothing was counted, nobody asked for one, or it was sent.
var ErrNone = errors.New("no DMARC report is being made on that domain")

// Waiting is a report that is being made, or waits to be sent.
type Waiting struct {
	Day    time.Time `json:"day"` // its begin
	Domain string    `json:"domain"`
	Rows   int       `json:"rows"`
	Mails  uint64    `json:"mails"`
	RUA    string    `json:"rua"` // as the domain publishes it
	Due    time.Time `json:"due"` // when it is to be sent
}

// Waiting lists the reports, the newest day first.
func (s *Store) Waiting(ctx context.Context) (list []Waiting, err error) {
	if err := s.flush(ctx); err != nil {
		return nil, err
	}
	rows, err := s.db.QueryContext(ctx, `SELECT day, domain, rows, rua, due, (SELECT sum(count) FROM rows WHERE rows.day = reports.day AND rows.domain = reports.domain)
		FROM reports ORDER BY day DESC, domain`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var w Waiting
		var day, due int64
		if err := rows.Scan(&day, &w.Domain, &w.Rows, &w.RUA, &due, &w.Mails); err != nil {
			return nil, err
		}
		w.Day, w.Due = time.Unix(day, 0).UTC(), time.Unix(due, 0).UTC()
		list = append(list, w)
	}
	return list, rows.Err()
}

// Report is the report on a domain as it would be sent now; of the latest day where day is zero.
func (s *Store) Report(ctx context.Context, domain string, day time.Time) (*feedback.Aggregate, error) {
	if err := s.flush(ctx); err != nil {
		return nil, err
	}
	key := reportKey{domain: dkim.ToDomain(domain)}
	query, args := "SELECT day FROM reports WHERE domain = ? ORDER BY day DESC LIMIT 1", []any{key.domain}
	if !day.IsZero() {
		query, args = "SELECT day FROM reports WHERE domain = ? AND day = ?", append(args, day.Unix())
	}
	err := s.db.QueryRowContext(ctx, query, args...).Scan(&key.day)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("%w: %s", ErrNone, domain)
	}
	if err != nil {
		return nil, err
	}
	return s.build(ctx, key)
}

// build makes a report of what is on disk: of a day that is over, the same each time.
func (s *Store) build(ctx context.Context, key reportKey) (*feedback.Aggregate, error) {
	c := s.config.Load()
	from, domain := c.author()
	begin := time.Unix(key.day, 0).UTC()
	a := &feedback.Aggregate{Organisation: c.Organisation, Email: from.Address, Contact: c.Contact, Generator: "Rempart " + s.options.Version,
		ID: s.id(key), Begin: begin, End: begin.Add(day - time.Second)}
	if a.Organisation == "" {
		a.Organisation = domain
	}
	var policy string
	if err := s.db.QueryRowContext(ctx, "SELECT policy FROM reports WHERE day = ? AND domain = ?", key.day, key.domain).Scan(&policy); err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(policy), &a.Policy); err != nil {
		return nil, err
	}
	rows, err := s.db.QueryContext(ctx, "SELECT row, count FROM rows WHERE day = ? AND domain = ? ORDER BY row", key.day, key.domain)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		var row feedback.Row
		if err := rows.Scan(&text, &row.Count); err != nil {
			return nil, err
		}
		count := row.Count
		if err := json.Unmarshal([]byte(text), &row); err != nil {
			return nil, err
		}
		row.Count = count
		a.Rows = append(a.Rows, row)
	}
	return a, rows.Err()
}

// maxNode is how many letters of the node's name stand in an ID.
const maxNode = 20

// id is unlike for every report of every node, and the same whenever it is made: letters and digits alone, since it is a part of the
// file's name.
func (s *Store) id(key reportKey) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s.options.Node)
	sum := s.sum(key)
	return time.Unix(key.day, 0).UTC().Format("20060102") + name[:min(len(name), maxNode)] + hex.EncodeToString(sum[:6])
}

func (s *Store) sum(key reportKey) [sha256.Size]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%d", s.options.Node, key.domain, key.day))
}

// due is when a report is sent first: at some time in the hours after its day, another for each domain and node, so that neither the next
// hop nor who gets many gets them at once.
func (s *Store) due(key reportKey) int64 {
	sum := s.sum(key)
	spread := binary.BigEndian.Uint32(sum[8:]) % uint32(sendSpread/time.Second)
	return time.Unix(key.day, 0).Add(day+sendAfter).Unix() + int64(spread)
}
