package auth

import (
	"reflect"
	"strings"
	"testing"

	"rempart/dns/dnstest"
	"rempart/message"
)

// What a report is to tell of the record, wherever it stands, and of both methods, whichever decided.
func TestRecordForReports(t *testing.T) {
	zone := policies("a.example p=reject; sp=quarantine; adkim=s; t=y; fo=1:d; rua=mailto:d@a.example!10m, mailto:r@c.example", "b.example p=none",
		"broken.example p=refuse; rua=mailto:d@broken.example")
	whole := message.DMARCRecord{Domain: "a.example", Reports: "mailto:d@a.example!10m, mailto:r@c.example", Policy: "reject", Subdomains: "quarantine", Asked: "reject",
		Failures: "1:d", StrictDKIM: true, Testing: true}
	with := func(spf, dkim bool) *message.DMARCRecord {
		r := whole
		r.SPFAligned, r.DKIMAligned = spf, dkim
		return &r
	}
	below := with(true, true)
	below.Asked = "quarantine"
	for _, tt := range []struct {
		from, spf, dkim string // domains that passed
		want            *message.DMARCRecord
	}{
		{"a.example", "a.example", "a.example", with(true, true)},
		{"a.example", "mx.a.example", "mx.a.example", with(true, false)}, // adkim=s
		{"a.example", "", "a.example", with(false, true)},
		{"a.example", "b.example", "a.example", with(false, true)},
		{"a.example", "b.example", "", with(false, false)},
		{"news.a.example", "a.example", "news.a.example", below},
		{"b.example", "b.example", "", nil}, // asks for none
		{"broken.example", "broken.example", "", &message.DMARCRecord{Domain: "broken.example", Reports: "mailto:d@broken.example", Policy: "none", Asked: "none", SPFAligned: true}},
	} {
		for _, reporting := range []bool{true, false} {
			c := newChecker(t, dnstest.Serve(t, zone...))
			c.Reporting = reporting
			a := &message.Authentication{SPF: "pass", SPFDomain: tt.spf, DKIM: []message.DKIM{{Status: "fail", Domain: tt.from}, {Status: "pass", Domain: tt.dkim}}}
			c.dmarc(t.Context(), c.walk(t.Context(), tt.from), a)
			if reporting && !reflect.DeepEqual(a.Record, tt.want) || !reporting && a.Record != nil {
				t.Errorf("%s by %s and %s: %+v, want %+v", tt.from, tt.spf, tt.dkim, a.Record, tt.want)
			}
		}
	}
}

// RFC 9990 section 4: reports go to others only if they say that they take them.
func TestTakesReports(t *testing.T) {
	report := func(domain, host, text string) string { return txt(domain+"._report._dmarc."+host, text) }
	z := dnstest.Serve(t, append(policies("a.example p=none"),
		report("a.example", "says.example", "v=DMARC1"),
		report("a.example", "says.example", "something else"),
		report("a.example", "moved.example", "v=DMARC1; rua=mailto:other@moved.example"),
		report("a.example", "spf.example", "v=spf1 -all"),
		report("a.example", "late.example", "rua=mailto:d@late.example; v=DMARC1"))...)
	z.Fail("a.example._report._dmarc.silent.example", "_dmarc.lost.example")
	c := newChecker(t, z)
	for _, tt := range []struct {
		domain, host string
		takes        bool
		instead      string
		failed       bool
	}{
		{"a.example", "a.example", true, "", false},
		{"a.example", "mail.a.example", true, "", false},
		{"mail.a.example", "reports.a.example", true, "", false},
		{"a.example", "says.example", true, "", false},
		{"a.example", "moved.example", true, "mailto:other@moved.example", false},
		{"a.example", "spf.example", false, "", false},
		{"a.example", "late.example", false, "", false},
		{"a.example", "nobody.example", false, "", false},
		{"b.example", "says.example", false, "", false}, // that is about another domain
		{"a.example", "silent.example", false, "", true},
		{"a.example", "lost.example", false, "", true},
		{"a.example", strings.Repeat("c.", 120) + "example", false, "", false},
		{"a.example", strings.Repeat("c.", 115) + "example", false, "", false},
	} {
		takes, instead, err := c.TakesReports(t.Context(), tt.domain, tt.host)
		if takes != tt.takes || instead != tt.instead || (err != nil) != tt.failed {
			t.Errorf("%s to %s: %v %q %v", tt.domain, tt.host, takes, instead, err)
		}
	}
}
