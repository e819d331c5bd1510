package auth

import (
	"encoding/base64"
	"fmt"
	"testing"

	msgauth "github.com/emersion/go-msgauth/dkim"

	"rempart/dns/dnstest"
	"rempart/message"
	"rempart/message/dkim"
)

// seal adds a set to a mail, as a handler with that domain would that saw those results and found the chain so far whole.
func seal(t *testing.T, raw, domain, results string) string {
	t.Helper()
	fields, body, _ := dkim.Split([]byte(raw))
	sets, err := dkim.ReadChain(fields)
	if err != nil {
		t.Fatal(err)
	}
	n, cv := len(sets)+1, "none"
	if n > 1 {
		cv = "pass"
	}
	raw = fmt.Sprintf("ARC-Authentication-Results: i=%d; mx.%s; %s\r\n", n, domain, results) + raw
	sum := dkim.Relaxed.Hash(body).Sum
	raw = signField(t, fmt.Sprintf("ARC-Message-Signature: i=%d; a=ed25519-sha256; c=relaxed/relaxed; d=%s; s=s; h=from:subject; bh=%s; b=",
		n, domain, base64.StdEncoding.EncodeToString(sum[:])), domain, raw) + raw

	head := fmt.Sprintf("ARC-Seal: i=%d; a=ed25519-sha256; cv=%s; d=%s; s=s; b=", n, cv, domain)
	set, _, _ := dkim.Split([]byte(head + "\r\n" + raw))
	sets = append(sets, dkim.Set{Seal: &set[0], Message: &set[1], Results: &set[2]})
	return head + signSum(domain, sets.Hash()) + "\r\n" + raw
}

// Mail of a.example, whose policy is reject, comes by way of others. None of them is in its SPF record.
func TestTrustedSealers(t *testing.T) {
	zone := append(zone, keyRecord("a.example"), keyRecord("list.example"), keyRecord("other.example"))
	own := sign(t, plain, msgauth.SignOptions{Domain: "a.example"})
	footer := func(s string) string { return s + "-- \r\nthe list\r\n" }
	const good = "spf=pass smtp.mailfrom=ann@a.example; dkim=pass (sig ok) header.d=a.example header.s=s; dmarc=pass header.from=a.example"

	list := seal(t, footer(own), "list.example", good)
	for name, tt := range map[string]struct {
		raw                               string
		trusted                           []string
		arc, sealer, dmarc, dmarcOverride string
		isTrusted                         bool
	}{
		"trusted":                {list, []string{"list.example"}, "pass", "list.example", "pass", "", true},
		"not trusted":            {list, nil, "pass", "list.example", "fail", "", false},
		"its parent is trusted":  {list, []string{".example"}, "pass", "list.example", "pass", "", true},
		"changed after the seal": {footer(list), []string{"list.example"}, "fail", "list.example", "fail", "", false},
		"trusted before another, who changed nothing": {seal(t, list, "other.example", "dkim=fail header.d=a.example"),
			[]string{"list.example"}, "pass", "list.example", "pass", "", true},
		"trusted before another, who changed it": {seal(t, footer(list), "other.example", good),
			[]string{"list.example"}, "pass", "other.example", "fail", "", false},
		"both trusted": {seal(t, footer(list), "other.example", "dkim=fail header.d=a.example; dmarc=fail"),
			[]string{"list.example", "other.example"}, "pass", "list.example", "pass", "", true},
		"trusted after another": {seal(t, footer(seal(t, own, "other.example", good)), "list.example", "spf=fail smtp.mailfrom=a.example; dmarc=fail header.from=a.example"),
			[]string{"list.example"}, "pass", "list.example", "fail", "local_policy", true},
		"dkim alone": {seal(t, footer(own), "list.example", "dkim=pass header.i=@a.example"),
			[]string{"list.example"}, "pass", "list.example", "pass", "", true},
		"it saw another author": {seal(t, footer(own), "list.example", "dmarc=pass header.from=b.example"),
			[]string{"list.example"}, "pass", "list.example", "fail", "local_policy", true},
		"no chain": {footer(own), []string{"list.example"}, "none", "", "fail", "", false},
	} {
		c := newChecker(t, dnstest.Serve(t, zone...))
		var err error
		if c.sealers, _, err = (Config{TrustedSealers: tt.trusted}).compile(); err != nil {
			t.Fatal(err)
		}
		m := mail(tt.raw)
		m.MailFrom = "bounces@none.example"
		c.Check(t.Context(), m)
		a := m.Facts.Auth
		if a.ARC.Status != tt.arc || a.ARC.Sealer != tt.sealer || a.ARC.Trusted != tt.isTrusted || a.DMARC != tt.dmarc || a.DMARCOverride != tt.dmarcOverride {
			t.Errorf("%s: %+v", name, a)
		}
		if (a.Here != nil) != tt.isTrusted || a.Here != nil && (a.Here.SPF == "pass" || a.Here.DMARC != "fail") {
			t.Errorf("%s: found here: %+v", name, a.Here)
		}
		if r := DMARCFail(m); (r.State == message.StatePresent) != (tt.dmarc == "fail") || tt.dmarcOverride != "" && r.Value != 1 {
			t.Errorf("%s: dmarc_fail %+v", name, r)
		}
		if r := ARCTrusted(m); (r.State == message.StatePresent) != tt.isTrusted {
			t.Errorf("%s: arc_trusted %+v", name, r)
		}
		if r := ARCBroken(m); (r.State == message.StatePresent) != (tt.arc == "fail") {
			t.Errorf("%s: arc_broken %+v", name, r)
		}
	}
}

