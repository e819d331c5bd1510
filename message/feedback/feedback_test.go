package feedback

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func file(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func read(t *testing.T, name string) Found {
	t.Helper()
	var found Found
	var err error
	if strings.HasSuffix(name, ".eml") {
		found, err = Read(file(t, name))
	} else {
		found, err = ReadFile(file(t, name))
	}
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return found
}

func TestComplaints(t *testing.T) {
	source := netip.MustParseAddr
	for name, want := range map[string]Complaint{
		"yahoo.eml": {Type: "abuse", UserAgent: "Yahoo!-Mail-Feedback/2.0", Reporter: "feedback@arf.mail.yahoo.example", Incidents: 1,
			MailFrom: "bounce-17@news.shop.example", Recipients: []string{"someone@yahoo.example"}, Arrived: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC),
			Domains: []string{"shop.example"}, From: "news@shop.example", Subject: "Spring offers – today", MessageID: "20260302.17@shop.example"},
		"microsoft.eml": {Type: "abuse", Reporter: "staff@hotmail.example", Incidents: 1, Source: source("192.0.2.10"), Recipients: []string{"someone@hotmail.example"},
			From: "news@shop.example", Subject: "Spring offers", MessageID: "20260302.18@shop.example"},
		"failure.eml": {Type: "auth-failure", UserAgent: "SomeGenerator/1.0", Reporter: "arf-failure@receiver.example", MTA: "mx.receiver.example",
			Source: source("203.0.113.9"), Incidents: 12, MailFrom: "a@forger.example", Arrived: time.Date(2026, 3, 2, 8, 30, 0, 0, time.UTC),
			Domains: []string{"shop.example"}, URIs: []string{"http://forger.example/pay", "mailto:pay@forger.example"},
			Failure: &Failure{Auth: "dmarc", Delivery: "reject", Domain: "forger.example", Selector: "s9", Aligned: "none"},
			From:    "billing@shop.example", Subject: "your invoice", MessageID: "forged@forger.example"},
	} {
		got := *read(t, name).Complaint
		if len(got.Original) == 0 || !bytes.Contains(got.Original, []byte("Subject: ")) {
			t.Errorf("%s: original %q", name, got.Original)
		}
		got.Original = nil
		if got.Arrived = got.Arrived.UTC(); !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", name, got, want)
		}
	}
}

func TestAggregates(t *testing.T) {
	for _, tt := range []struct {
		file, organisation, id, p string
		rows                      int
		mails, passed             uint64
	}{
		{"google.xml", "google.example", "4821963508811223344", "quarantine", 2, 123, 120},
		{"dmarc.eml", "google.example", "4821963508811223344", "quarantine", 2, 123, 120},
		{"microsoft.xml", "Enterprise Outlook", "0f3d2c1b4a59687746352413021f0e0d", "quarantine", 1, 2, 0},
		{"yahoo.xml", "Yahoo", "1772411111.222222", "quarantine", 1, 44, 44},
		{"rfc9990.xml", "Receiver", "3v98abbp8ya9n3va8yr8oa3ya", "quarantine", 1, 123, 123},
	} {
		a := read(t, tt.file).Aggregates[0]
		var mails, passed uint64
		for i := range a.Rows {
			mails += a.Rows[i].Count
			if a.Rows[i].Pass() {
				passed += a.Rows[i].Count
			}
		}
		if a.Organisation != tt.organisation || a.ID != tt.id || a.Policy.Domain != "shop.example" || a.Policy.P != tt.p || len(a.Rows) != tt.rows ||
			mails != tt.mails || passed != tt.passed || !a.Begin.Equal(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)) {
			t.Errorf("%s: %d mails, %d passed, %+v", tt.file, mails, passed, a)
		}
	}
	row := read(t, "google.xml").Aggregates[0].Rows[1]
	want := Row{Source: netip.MustParseAddr("2001:db8::25"), Count: 3, Disposition: "none", DKIM: "fail", SPF: "fail", HeaderFrom: "shop.example",
		Reasons: []Reason{{"local_policy", "arc=pass"}}, SPFResults: []Result{{Domain: "list.example", Result: "pass"}}}
	if !reflect.DeepEqual(row, want) {
		t.Errorf("%+v", row)
	}
	if p := read(t, "rfc9990.xml").Aggregates[0]; p.Policy.Discovery != "treewalk" || p.Policy.Testing != "n" || p.Policy.NP != "none" || len(p.Errors) != 1 {
		t.Errorf("%+v", p)
	}
}

