package aggregate

import (
	"encoding/json"
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
	maxPending    = 8 << 20 // bytes of rows in memory
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
	bytes   int // of the rows
}

// reportKey names a report: the day's begin in seconds since 1970, and the Policy Domain.
type reportKey struct {
	day    int64
	domain string
}

type pendingReport struct {
	record *message.DMARCRecord // the latest that was seen
	counts map[string]uint64    // by row, as JSON without its count
}

// Count counts a judged mail if a report will tell of it; decisions are in the order of its recipients. It waits for nothing.
func (s *Store) Count(m *message.Message, decisions []message.Decision) {
	record := foundHere(m).Record
	if c := s.config.Load(); record == nil || !c.On() || c.excludes(record.Domain) {
		return
	}
	key := reportKey{m.Arrived.UTC().Truncate(day).Unix(), record.Domain}
	if s.now().Sub(time.Unix(key.day, 0)) > day+grace {
		return // a report on that day may be on its way
	}
	for _, row := range rowsOf(m, decisions) {
		text, err := json.Marshal(row)
		if err != nil {
			s.log.Error("a mail was not counted for a DMARC report", "error", err) // never: a row holds text and an address
			continue
		}
		s.add(key, record, string(text), 1)
	}
}

func (s *Store) add(key reportKey, record *message.DMARCRecord, row string, n uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.pending.reports[key]
	if r == nil || r.counts[row] == 0 {
		if s.pending.bytes+len(row) > maxPending {
			s.options.LeftOut(n)
			return
		}
		s.pending.bytes += len(row)
	}
	if r == nil {
		r = &pendingReport{counts: map[string]uint64{}}
		s.pending.reports[key] = r
	}
	r.record = record
	r.counts[row] += n
}

func newPending() pending { return pending{reports: map[reportKey]*pendingReport{}} }
