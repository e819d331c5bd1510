package abuse

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"slices"
	"strings"
	"time"

	"rempart/journal"
	"rempart/message/feedback"
)

// Report is the figures of one DMARC or TLS report on one domain.
type Report struct {
	Organisation string // that made it, in its own words
	Verified     string // domain that it provably comes from; empty if there is none
	Domain       string
	Begin, End   time.Time
	Policy       string // of DMARC, as the receiver read it: none, quarantine, reject
	Sources      []Source
	Rest         Counts // of the sources that are not listed
	TLS          []TLSCounts
}

// Source is what one address sent in the name of the domain.
type Source struct {
	Address netip.Addr
	Counts
}

// Counts is mails: all, those for which DMARC passed and by what, and what was done with the others.
type Counts struct {
	Mails, Passed, DKIM, SPF, Quarantined, Rejected uint64
}

func (c *Counts) add(d Counts) {
	c.Mails += d.Mails
	c.Passed += d.Passed
	c.DKIM += d.DKIM
	c.SPF += d.SPF
	c.Quarantined += d.Quarantined
	c.Rejected += d.Rejected
}

// TLSCounts is connections that ended alike. Result is empty for those that went well, else why they failed (RFC 8460 section 4.3).
type TLSCounts struct {
	Result   string
	Sessions uint64
}

// NewReport is the figures of a DMARC report.
func NewReport(a *feedback.Aggregate, verified string) Report {
	r := Report{Organisation: a.Organisation, Verified: verified, Domain: a.Policy.Domain, Begin: a.Begin, End: a.End, Policy: a.Policy.P}
	sources := map[netip.Addr]*Counts{}
	for i := range a.Rows {
		row := &a.Rows[i]
		c := sources[row.Source]
		if c == nil {
			c = &Counts{}
			sources[row.Source] = c
		}
		c.add(countsOf(row))
	}
	r.Sources = mostFirst(sources)
	for len(r.Sources) > maxSources {
		last := len(r.Sources) - 1
		r.Rest.add(r.Sources[last].Counts)
		r.Sources = r.Sources[:last]
	}
	return r
}

func countsOf(row *feedback.Row) (c Counts) {
	n := row.Count
	c.Mails = n
	if row.Pass() {
		c.Passed = n
	}
	if row.DKIM == "pass" {
		c.DKIM = n
	}
	if row.SPF == "pass" {
		c.SPF = n
	}
	switch row.Disposition {
	case "quarantine":
		c.Quarantined = n
	case "reject":
		c.Rejected = n
	}
	return c
}

func mostFirst(sources map[netip.Addr]*Counts) []Source {
	out := make([]Source, 0, len(sources))
	for addr, c := range sources {
		out = append(out, Source{addr, *c})
	}
	slices.SortFunc(out, func(a, b Source) int { return cmp.Or(cmp.Compare(b.Mails, a.Mails), a.Address.Compare(b.Address)) })
	return out
}

// NewTLSReports are the figures of a TLS report, one for each domain of its policies.
func NewTLSReports(t *feedback.TLS, verified string) (out []Report) {
	for _, p := range t.Policies {
		r := Report{Organisation: t.Organisation, Verified: verified, Domain: p.Domain, Begin: t.Begin, End: t.End, TLS: []TLSCounts{{"", p.Sessions}}}
		listed := uint64(0)
		for _, f := range p.Failures {
			r.TLS = append(r.TLS, TLSCounts{cmp.Or(f.Result, otherFailure), f.Sessions})
			listed += f.Sessions
		}
		if p.Failed > listed {
			r.TLS = append(r.TLS, TLSCounts{otherFailure, p.Failed - listed})
		}
		out = append(out, r)
	}
	return out
}

// otherFailure is a failure whose result the report does not tell.
const otherFailure = "unknown"

