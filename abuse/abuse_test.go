package abuse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rempart/abuse/aggregate"
	"rempart/journal"
	"rempart/message/feedback"
)

func openJournal(t *testing.T) *journal.Journal {
	t.Helper()
	j, err := journal.Open(t.Context(), t.TempDir(), journal.Config{}, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

func openBook(t *testing.T, j *journal.Journal) *Book {
	t.Helper()
	b, err := Open(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func all(b *Book) []Case {
	cases, _ := b.Cases(Query{Limit: maxCases})
	return cases
}

// Complaints about one account gather in one case; once it is closed, the next opens another. Other nodes, and this one after a
// restart, hold the same.
func TestCases(t *testing.T) {
	j := openJournal(t)
	b := openBook(t, j)
	other := openBook(t, j)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- other.Run(ctx) }()
	complain := func(id, account, source string) {
		t.Helper()
		k := Complaint{Account: account, Source: source, Type: "abuse", Reporter: "fbl@c.example", Verified: "c.example", MessageID: id + "@b.example", Incidents: 2}
		if err := b.Complain(t.Context(), id, k); err != nil {
			t.Fatal(err)
		}
	}
	complain("R1", "ben", "")
	complain("R1", "ben", "") // the front door was asked twice
	complain("R2", "ben", "")
	complain("R3", "", "192.0.2.0/24")
	if got := all(b); len(got) != 2 {
		t.Fatalf("%+v", got)
	}
	note := func(id string, what What, want error) {
		t.Helper()
		if err := b.Note(t.Context(), id, "admin", what, "The account was locked."); !errors.Is(err, want) {
			t.Errorf("%s %s: %v, want %v", id, what, err, want)
		}
	}
	note("r1", Answered, nil)
	if c, err := b.Case("r1"); err != nil || c.State != StateAnswered || c.Count != 4 || len(c.Complaints) != 2 || c.About() != "ben" || c.Notes[0].Who != "admin" {
		t.Errorf("%+v, %v", c, err)
	}
	complain("R4", "ben", "")
	if c, _ := b.Case("r1"); c.State != StateOpen {
		t.Errorf("complained about again, and still %s", c.State)
	}
	note("r1", Noted, nil)
	note("r1", Closed, nil)
	note("r1", Noted, ErrClosed)
	note("r9", Noted, ErrNotFound)
	complain("R5", "ben", "")
	if c, err := b.Case("r5"); err != nil || c.Count != 2 {
		t.Errorf("%+v, %v", c, err)
	}
	if open, more := b.Cases(Query{Open: true, Limit: 1}); len(open) != 1 || !more || open[0].ID != "r5" {
		t.Errorf("%+v", open)
	}
	if found, _ := b.Cases(Query{Text: "192.0.2", Limit: 10}); len(found) != 1 || found[0].ID != "r3" {
		t.Errorf("%+v", found)
	}
	deadline := time.Now().Add(10 * time.Second)
	for !reflect.DeepEqual(all(other), all(b)) {
		if time.Now().After(deadline) {
			t.Fatalf("the other node has %+v", all(other))
		}
		time.Sleep(5 * time.Millisecond)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if again := openBook(t, j); !reflect.DeepEqual(all(again), all(b)) {
		t.Errorf("replayed: %+v", all(again))
	}
}

// However many complaints come in, the book stays bounded, and open cases stay longer than closed ones.
func TestBounds(t *testing.T) {
	b := &Book{open: map[string]*Case{}, through: map[journal.Stream]uint64{}}
	for i := range maxCases + 10 {
		id := fmt.Sprint(i)
		b.apply(journal.Record{ID: id}, record{kind: kindComplaint, complaint: Complaint{Source: id, Incidents: 1}})
		if i == 7 {
			b.apply(journal.Record{}, record{kind: kindClosed, caseID: "7"})
		}
	}
	if _, err := b.Case("7"); len(b.cases) != maxCases || len(b.open) != maxCases || err == nil {
		t.Errorf("%d cases, %d open, %v", len(b.cases), len(b.open), err)
	}
	for range maxComplaints + maxNotes + 10 {
		b.apply(journal.Record{}, record{kind: kindComplaint, complaint: Complaint{Source: "100", Incidents: 1}})
		b.apply(journal.Record{}, record{kind: kindNoted, caseID: "100"})
	}
	if c, err := b.Case("100"); err != nil || len(c.Complaints) != maxComplaints || len(c.Notes) != maxNotes || c.Count != maxComplaints+maxNotes+11 {
		t.Errorf("%d complaints, %d notes, %d mails, %v", len(c.Complaints), len(c.Notes), c.Count, err)
	}
	for range maxReports + 10 {
		b.addReport(journal.Record{}, Report{})
	}
	if len(b.reports) > maxReports {
		t.Errorf("%d reports", len(b.reports))
	}
}

func TestReports(t *testing.T) {
	j := openJournal(t)
	b := openBook(t, j)
	end := time.Date(2026, 3, 1, 23, 59, 59, 0, time.UTC)
	a := feedback.Aggregate{Organisation: "Google", ID: "1", End: end, Policy: feedback.Policy{Domain: "shop.example", P: "reject"}}
	for i := range maxSources + 5 {
		a.Rows = append(a.Rows, feedback.Row{Source: netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), Count: 1, DKIM: "fail", SPF: "fail", Disposition: "reject"})
	}
	a.Rows = append(a.Rows, feedback.Row{Source: netip.MustParseAddr("2001:db8::1"), Count: 40, DKIM: "pass", SPF: "fail", Disposition: "none"},
		feedback.Row{Source: netip.MustParseAddr("2001:db8::1"), Count: 2, DKIM: "pass", SPF: "pass", Disposition: "none"})
	for range 2 { // sent twice, counted once
		if err := b.Take(t.Context(), a.ID, NewReport(&a, "google.example")); err != nil {
			t.Fatal(err)
		}
	}
	tls := feedback.TLS{Organisation: "Google", ID: "1", End: end, Policies: []feedback.TLSPolicy{{Domain: "shop.example", Sessions: 10, Failed: 3,
		Failures: []feedback.TLSFailure{{Result: "certificate-expired", Sessions: 2}}}}}
	for _, r := range NewTLSReports(&tls, "google.example") {
		if err := b.Take(t.Context(), "tls "+tls.ID, r); err != nil {
			t.Fatal(err)
		}
	}
	for _, book := range []*Book{b, openBook(t, j)} {
		d := book.Domains(end.Add(-time.Hour))
		if len(d) != 1 {
			t.Fatalf("%+v", d)
		}
		want := Counts{Mails: 42 + maxSources + 5, Passed: 42, DKIM: 42, SPF: 2, Rejected: maxSources + 5}
		if d[0].Counts != want || d[0].Policy != "reject" || d[0].Reports != 2 || len(d[0].Sources) != maxSources || d[0].Sources[0].Mails != 42 ||
			!reflect.DeepEqual(d[0].TLS, []TLSCounts{{"", 10}, {"certificate-expired", 2}, {"unknown", 1}}) ||
			!reflect.DeepEqual(d[0].Reporters, []Reporter{{"Google", "google.example", 2, end}}) {
			t.Errorf("%+v", d[0])
		}
		if len(book.Domains(end)) != 0 {
			t.Error("older ones are counted")
		}
	}
}

func TestConfig(t *testing.T) {
	c := Config{Addresses: []string{"abuse@Shop.example"}}
	if !c.Takes("Abuse@shop.example") || c.Takes("ben@shop.example") || !c.Own("shop.example") || !c.Own("news.shop.example") || c.Own("workshop.example") {
		t.Error("addresses and domains")
	}
	for _, tt := range []struct {
		config Config
		want   string
	}{
		{Config{Addresses: []string{"abuse"}}, "feedback.addresses"},
		{Config{Domains: []string{"a@b"}}, "feedback.domains"},
		{Config{NextHop: "x", From: "a@b.example"}, "feedback.next_hop"},
		{Config{NextHop: "127.0.0.1:25", From: "x"}, "feedback.from"},
		{Config{From: "a@b.example"}, "feedback.from"},
		{Config{DMARC: aggregate.Config{From: "a@b.example", Send: true}}, "feedback.dmarc.send"},
		{Config{DMARC: aggregate.Config{From: "x"}}, "feedback.dmarc.from"},
	} {
		if err := tt.config.Check(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: %v", tt.config, err)
		}
	}
}

func TestRecordsReadBack(t *testing.T) {
	text := rapid.StringMatching(`[a-z@.]{0,20}`)
	rapid.Check(t, func(t *rapid.T) {
		r := record{kind: kindComplaint, caseID: text.Draw(t, "case"), who: text.Draw(t, "who"), text: text.Draw(t, "text")}
		for _, s := range r.complaint.texts() {
			*s = text.Draw(t, "field")
		}
		r.complaint.Incidents = uint64(rapid.Uint32().Draw(t, "incidents"))
		if got, err := unmarshal(r.marshal()); err != nil || got != r {
			t.Fatalf("%+v, then %+v, %v", r, got, err)
		}
		p := Report{Organisation: text.Draw(t, "organisation"), Domain: text.Draw(t, "domain"), Begin: timeOf(1e9), Rest: Counts{1, 2, 3, 4, 5, 6},
			Sources: []Source{{netip.MustParseAddr("::1"), Counts{Mails: rapid.Uint64().Draw(t, "mails")}}}, TLS: []TLSCounts{{text.Draw(t, "result"), 7}}}
		if got, err := unmarshalReport(p.marshal()); err != nil || !reflect.DeepEqual(got, p) {
			t.Fatalf("%+v, then %+v, %v", p, got, err)
		}
	})
}

// What a log holds never makes the book fail.
func FuzzRecord(f *testing.F) {
	f.Add(record{kind: kindComplaint, complaint: Complaint{Account: "ben", Incidents: 1}}.marshal())
	f.Add(record{kind: kindClosed, caseID: "x"}.marshal())
	f.Add((&Report{Domain: "a.example", Sources: []Source{{netip.MustParseAddr("::1"), Counts{Mails: 1}}}}).marshal())
	f.Fuzz(func(t *testing.T, data []byte) {
		b := &Book{open: map[string]*Case{}, through: map[journal.Stream]uint64{}}
		for i, s := range []journal.Stream{journal.Cases, journal.Cases, journal.Reports} {
			if err := b.applier(s)(journal.Record{Seq: uint64(i + 1), ID: "X", Data: data}); err != nil {
				t.Fatal(err)
			}
		}
		b.Domains(time.Time{})
		if len(b.cases) > 1 || len(b.cases) != len(b.open) {
			t.Fatalf("%d cases, %d open", len(b.cases), len(b.open))
		}
	})
}

// A person is found in whatever part they have in a case, and only they.
func TestNaming(t *testing.T) {
	b := openBook(t, openJournal(t))
	for i, k := range []Complaint{
		{Account: "ben@b.example", Reporter: "fbl@c.example"},
		{Source: "192.0.2.0/24", Reporter: "ann@c.example", From: "ben@b.example"},
		{Source: "b.example", Recipient: "ann@c.example"},
		{Source: "b.example", Recipient: "carl@c.example"}, // the case before
	} {
		if err := b.Complain(t.Context(), fmt.Sprint("R", i), k); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Note(t.Context(), "r0", "admin", Closed, "Told dora@c.example."); err != nil {
		t.Fatal(err)
	}
	for who, want := range map[string]string{
		"ben@b.example": "[r1 r0]", "ann@c.example": "[r2 r1]", "carl@c.example": "[r2]", "fbl@c.example": "[r0]", "dora@c.example": "[]",
	} {
		if got := fmt.Sprint(b.Naming(func(s string) bool { return s == who })); got != want {
			t.Errorf("%s: %s, want %s", who, got, want)
		}
	}
}
