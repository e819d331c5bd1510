package aggregate

import (
	"net/mail"
	"strings"
	"testing"
	"time"

	"rempart/nexthop"
)

func TestConfig(t *testing.T) {
	for _, c := range []Config{{From: "nobody"}, {From: "dmarc@[192.0.2.1]"}, {From: "dmärc@b.example"}, {From: `"a b"@b.example`}, {From: "dmarc@b..example"},
		{Send: true}, {Exclude: []string{""}}, {Exclude: []string{"d@a.example"}}, {Exclude: []string{"."}}, {Exclude: []string{"a..example"}}, {Exclude: []string{"a,b"}}} {
		if c.Check() == nil {
			t.Errorf("%+v", c)
		}
	}
	if err := (Config{From: "Zoë <dmarc@bücher.example>", Send: true, Exclude: []string{"a.example", "Bücher.example", "a.example."}}).Check(); err != nil {
		t.Error(err)
	}
}

// Domains are compared as DNS has them, however they are written.
func TestDomainsAsWritten(t *testing.T) {
	c := Config{From: "Reports <dmarc@bücher.example>", Exclude: []string{"bücher.example", "A.example."}}
	for domain, want := range map[string]bool{"xn--bcher-kva.example": true, "x.xn--bcher-kva.example": true, "a.example": true, "sub.a.example": true, "ba.example": false, "example": false} {
		if c.excludes(domain) != want {
			t.Errorf("%s: %v", domain, !want)
		}
	}
	for address, want := range map[string]bool{"DMARC@Bücher.example": true, "dmarc@xn--bcher-kva.example": true, "dmarc@bucher.example": false, "dmarc": false, "": false} {
		if c.Sends(address) != want {
			t.Errorf("%s: %v", address, !want)
		}
	}
	if (&Config{}).Sends("") {
		t.Error("nobody sends")
	}
}

// An author at an internationalised domain has its A-labels in the envelope, the fields and the name of the file; names of reports are
// found by either.
func TestInternationalAuthor(t *testing.T) {
	r := newRig(t)
	r.Reconfigure(Config{From: "Reports <dmarc@bücher.example>", Send: true}, r.hop.Addr().String(), nexthop.Access{})
	r.count("xn--bcher-kva.example", "mailto:d@a.example")
	if a, err := r.Report(t.Context(), "BÜCHER.example", time.Time{}); err != nil || a.Email != "dmarc@xn--bcher-kva.example" || a.Organisation != "xn--bcher-kva.example" {
		t.Errorf("%+v %v", a, err)
	}
	r.nextDay()
	r.send()
	if len(r.hop.mails) != 1 {
		t.Fatalf("%d mails", len(r.hop.mails))
	}
	envelope, raw, _ := strings.Cut(r.hop.mails[0], "\n")
	m, err := mail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	if strings.ContainsFunc(r.hop.mails[0], func(c rune) bool { return c >= 0x80 }) || envelope != "dmarc@xn--bcher-kva.example d@a.example" ||
		m.Header.Get("From") != `"Reports" <dmarc@xn--bcher-kva.example>` || !strings.Contains(raw, `filename="xn--bcher-kva.example!xn--bcher-kva.example!`) {
		t.Errorf("%s", r.hop.mails[0])
	}
}
