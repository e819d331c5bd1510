package auth

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"rempart/dns/dnstest"
	"rempart/message"
)

// The two walks that RFC 9989 prints (sections 4.10 and 5.1.8).
func TestWalkNames(t *testing.T) {
	for domain, want := range map[string]string{
		"a.b.c.d.e.f.g.h.i.j.mail.example.com": "a.b.c.d.e.f.g.h.i.j.mail.example.com g.h.i.j.mail.example.com h.i.j.mail.example.com " +
			"i.j.mail.example.com j.mail.example.com mail.example.com example.com com",
		"mail.a.b.c.d.e.f.g.example.com": "mail.a.b.c.d.e.f.g.example.com c.d.e.f.g.example.com d.e.f.g.example.com e.f.g.example.com " +
			"f.g.example.com g.example.com example.com com",
		"a.mail.example.com": "a.mail.example.com mail.example.com example.com com",
		"com":                "com",
	} {
		if got := strings.Join(walkNames(domain), " "); got != want {
			t.Errorf("%s: %s, want %s", domain, got, want)
		}
		if n := len(walkNames(domain)); n > maxWalk {
			t.Errorf("%s: %d questions", domain, n)
		}
	}
}

// policies makes a zone of DMARC records: "domain tags".
func policies(records ...string) (zone []string) {
	for _, r := range records {
		domain, tags, _ := strings.Cut(r, " ")
		zone = append(zone, txt("_dmarc."+domain, "v=DMARC1; "+tags))
	}
	return zone
}

// The examples of RFC 9989 section 4.10.2, and what they leave out.
func TestOrganisation(t *testing.T) {
	for _, tt := range []struct {
		records      []string
		domain, want string
	}{
		{[]string{"mail.example.com p=none", "example.com p=none"}, "a.mail.example.com", "example.com"},
		{[]string{"mail.example.com p=none; psd=n", "example.com p=none"}, "a.mail.example.com", "mail.example.com"},
		{[]string{"com p=reject; psd=y"}, "a.mail.example.com", "example.com"},
		{[]string{"example.com p=none; psd=y"}, "mail.example.com", "mail.example.com"},
		{[]string{"example.com p=none; psd=y"}, "example.com", "example.com"}, // the walk started there
		{nil, "a.mail.example.com", "a.mail.example.com"},
		{[]string{"example.com p=none", "example.com p=reject"}, "a.example.com", "a.example.com"},                        // two: both discarded
		{[]string{"c.d.e.f.g.h.example.com p=none; psd=n"}, "a.b.c.d.e.f.g.h.example.com", "a.b.c.d.e.f.g.h.example.com"}, // 8 labels: never asked
		{[]string{"d.e.f.g.h.example.com p=none; psd=n"}, "a.b.c.d.e.f.g.h.example.com", "d.e.f.g.h.example.com"},
	} {
		c := newChecker(t, dnstest.Serve(t, policies(tt.records...)...))
		if got := c.walk(t.Context(), tt.domain).organisation(); got != tt.want {
			t.Errorf("%s with %q: %s, want %s", tt.domain, tt.records, got, tt.want)
		}
	}
}

// What the owner asks for (RFC 9989 sections 4.7 and 4.10.1).
func TestPolicy(t *testing.T) {
	exists := `sub.a.example. 60 IN A 192.0.2.7`
	for _, tt := range []struct {
		records              []string
		from, status, policy string
	}{
		{[]string{"a.example p=reject; sp=quarantine; np=none"}, "a.example", "fail", "reject"},
		{[]string{"a.example p=reject; sp=quarantine; np=none"}, "sub.a.example", "fail", "quarantine"},
		{[]string{"a.example p=reject; sp=quarantine; np=none"}, "not.a.example", "fail", "none"},
		{[]string{"a.example p=none; np=reject"}, "sub.a.example", "fail", "none"},
		{[]string{"a.example p=none; sp=reject"}, "not.a.example", "fail", "reject"}, // np falls back on sp
		{[]string{"a.example p=quarantine"}, "not.a.example", "fail", "quarantine"},
		{[]string{"a.example p=reject; sp=none", "sub.a.example p=quarantine; sp=none"}, "sub.a.example", "fail", "quarantine"},
		{[]string{"a.example p=reject; t=y"}, "a.example", "fail", "quarantine"},
		{[]string{"a.example p=quarantine; t=y"}, "a.example", "fail", "none"},
		{[]string{"a.example p=none; t=y"}, "a.example", "fail", "none"},
		{[]string{"a.example p=reject; sp=reject; t=y"}, "sub.a.example", "fail", "quarantine"},
		{[]string{"example p=none; sp=quarantine; np=reject; psd=y"}, "sub.a.example", "fail", "quarantine"}, // the public suffix's
		{[]string{"example p=none; np=reject; psd=y"}, "not.a.example", "fail", "reject"},
		{[]string{"example p=reject; psd=y", "a.example p=none"}, "not.a.example", "fail", "none"},
		{[]string{"a.example sp=reject"}, "a.example", "permerror", ""}, // no p
		{[]string{"a.example sp=reject; rua=mailto:d@a.example"}, "a.example", "fail", "none"},
		{[]string{"a.example p=refuse; rua=nobody"}, "a.example", "permerror", ""},
		{[]string{"a.example p=reject; sp=some; rua=nobody, mailto:d@a.example"}, "a.example", "fail", "none"},
		{[]string{"a.example p=reject; unknown=1; =; pct=0; adkim=x"}, "a.example", "fail", "reject"},
		{[]string{"A.EXAMPLE P=Reject"}, "A.Example", "fail", "reject"},
		{[]string{"xn--bcher-kva.example p=reject"}, "bücher.example", "fail", "reject"},
		{nil, "a.example", "none", ""},
		{[]string{"example p=reject"}, "example", "none", ""}, // no domain of a mail
	} {
		c := newChecker(t, dnstest.Serve(t, append(policies(tt.records...), exists)...))
		m := mail(strings.Replace(plain, "ann@a.example", "ann@"+tt.from, 1))
		m.MailFrom = "x@none.example"
		c.Check(t.Context(), m)
		if a := m.Facts.Auth; a.DMARC != tt.status || a.DMARCPolicy != tt.policy {
			t.Errorf("%s with %q: %s, %q, want %s, %q", tt.from, tt.records, a.DMARC, a.DMARCPolicy, tt.status, tt.policy)
		}
	}
}