// Take keeps a report. Id is its own, in the organisation's words: the same report on the same domain, from the same sender, is
// kept once.
func (b *Book) Take(ctx context.Context, id string, r Report) error {
	h := sha256.Sum256([]byte(strings.Join([]string{r.Verified, r.Organisation, r.Domain, id}, "\x00")))
	return b.append(ctx, journal.Reports, hex.EncodeToString(h[:16]), r.marshal())
}

// addReport keeps one report more, in place of the oldest if there are too many. The caller holds mu.
func (b *Book) addReport(rec journal.Record, r Report) {
	if r.End.After(rec.Time) { // it would be the latest for ever
		r.End = rec.Time
	}
	if len(b.reports) == maxReports {
		b.reports = slices.Delete(b.reports, 0, maxReports/10)
	}
	b.reports = append(b.reports, &r)
}

// Domain is what the reports on one domain say together.
type Domain struct {
	Name    string
	Policy  string // as the latest report read it
	Reports int
	Counts
	Sources   []Source // most mails first; those that reports list
	Reporters []Reporter
	TLS       []TLSCounts // those that went well first
}

// Reporter is one organisation that reports.
type Reporter struct {
	Organisation string
	Verified     string
	Reports      int
	Latest       time.Time // end of what it reported on
}

// Domains sums the reports up whose time ends after since, by domain, those with most mails first.
func (b *Book) Domains(since time.Time) []Domain {
	b.mu.RLock()
	defer b.mu.RUnlock()
	sums := map[string]*sum{}
	for _, r := range b.reports {
		if !r.End.After(since) {
			continue
		}
		s := sums[r.Domain]
		if s == nil {
			s = &sum{Domain: Domain{Name: r.Domain}, sources: map[netip.Addr]*Counts{}, tls: map[string]uint64{}, reporters: map[[2]string]*Reporter{}}
			sums[r.Domain] = s
		}
		s.add(r)
	}
	out := make([]Domain, 0, len(sums))
	for _, s := range sums {
		out = append(out, s.finish())
	}
	slices.SortFunc(out, func(a, b Domain) int { return cmp.Or(cmp.Compare(b.Mails, a.Mails), strings.Compare(a.Name, b.Name)) })
	return out
}

// sum is a Domain that is being made.
type sum struct {
	Domain
	latest    time.Time
	sources   map[netip.Addr]*Counts
	tls       map[string]uint64
	reporters map[[2]string]*Reporter
}

func (s *sum) add(r *Report) {
	s.Reports++
	s.Counts.add(r.Rest)
	for _, x := range r.Sources {
		s.Counts.add(x.Counts)
		if s.sources[x.Address] == nil {
			s.sources[x.Address] = &Counts{}
		}
		s.sources[x.Address].add(x.Counts)
	}
	for _, x := range r.TLS {
		s.tls[x.Result] += x.Sessions
	}
	if r.Policy != "" && !r.End.Before(s.latest) {
		s.Policy, s.latest = r.Policy, r.End
	}
	by := [2]string{r.Organisation, r.Verified}
	if s.reporters[by] == nil {
		s.reporters[by] = &Reporter{Organisation: r.Organisation, Verified: r.Verified}
	}
	p := s.reporters[by]
	p.Reports++
	if r.End.After(p.Latest) {
		p.Latest = r.End
	}
}

func (s *sum) finish() Domain {
	s.Sources = mostFirst(s.sources)
	for result, n := range s.tls {
		s.TLS = append(s.TLS, TLSCounts{result, n})
	}
	slices.SortFunc(s.TLS, func(a, b TLSCounts) int { return strings.Compare(a.Result, b.Result) })
	for _, p := range s.reporters {
		s.Reporters = append(s.Reporters, *p)
	}
	slices.SortFunc(s.Reporters, func(a, b Reporter) int {
		return cmp.Or(cmp.Compare(b.Reports, a.Reports), strings.Compare(a.Organisation, b.Organisation), strings.Compare(a.Verified, b.Verified))
	})
	return s.Domain
}
