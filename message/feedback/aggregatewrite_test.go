package feedback

import (
	"bytes"
	"net/mail"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rempart/message/email"
)

var aggregates = rapid.Custom(func(t *rapid.T) Aggregate {
	name := rapid.StringMatching(`[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?\.example`)
	text := rapid.StringMatching(`[a-zA-Z<>&"'éя字]{1,60}`)
	one := func(label string, of ...string) string { return rapid.SampledFrom(of).Draw(t, label) }
	begin := time.Unix(rapid.Int64Range(1e9, 4e9).Draw(t, "begin"), 0).UTC()
	policies := []string{"none", "quarantine", "reject"}
	a := Aggregate{Organisation: text.Draw(t, "organisation"), Email: "dmarc@b.example", Contact: text.Draw(t, "contact"), Generator: "Rempart 1.0",
		ID: rapid.StringMatching(`[A-Za-z0-9]{1,40}`).Draw(t, "id"), Begin: begin, End: begin.Add(24*time.Hour - time.Second), Errors: []string{},
		Policy: Policy{Domain: name.Draw(t, "domain"), Discovery: "treewalk", P: one("p", policies...), SP: one("sp", policies...), NP: one("np", policies...),
			FO: one("fo", "0", "1:d:s"), ADKIM: one("adkim", "r", "s"), ASPF: one("aspf", "r", "s"), Testing: one("testing", "n", "y")}}
	for range rapid.IntRange(1, 20).Draw(t, "rows") {
		r := Row{Source: source(t), Count: rapid.Uint64Range(1, 1<<32-1).Draw(t, "count"), Disposition: one("disposition", "none", "pass", "quarantine", "reject"),
			DKIM: one("dkim", "pass", "fail"), SPF: one("spf", "pass", "fail"), HeaderFrom: name.Draw(t, "from"),
			EnvelopeFrom: one("envelope from", "", name.Draw(t, "bounces")), EnvelopeTo: name.Draw(t, "to"),
			SPFResults: []Result{{Domain: name.Draw(t, "spf domain"), Scope: "mfrom", Result: one("spf result", "pass", "softfail", "temperror", "none")}}}
		for range rapid.IntRange(0, 3).Draw(t, "signatures") {
			r.DKIMResults = append(r.DKIMResults, Result{Domain: name.Draw(t, "d"), Selector: text.Draw(t, "s"), Result: one("dkim result", "pass", "fail", "neutral")})
		}
		if rapid.Bool().Draw(t, "overridden") {
			r.Reasons = []Reason{{one("reason", "local_policy", "mailing_list", "policy_test_mode", "trusted_forwarder", "other"), text.Draw(t, "comment")}}
		}
		a.Rows = append(a.Rows, r)
	}
	return a
})

func source(t *rapid.T) netip.Addr {
	if rapid.Bool().Draw(t, "IPv6") {
		a := netip.AddrFrom16([16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "source")))
		if !a.Is4In6() {
			return a
		}
	}
	return netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "source")))
}

// What we write, we read: as a file and as a mail.
func TestAggregateIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := aggregates.Draw(t, "report")
		text, err := a.XML()
		if err != nil {
			t.Fatal(err)
		}
		raw, err := a.Mail(&mail.Address{Name: "Zoë", Address: "dmarc@b.example"}, []string{"d@a.example", "r@c.example"}, "A report about Zoë.\n", a.End)
		if err != nil {
			t.Fatal(err)
		}
		file, err := ReadFile(text)
		if err != nil || len(file.Aggregates) != 1 || !reflect.DeepEqual(file.Aggregates[0], a) {
			t.Fatalf("%v\n got %+v\nwant %+v\n%s", err, file.Aggregates, a, text)
		}
		mailed, err := Read(raw)
		if err != nil || !reflect.DeepEqual(mailed, file) {
			t.Fatalf("%v\n%s", err, raw)
		}
	})
}

// RFC 9990 section 3.5.2: names and the Subject; the file is the same each time.
func TestAggregateMail(t *testing.T) {
	begin := time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)
	a := Aggregate{Organisation: "B", Email: "dmarc@b.example", ID: "20261128mx1", Begin: begin, End: begin.Add(24*time.Hour - time.Second),
		Policy: Policy{Domain: "a.example", P: "none"}, Rows: []Row{{Source: netip.MustParseAddr("192.0.2.1"), Count: 1}}}
	raw, err := a.Mail(&mail.Address{Address: "dmarc@b.example"}, []string{"d@a.example", "r@c.example"}, "A report.\n", begin)
	if err != nil {
		t.Fatal(err)
	}
	m := email.ParseBytes(raw)
	parts := email.Parts(raw)
	for _, tt := range [][2]string{
		{m.Subject, "Report Domain: a.example Submitter: b.example Report-ID: <20261128mx1>"}, {m.MessageID, "20261128mx1@b.example"},
		{m.To[1].String(), "r@c.example"}, {strings.TrimSpace(m.Text), "A report."},
		{parts[len(parts)-1].Name, "b.example!a.example!1795824000!1795910399!20261128mx1.xml.gz"}, {parts[len(parts)-1].Media, "application/gzip"},
	} {
		if tt[0] != tt[1] {
			t.Errorf("%q, want %q", tt[0], tt[1])
		}
	}
	for line := range bytes.Lines(raw) {
		if !bytes.HasSuffix(line, []byte("\r\n")) || len(line) > 100 {
			t.Errorf("%q", line)
		}
	}
	again, err := a.Mail(&mail.Address{Address: "dmarc@b.example"}, []string{"d@a.example"}, "A report.\n", begin.Add(time.Hour))
	if err != nil || email.Parts(again)[len(parts)-1].Body != parts[len(parts)-1].Body {
		t.Errorf("the file is another: %v", err)
	}
}