// Who is aligned (RFC 9989 section 4.4).
func TestAlignment(t *testing.T) {
	for _, tt := range []struct {
		records        []string
		from, identity string
		want           string
	}{
		{[]string{"a.example p=reject"}, "a.example", "a.example", "pass"},
		{[]string{"a.example p=reject"}, "a.example", "mail.a.example", "pass"},
		{[]string{"a.example p=reject"}, "news.a.example", "a.example", "pass"},
		{[]string{"a.example p=reject"}, "news.a.example", "mail.a.example", "pass"},
		{[]string{"a.example p=reject"}, "a.example", "nota.example", "fail"},
		{[]string{"a.example p=reject; %s=s"}, "a.example", "mail.a.example", "fail"},
		{[]string{"a.example p=reject; %s=s"}, "a.example", "a.example", "pass"},
		{[]string{"a.example p=reject", "unit.a.example p=none; psd=n"}, "a.example", "unit.a.example", "fail"},
		{[]string{"a.example p=reject", "unit.a.example p=none; psd=n"}, "mail.unit.a.example", "unit.a.example", "pass"},
		{[]string{"example p=reject; psd=y"}, "mail.a.example", "a.example", "pass"},
		{[]string{"example p=reject; psd=y"}, "mail.a.example", "b.example", "fail"},
		{[]string{"example p=reject"}, "mail.a.example", "b.example", "pass"}, // nobody says that example is a public suffix
	} {
		for _, by := range []string{"aspf", "adkim"} {
			records := slices.Clone(tt.records)
			for i := range records {
				records[i] = strings.ReplaceAll(records[i], "%s", by)
			}
			c := newChecker(t, dnstest.Serve(t, policies(records...)...))
			a := &message.Authentication{SPF: "pass", SPFDomain: tt.identity, DKIM: []message.DKIM{{Status: "fail", Domain: tt.from}}}
			if by == "adkim" {
				a = &message.Authentication{SPF: "fail", SPFDomain: tt.from, DKIM: []message.DKIM{{Status: "fail", Domain: "x.example"}, {Status: "pass", Domain: tt.identity}}}
			}
			c.dmarc(t.Context(), c.walk(t.Context(), tt.from), a)
			if a.DMARC != tt.want {
				t.Errorf("%s by %s as %s with %q: %s, want %s", tt.from, by, tt.identity, records, a.DMARC, tt.want)
			}
		}
	}
}

// What could not be asked is never a failure.
func TestDMARCWithoutAnswer(t *testing.T) {
	for _, tt := range []struct{ fails, want string }{
		{"_dmarc.a.example", "temperror"},
		{"_dmarc.example", "temperror"},        // it could be a public suffix
		{"_dmarc.mail.a.example", "temperror"}, // who passed could be aligned
		{"_dmarc.b.example", "pass"},
	} {
		z := dnstest.Serve(t, policies("a.example p=reject")...)
		z.Fail(tt.fails)
		if tt.fails == "_dmarc.a.example" {
			z = dnstest.Serve(t)
			z.Fail(tt.fails)
		}
		c := newChecker(t, z)
		a := &message.Authentication{SPF: "pass", SPFDomain: "mail.a.example"}
		c.dmarc(t.Context(), c.walk(t.Context(), "a.example"), a)
		if a.DMARC != tt.want {
			t.Errorf("%s fails: %s, want %s", tt.fails, a.DMARC, tt.want)
		}
	}
}

// A list breaks what shows the author; who only claims to be one is nobody.
func TestMailingLists(t *testing.T) {
	list := "List-Id: <l.list.example>\r\nList-Post: <mailto:l@list.example>\r\n" + plain
	zone := append(policies("a.example p=reject"), `list.example. 60 IN TXT "v=spf1 ip4:192.0.2.1 -all"`)
	for _, tt := range []struct {
		raw, mailFrom, override string
		value                   float64
	}{
		{list, "l-bounces@list.example", "mailing_list", 1},
		{list, "l-bounces@none.example", "", 3},
		{plain, "l-bounces@list.example", "", 3},
	} {
		m := mail(tt.raw)
		m.MailFrom = tt.mailFrom
		newChecker(t, dnstest.Serve(t, zone...)).Check(t.Context(), m)
		if r := DMARCFail(m); m.Facts.Auth.DMARCOverride != tt.override || r.Value != tt.value {
			t.Errorf("from %s: %q, %+v; want %q, %v", tt.mailFrom, m.Facts.Auth.DMARCOverride, fmt.Sprint(r), tt.override, tt.value)
		}
	}
}