func TestTLS(t *testing.T) {
	for _, name := range []string{"tls.json", "tls.eml"} {
		got := read(t, name).TLS[0]
		p := got.Policies[0]
		if got.Organisation != "Google Inc." || p.Type != "sts" || p.Domain != "shop.example" || p.Sessions != 5326 || p.Failed != 303 || len(p.Failures) != 2 ||
			p.Failures[1] != (TLSFailure{"starttls-not-supported", "mx2.shop.example", 203, "X509_V_ERR"}) || !got.End.Equal(time.Date(2026, 3, 1, 23, 59, 59, 0, time.UTC)) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func gzipped(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(b)
	_ = w.Close()
	return out.Bytes()
}

func zipped(files ...[]byte) []byte {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for range files {
		w, _ := z.Create("report.xml")
		_, _ = w.Write(files[0])
		files = files[1:]
	}
	_ = z.Close()
	return out.Bytes()
}

// What is made to burst is refused at its cap, without having been unpacked whole.
func TestHostile(t *testing.T) {
	google := string(file(t, "google.xml"))
	bomb := bytes.Repeat([]byte{' '}, 64<<20)
	entities := `<?xml version="1.0"?><!DOCTYPE feedback [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>` + strings.Replace(google, "google.example", "&b;", 1)[len(`<?xml version="1.0" encoding="UTF-8" ?>`):]
	outside := strings.Replace(google, "<feedback>", `<!DOCTYPE feedback SYSTEM "file:///etc/passwd"><feedback>`, 1)
	inside := strings.Replace(google, "<record>", `<record><!DOCTYPE x [<!ENTITY a "a">]>`, 1)
	record := google[strings.Index(google, "<record>"):strings.Index(google, "</record>")] + "</record>"
	for name, tt := range map[string]struct {
		file []byte
		want error
	}{
		"gzip bomb":                    {gzipped(bomb), ErrTooLarge},
		"zip bomb":                     {zipped(bomb), ErrTooLarge},
		"bomb in several files":        {zipped(bomb[:9<<20], bomb[:9<<20]), ErrTooLarge},
		"many files":                   {zipped(make([][]byte, maxFiles+1)...), ErrTooLarge},
		"large file":                   {bomb[:maxPacked+1], ErrTooLarge},
		"entities":                     {[]byte(entities), ErrForm},
		"external entity":              {[]byte(outside), ErrForm},
		"document type inside":         {[]byte(inside), ErrForm},
		"unknown entity":               {[]byte(strings.Replace(google, "google.example", "&lol;", 1)), ErrForm},
		"deep":                         {[]byte("<feedback>" + strings.Repeat("<a>", 100_000)), ErrTooLarge},
		"record without end":           {[]byte("<feedback><record>" + strings.Repeat("<auth_results/>", 100_000)), ErrTooLarge},
		"many attributes":              {[]byte("<feedback><record " + strings.Repeat(`a="" `, 100_000) + ">"), ErrTooLarge},
		"many rows":                    {[]byte(strings.Replace(google, record, strings.Repeat(record, maxRows+1), 1)), ErrTooLarge},
		"cut off":                      {[]byte(google[:len(google)/2]), ErrForm},
		"cut gzip":                     {gzipped([]byte(google))[:200], ErrForm},
		"cut zip":                      {zipped([]byte(google))[:200], ErrForm},
		"negative count":               {[]byte(strings.Replace(google, "<count>120", "<count>-1", 1)), ErrForm},
		"no address":                   {[]byte(strings.Replace(google, "192.0.2.10", "shop", 1)), ErrForm},
		"no domain":                    {[]byte("<feedback></feedback>"), ErrForm},
		"another document":             {[]byte("<html><body>x</body></html>"), ErrNone},
		"large JSON":                   {append([]byte(`{"policies":[`), bomb[:maxJSON]...), ErrTooLarge},
		"deep JSON":                    {[]byte(`{"policies":` + strings.Repeat("[", 100_000)), ErrForm},
		"another JSON":                 {[]byte(`{"a":1}`), ErrNone},
		"empty":                        {nil, ErrNone},
		"an archive inside an archive": {gzipped(gzipped([]byte(google))), ErrNone},
	} {
		if found, err := ReadFile(tt.file); !errors.Is(err, tt.want) {
			t.Errorf("%s: %+v, %v", name, found, err)
		}
	}
	if _, err := Read([]byte("Subject: complaint about message from nowhere\nContent-Type: message/rfc822\n\nSubject: x\n\n")); err != ErrNone {
		t.Errorf("no address in the subject: %v", err)
	}
}

// What we write, we read.
func TestComposeIsRead(t *testing.T) {
	name := rapid.StringMatching(`[a-z][a-z0-9]{0,12}`)
	address := rapid.Custom(func(t *rapid.T) string { return name.Draw(t, "local") + "@" + name.Draw(t, "domain") + ".example" })
	rapid.Check(t, func(t *rapid.T) {
		c := Complaint{Type: rapid.SampledFrom([]string{"abuse", "fraud", "virus", "not-spam", "other"}).Draw(t, "type"), UserAgent: "Rempart",
			Reporter: address.Draw(t, "reporter"), MTA: "mx.b.example", Incidents: uint64(rapid.IntRange(1, 1000).Draw(t, "incidents")),
			Source: netip.AddrFrom4([4]byte{192, 0, 2, rapid.Byte().Draw(t, "source")}), MailFrom: address.Draw(t, "mail from"),
			Recipients: rapid.SliceOfN(address, 1, 5).Draw(t, "recipients"), Domains: []string{name.Draw(t, "domain") + ".example"}, URIs: []string{"http://a.example/"},
			Arrived: time.Unix(int64(rapid.IntRange(1e9, 2e9).Draw(t, "arrived")), 0).UTC(), From: "a@b.example", Subject: "ü", MessageID: "1@b.example"}
		body := rapid.SampledFrom([]string{"", "\n", "\nbody\n", "\n--x\nContent-Type: message/feedback-report\n\nFeedback-Type: virus\n"}).Draw(t, "body")
		c.Original = []byte("From: a@b.example\nSubject: =?utf-8?q?=C3=BC?=\nMessage-ID: <1@b.example>\n" + body)
		found, err := Read(c.Compose(c.Reporter, "abuse@b.example", "Complaint", "Somebody complained.\n", c.Arrived))
		if err != nil || found.Complaint == nil {
			t.Fatal(err)
		}
		got := *found.Complaint
		got.Arrived, got.Original, c.Original = got.Arrived.UTC(), nil, nil
		if !reflect.DeepEqual(got, c) {
			t.Fatalf("\n got %+v\nwant %+v", got, c)
		}
	})
}

func FuzzRead(f *testing.F) {
	names, _ := filepath.Glob("testdata/*.*")
	for _, name := range names {
		f.Add(file(f, filepath.Base(name)))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, read := range []func([]byte) (Found, error){Read, ReadFile} {
			found, err := read(b)
			if err == nil && found.Empty() {
				t.Fatal("neither a report nor an error")
			}
			for _, a := range found.Aggregates {
				if len(a.Rows) > maxRows || len(a.ID) > maxText || a.Policy.Domain == "" {
					t.Fatalf("%+v", a)
				}
			}
			if c := found.Complaint; c != nil && (c.Incidents == 0 || len(c.Recipients) > maxList || len(c.Subject) > maxText) {
				t.Fatalf("%+v", c)
			}
		}
	})
}
