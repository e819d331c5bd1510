package auth

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"testing"

	"github.com/emersion/go-msgauth/dkim"

	"rempart/dns/dnstest"
	"rempart/message"
)

// seal adds a set to a mail, as a handler with that domain would that saw those results and found the chain so far whole.
func seal(t *testing.T, raw, domain, results string) string {
	t.Helper()
	fields, body, _ := split([]byte(raw))
	before, err := readChain(fields)
	if err != nil {
		t.Fatal(err)
	}
	n, cv := len(before)+1, "none"
	if n > 1 {
		cv = "pass"
	}
	raw = fmt.Sprintf("ARC-Authentication-Results: i=%d; mx.%s; %s\r\n", n, domain, results) + raw
	sum := relaxed.hash(body).sum
	raw = signField(t, fmt.Sprintf("ARC-Message-Signature: i=%d; a=ed25519-sha256; c=relaxed/relaxed; d=%s; s=s; h=from:subject; bh=%s; b=",
		n, domain, base64.StdEncoding.EncodeToString(sum[:])), domain, raw) + raw

	head := fmt.Sprintf("ARC-Seal: i=%d; a=ed25519-sha256; cv=%s; d=%s; s=s; b=", n, cv, domain)
	h, set := sha256.New(), fieldsOf(raw)
	for _, s := range before {
		for _, f := range []*field{s.results, s.message, s.seal} {
			h.Write(relaxed.appendField(nil, *f))
		}
	}
	h.Write(relaxed.appendField(nil, set[1]))
	h.Write(relaxed.appendField(nil, set[0]))
	h.Write(bytes.TrimSuffix(relaxed.appendField(nil, fieldsOf(head + "\r\n\r\n")[0]), []byte("\r\n")))
	return head + signSum(domain, h.Sum(nil)) + "\r\n" + raw
}

func fieldsOf(raw string) []field {
	fields, _, _ := split([]byte(raw))
	return fields
}

// Mail of a.example, whose policy is reject, comes by way of others. None of them is in its SPF record.
func TestTrustedSealers(t *testing.T) {
	zone := append(zone, keyRecord("a.example"), keyRecord("list.example"), keyRecord("other.example"))
	own := sign(t, plain, dkim.SignOptions{Domain: "a.example"})
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

// What a header says of chains and results is anybody's bytes: it is read within bounds, and no chain without a key passes.
func FuzzChain(f *testing.F) {
	f.Add([]byte("ARC-Seal: i=1; a=rsa-sha256; cv=none; d=a.example; s=s; b=AA==\r\nARC-Message-Signature: i=1; a=rsa-sha256; h=from; d=a.example; s=s; bh=AA==; b=AA==\r\n" +
		"ARC-Authentication-Results: i=1; mx.a.example; spf=pass\r\nFrom: a@a.example\r\n\r\nx\r\n"))
	f.Add([]byte("From x\nDKIM-Signature: v=1; a=ed25519-sha256; l=0; h=from:from; d=a.example; s=s; b=\n AA==; bh=AA==\nFrom : a\n\tb\n\n"))
	f.Add([]byte(`ARC-Authentication-Results: i=50; a; dkim = pass (x) reason="\"` + "\r\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		fields, body, ok := split(raw)
		v := newVerifier(fields, body, map[string]found{}, ok)
		noKey := found{err: permerror("no key")}
		sets, err := readChain(fields)
		if len(sets) > maxInstances {
			t.Fatalf("%d sets", len(sets))
		}
		for _, fl := range fields {
			if s := readResults(fl.value()); len(s.dkim) > maxSignatures {
				t.Fatalf("%d results", len(s.dkim))
			}
			if got := relaxed.appendField(nil, fl); !bytes.Equal(got, relaxed.appendField(nil, fieldsOf(string(got) + "\r\n")[0])) {
				t.Fatalf("canonical form of %q is not canonical: %q", fl.raw, got)
			}
		}
		if err == nil {
			for _, s := range sets.signers() {
				v.keys[s.keyName()] = noKey
			}
			if arc := v.chain(sets); arc.Status == "pass" {
				t.Fatalf("%+v", arc)
			}
		}
		for _, s := range dkimSignatures(fields, mail(plain).Arrived) {
			if s.err == nil {
				v.keys[s.keyName()] = noKey
			}
		}
		for _, d := range v.dkim(dkimSignatures(fields, mail(plain).Arrived)) {
			if d.Status == "pass" {
				t.Fatalf("%+v", d)
			}
		}
		if sum := relaxed.hash(body); sum.size > int64(2*len(body)+2) {
			t.Fatalf("%d octets hashed of %d", sum.size, len(body))
		}
	})
}