func TestOldestPass(t *testing.T) {
	c := newChecker(t, dnstest.Serve(t, keyRecord("list.example")))
	raw := seal(t, plain, "list.example", "none")
	raw = seal(t, raw, "list.example", "none")
	raw = seal(t, raw+"footer\r\n", "list.example", "none")
	raw = seal(t, raw, "list.example", "none")
	_, arc, _ := c.signatures(t.Context(), mail(raw))
	if arc.Status != "pass" || arc.OldestPass != 3 {
		t.Errorf("%+v, want unchanged since 3", arc)
	}
}

// Without keys in time nothing is broken, only not known.
func TestSealsWithoutAnswer(t *testing.T) {
	z := dnstest.Serve(t)
	z.Fail("s._domainkey.list.example")
	m := mail(seal(t, plain, "list.example", "none"))
	newChecker(t, z).Check(t.Context(), m)
	if r := ARCBroken(m); r.State != message.StateUnknown {
		t.Errorf("%+v, %+v", r, m.Facts.Auth)
	}
}

func TestReadResults(t *testing.T) {
	for value, want := range map[string]string{
		"spf=pass smtp.mailfrom=ann@a.example; dkim=pass header.d=A.example; dmarc=fail header.from=a.example": "pass a.example [{pass a.example }] fail a.example",
		`spf = pass reason="x; y" smtp.mfrom=a.example`:                                                        "pass a.example []  ",
		"dkim=pass (2048-bit; key) header.i=@a.example header.s=s;dkim=fail header.d=b.example":                "  [{pass a.example s} {fail b.example }]  ",
		"spf/1=softfail (a (nested) comment) smtp.helo=mx.a.example":                                           "softfail mx.a.example []  ",
		`spf=pass smtp.mailfrom="odd \"name"@a.example`:                                                        "pass a.example []  ",
		"none":                "  []  ",
		"SPF=Pass; spf=fail":  "pass  []  ",
		"dkim=pass header.d=": "  [{pass  }]  ",
		"; ;;=; (":            "  []  ",
	} {
		s := readResults(value)
		if got := fmt.Sprint(s.spf, " ", s.spfDomain, " ", s.dkim, " ", s.dmarc, " ", s.dmarcFrom); got != want {
			t.Errorf("%s: %q, want %q", value, got, want)
		}
	}
}

// Results are anybody's bytes: they are read within bounds.
func FuzzReadResults(f *testing.F) {
	f.Add("spf=pass smtp.mailfrom=ann@a.example; dkim=pass header.d=a.example; dmarc=fail header.from=a.example")
	f.Add(`dkim = pass (x) reason="\"`)
	f.Fuzz(func(t *testing.T, value string) {
		if s := readResults(value); len(s.dkim) > dkim.MaxSignatures {
			t.Fatalf("%d results", len(s.dkim))
		}
	})
}
