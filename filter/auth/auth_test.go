package auth

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	msgauth "github.com/emersion/go-msgauth/dkim"

	"rempart/dns"
	"rempart/dns/dnstest"
	"rempart/message"
	"rempart/message/email"
)

func newChecker(t testing.TB, z *dnstest.Zone, lists ...List) *Checker {
	t.Helper()
	r, err := dns.New(dns.Config{Servers: []string{z.Addr}})
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(r, lists, Config{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func mail(raw string) *message.Message {
	m := email.ParseBytes([]byte(raw))
	m.Direction = message.In
	m.Source.Address = netip.MustParseAddr("192.0.2.1")
	m.Helo, m.MailFrom = "mx.a.example", "ann@a.example"
	return m
}

const plain = "From: Ann <ann@a.example>\r\nTo: ben@b.example\r\nSubject: notes\r\n\r\nHere they are.\r\n"

var zone = []string{
	`a.example. 60 IN TXT "v=spf1 ip4:192.0.2.1 -all"`,
	`_dmarc.a.example. 60 IN TXT "v=DMARC1; p=reject; np=quarantine"`,
	`1.2.0.192.in-addr.arpa. 60 IN PTR mx.a.example.`,
	`mx.a.example. 60 IN A 192.0.2.1`,
	`9.2.0.192.in-addr.arpa. 60 IN PTR mx.a.example.`,
	`soft.example. 60 IN TXT "v=spf1 ~all"`,
	`sub.a.example. 60 IN A 192.0.2.7`,
	`2.0.0.127.bl.example. 60 IN A 127.0.0.2`,
	`9.2.0.192.bl.example. 60 IN A 127.0.0.2`,
	`9.2.0.192.refusing.example. 60 IN A 127.255.255.254`,
	`bad.example.uri.example. 60 IN A 127.0.0.4`,
}

func TestSPFAndReverse(t *testing.T) {
	c := newChecker(t, dnstest.Serve(t, zone...))
	for _, tt := range []struct {
		source, from, spf, iprev, dmarc string
	}{
		{"192.0.2.1", "ann@a.example", "pass", "pass", "pass"},
		{"192.0.2.9", "ann@a.example", "fail", "fail", "fail"}, // its name does not lead back
		{"192.0.2.1", "x@soft.example", "softfail", "pass", "fail"},
		{"192.0.2.1", "x@none.example", "none", "pass", "fail"},
		{"2001:db8::1", "", "none", "fail", "fail"}, // a bounce: HELO has no record
	} {
		m := mail(plain)
		m.Source.Address, m.MailFrom = netip.MustParseAddr(tt.source), tt.from
		c.Check(t.Context(), m)
		if a := m.Facts.Auth; a.SPF != tt.spf || a.IPRev != tt.iprev || a.DMARC != tt.dmarc || a.DMARCPolicy != "reject" {
			t.Errorf("%s from %q: %+v, want spf %s, iprev %s, dmarc %s", tt.source, tt.from, a, tt.spf, tt.iprev, tt.dmarc)
		}
	}
}

func TestDMARCPolicyOfSubdomains(t *testing.T) {
	c := newChecker(t, dnstest.Serve(t, zone...))
	for from, policy := range map[string]string{
		"a.example":      "reject",
		"sub.a.example":  "reject",     // exists
		"none.a.example": "quarantine", // does not: np
		"b.example":      "",
	} {
		m := mail(strings.Replace(plain, "ann@a.example", "ann@"+from, 1))
		m.MailFrom = "x@none.example"
		c.Check(t.Context(), m)
		if got := m.Facts.Auth.DMARCPolicy; got != policy {
			t.Errorf("%s: policy %q, want %q", from, got, policy)
		}
	}
}

func TestRecordsAndOrganisation(t *testing.T) {
	if parseRecords([]string{"v=DMARC1; p=reject", "v=DMARC1; p=none"}) != nil {
		t.Error("one of two records was taken (RFC 9989 section 4.10.1)")
	}
	if r := parseRecords([]string{"v=spf1 -all", " v=DMARC1;p=QUARANTINE ;aspf=s; sp=reject"}); r == nil || r.policy != "quarantine" || !r.strictSPF || r.subdomains != "reject" {
		t.Errorf("%+v", r)
	}
	w := treeWalk{start: "mail.bank.gov.example", order: []string{"bank.gov.example", "gov.example"}, records: map[string]*record{"bank.gov.example": {psd: "u"}, "gov.example": {psd: "y"}}}
	if got := w.organisation(); got != "bank.gov.example" {
		t.Errorf("below a public suffix: %q", got)
	}
}

func TestDKIM(t *testing.T) {
	good := sign(t, plain, msgauth.SignOptions{Domain: "a.example"})
	c := newChecker(t, dnstest.Serve(t, append(zone, keyRecord("a.example"))...))
	for _, tt := range []struct {
		raw, status, dmarc string
	}{
		{good, "pass", "pass"},
		{strings.Replace(good, "Here they are", "Here they were", 1), "fail", "fail"},
		{strings.Replace(good, "s=s;", "s=other;", 1), "permerror", "fail"},
	} {
		m := mail(tt.raw)
		m.MailFrom = "list@none.example" // forwarded: SPF does not help
		c.Check(t.Context(), m)
		a := m.Facts.Auth
		if len(a.DKIM) != 1 || a.DKIM[0].Status != tt.status || a.DMARC != tt.dmarc {
			t.Errorf("%+v, want %s and dmarc %s", a, tt.status, tt.dmarc)
		}
	}
}

func TestLists(t *testing.T) {
	c := newChecker(t, dnstest.Serve(t, zone...), List{Zone: "bl.example"}, List{Zone: "refusing.example"},
		List{Name: "links", Zone: "uri.example", Kind: "domain"})
	m := mail("From: a@a.example\r\n\r\nsee http://www.bad.example/x\r\n")
	m.Source.Address = netip.MustParseAddr("192.0.2.9")
	c.Check(t.Context(), m)
	state := map[string]message.State{}
	for _, l := range m.Facts.Listings {
		state[l.List+" "+l.Name] = l.State
	}
	want := map[string]message.State{"bl.example 192.0.2.9": message.StatePresent, "refusing.example 192.0.2.9": message.StateUnknown,
		"links bad.example": message.StatePresent, "links a.example": message.StateAbsent}
	for k, v := range want {
		if state[k] != v {
			t.Errorf("%s: %v, want %v (all: %v)", k, state[k], v, state)
		}
	}
	if off := c.Refusing(); len(off) != 1 || off[0] != "refusing.example" {
		t.Errorf("switched off: %v", off)
	}
	if r := Listed(m); r.State != message.StatePresent || r.Value != 2 {
		t.Errorf("listed: %+v", r)
	}
}

// A resolver that does not answer is unknown, never a failure.
func TestNoAnswerIsUnknown(t *testing.T) {
	z := dnstest.Hold(t, zone...)
	defer z.Release()
	c := newChecker(t, z, List{Zone: "bl.example"})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	m := mail(plain)
	c.Check(ctx, m)
	for name, read := range map[string]func(*message.Message) message.Result{
		"spf_fail": SPFFail, "dmarc_fail": DMARCFail, "reverse_missing": ReverseMissing, "listed": Listed,
	} {
		if r := read(m); r.State != message.StateUnknown {
			t.Errorf("%s: %v, want unknown (%+v)", name, r.State, m.Facts.Auth)
		}
	}
}

func TestOwnMailIsNotAsked(t *testing.T) {
	z := dnstest.Serve(t, zone...)
	c := newChecker(t, z)
	m := mail(plain)
	m.Direction = message.Out
	c.Check(t.Context(), m)
	if n := z.Asked.Load(); n != 0 {
		t.Errorf("%d questions about our own mail", n)
	}
}

func TestReversed(t *testing.T) {
	for a, want := range map[string]string{
		"192.0.2.1":        "1.2.0.192",
		"::ffff:192.0.2.1": "1.2.0.192",
		"2001:db8::1":      "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2",
	} {
		if got := reversed(netip.MustParseAddr(a)); got != want {
			t.Errorf("%s: %s, want %s", a, got, want)
		}
	}
}

// A record from the DNS is anybody's bytes: what is read of it is one of the policies there are.
func FuzzParseRecords(f *testing.F) {
	f.Add("v=DMARC1; p=reject; sp=none; np=quarantine; adkim=s; psd=y")
	f.Add("v=DMARC1;;p==;p")
	f.Fuzz(func(t *testing.T, text string) {
		r := parseRecords([]string{text})
		if r == nil {
			return
		}
		for _, policy := range []string{r.policy, r.subdomains, r.missing} {
			if policy != "" && policy != "none" && policy != "quarantine" && policy != "reject" {
				t.Fatalf("policy %q", policy)
			}
		}
	})
}

// A list that does not answer is switched off after a few questions, while the others are asked as before.
func TestSilentList(t *testing.T) {
	z := dnstest.Serve(t, append(zone, "2.0.0.10.bl.example. 60 IN A 127.0.0.2")...)
	c := newChecker(t, z, List{Zone: "bl.example"}, List{Zone: "silent.example"})
	ask := func(i int) *message.Message {
		m := mail("From: a@a.example\r\n\r\nhello\r\n")
		m.Source.Address = netip.AddrFrom4([4]byte{10, 0, 0, byte(i)})
		z.Fail(fmt.Sprintf("%d.0.0.10.silent.example.", i))
		c.Check(t.Context(), m)
		return m
	}
	for range 3 * maxUnanswered { // one question that fails, whoever waits for it
		ask(200)
	}
	for i := range maxUnanswered - 1 {
		if off := c.Silent(); len(off) != 0 {
			t.Fatalf("switched off after %d questions: %v", i, off)
		}
		ask(i + 1)
	}
	if off := c.Silent(); len(off) != 1 || off[0] != "silent.example" {
		t.Fatalf("switched off: %v", off)
	}
	before := z.Asked.Load()
	ask(100)
	with := z.Asked.Load() - before
	c.lists[1].offUntil.Store(0) // half a minute later
	before = z.Asked.Load()
	ask(101)
	if again := z.Asked.Load() - before; again != with+1 {
		t.Errorf("%d questions while it is off, %d when its time is over", with, again)
	}
	before = z.Asked.Load()
	if m := ask(102); z.Asked.Load()-before != with || !slices.ContainsFunc(m.Facts.Listings, func(l message.Listing) bool {
		return l.List == "silent.example" && l.State == message.StateUnknown
	}) {
		t.Errorf("it was asked again at once: %+v", m.Facts.Listings)
	}
}

// BenchmarkCheck finds out about a mail of whom DNS knows everything and the resolver remembers it.
func BenchmarkCheck(b *testing.B) {
	c := newChecker(b, dnstest.Serve(b, append(zone, policies("b.example p=reject; rua=mailto:d@b.example", "example p=none; psd=y")...)...))
	m := mail(strings.Replace(plain, "ann@a.example", "ann@b.example", 1))
	m.MailFrom = "bounces@mail.b.example"
	c.Check(b.Context(), m)
	b.ReportAllocs()
	for b.Loop() {
		c.Check(b.Context(), m)
	}
}
