package aggregate

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"rempart/message"
	"rempart/message/feedback"
)

// Bounds of what is kept of one day. What goes beyond is left out and counted: whoever sends in the name of many domains, or from many
// hosts, decides how much there is.
const (
	maxDomains    = 10_000
	maxDomainRows = 5_000
	maxRows       = 200_000
	maxPending    = 8 << 20 // bytes in memory that is not on disk yet
)

const _ = uint(feedback.MaxRows - maxDomainRows) // who reads reports as we do takes all of one

const (
	day = 24 * time.Hour
	// grace is how long after its end a day may still be counted.
	grace = 10 * time.Minute
	// flushEvery: a crash loses at most so much of what was counted.
	flushEvery = 10 * time.Second
)

// pending is what was counted and is not on disk yet.
type pending struct {
	reports map[reportKey]*pendingReport
	bytes   int // of all that others bring: domains, records, rows
}

// reportKey names a report: the day's begin in seconds since 1970, and the Policy Domain.
type reportKey struct {
	day    int64
	domain string
}

type pendingReport struct {
	latest published
	counts map[string]uint64 // by row, as JSON without its count
}

// published is the record as it was seen: its policy as JSON of a feedback.Policy, and its tag rua. It holds nothing else of what DNS
// brought, which may be long.
type published struct{ policy, rua string }

func (p published) bytes() int { return len(p.policy) + len(p.rua) }

// Count counts a judged mail if a report will tell of it; decisions are in the order of its recipients. It waits for nothing.
func (s *Store) Count(m *message.Message, decisions []message.Decision) {
	record := foundHere(m).Record
	if c := s.config.Load(); record == nil || !c.On() || c.excludes(record.Domain) || len(destinations(record.Reports)) == 0 {
		return
	}
	key := reportKey{m.Arrived.UTC().Truncate(day).Unix(), record.Domain}
	rows := rowsOf(m, decisions)
	if s.now().Sub(time.Unix(key.day, 0)) > day+grace { // a report on that day may be on its way
		s.options.LeftOut(uint64(len(rows)))
		return
	}
	policy, err := json.Marshal(policyOf(record))
	for _, row := range rows {
		text, rowErr := json.Marshal(row)
		if err = errors.Join(err, rowErr); err != nil {
			s.log.Error("a mail was not counted for a DMARC report", "error", err) // never: it is texts and an address
			return
		}
		s.add(key, published{string(policy), record.Reports}, string(text), 1)
	}
}

func (s *Store) add(key reportKey, latest published, row string, n uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, more := s.pending.reports[key], 0
	if r == nil {
		r = &pendingReport{counts: map[string]uint64{}}
		more = len(key.domain)
	}
	more += latest.bytes() - r.latest.bytes()
	if r.counts[row] == 0 {
		more += len(row)
	}
	if more > 0 && s.pending.bytes+more > maxPending {
		s.options.LeftOut(n)
		return
	}
	s.pending.bytes += more
	s.pending.reports[key] = r
	if r.latest != latest {
		r.latest = published{latest.policy, strings.Clone(latest.rua)}
	}
	r.counts[row] += n
}

func newPending() pending { return pending{reports: map[reportKey]*pendingReport{}} }
