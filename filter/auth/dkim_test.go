package auth

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"os"
	"strings"
	"testing"

	msgauth "github.com/emersion/go-msgauth/dkim"

	"rempart/dns/dnstest"
	"rempart/message"
	"rempart/message/dkim"
	"rempart/message/email"
)

// The keys of RFC 6376 appendix C and RFC 8463 appendix A.2.
var rfcKeys = []string{
	txt("brisbane._domainkey.example.com", "v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYt"+
		"IxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB"),
	txt("brisbane._domainkey.football.example.com", "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="),
	txt("test._domainkey.football.example.com", "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2"+
		"jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB"),
}

func TestExamplesOfTheRFCs(t *testing.T) {
	c := newChecker(t, dnstest.Serve(t, rfcKeys...))
	for file, n := range map[string]int{"rfc6376.eml": 1, "rfc8463.eml": 2} {
		raw, err := os.ReadFile("testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		for what, tt := range map[string]struct{ raw, status string }{
			"as printed":     {string(raw), "pass"},
			"with bare LF":   {strings.ReplaceAll(string(raw), "\r\n", "\n"), "pass"},
			"body changed":   {strings.Replace(string(raw), "lost", "won", 1), "fail"},
			"author changed": {strings.Replace(string(raw), "From: Joe", "From: Jim", 1), "fail"},
			"empty lines":    {string(raw) + "\r\n\r\n", "pass"},
		} {
			got, _, _ := c.signatures(t.Context(), email.ParseBytes([]byte(tt.raw)))
			if len(got) != n {
				t.Errorf("%s %s: %d signatures, want %d", file, what, len(got), n)
			}
			for _, d := range got {
				if d.Status != tt.status {
					t.Errorf("%s %s: %+v, want %s", file, what, d, tt.status)
				}
			}
		}
	}
}

// signer of tests: Ed25519 keys from the domain's name.
func privateKey(domain string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(domain))
	return ed25519.NewKeyFromSeed(seed[:])
}

func keyRecord(domain string) string {
	public := privateKey(domain).Public().(ed25519.PublicKey)
	return txt("s._domainkey."+domain, "v=DKIM1; k=ed25519; p="+base64.StdEncoding.EncodeToString(public))
}

func sign(t testing.TB, raw string, o msgauth.SignOptions) string {
	t.Helper()
	if o.Signer == nil {
		o.Signer = privateKey(o.Domain)
	}
	if o.Selector == "" {
		o.Selector = "s"
	}
	var out bytes.Buffer
	if err := msgauth.Sign(&out, strings.NewReader(raw), &o); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// What another program signs, in every form, this one verifies.
func TestForms(t *testing.T) {
	c := newChecker(t, dnstest.Serve(t, keyRecord("a.example")))
	bodies := []string{"", "\r\n", "\r\n\r\n", "a\r\n", "a", "a \t b\t\r\n \r\nc\r\n\r\n", " lead\r\n", strings.Repeat("x y  z\r\n", 2000),
		strings.Repeat("\r\n", 5000) + "end", "bare\nline\nends\n", strings.Repeat("long ", 20000)}
	for _, header := range []msgauth.Canonicalization{msgauth.CanonicalizationSimple, msgauth.CanonicalizationRelaxed} {
		for _, body := range []msgauth.Canonicalization{msgauth.CanonicalizationSimple, msgauth.CanonicalizationRelaxed} {
			for _, b := range bodies {
				raw := sign(t, "From: Ann  <ann@a.example>\r\nSubject: folded\r\n \t once  more \r\nSubject: twice\r\nX-Empty:\r\n\r\n"+b,
					msgauth.SignOptions{Domain: "a.example", HeaderCanonicalization: header, BodyCanonicalization: body})
				got, _, _ := c.signatures(t.Context(), email.ParseBytes([]byte(raw)))
				if len(got) != 1 || got[0].Status != "pass" {
					t.Errorf("%s/%s %.40q: %+v", header, body, b, got)
				}
			}
		}
	}
}

// tagged is plain, signed with one more tag.
func tagged(t *testing.T, tag string) string {
	t.Helper()
	sum := dkim.Relaxed.Hash([]byte("Here they are.\r\n")).Sum
	head := "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed; d=a.example; s=s; h=from:to:subject; " + tag +
		"; bh=" + base64.StdEncoding.EncodeToString(sum[:]) + "; b="
	return signField(t, head, "a.example", plain) + plain
}

// signField completes a relaxed signature field that ends in "b=" by the signature of a domain over its h=.
func signField(t *testing.T, head, domain, raw string) string {
	t.Helper()
	fields, body, _ := dkim.Split([]byte(head + "\r\n" + raw))
	parsed, err := dkim.ParseTags(fields[0].Value())
	if err != nil {
		t.Log(err) // the case wants it malformed
		parsed = dkim.Tags{"h": "from"}
	}
	return head + signSum(domain, dkim.NewMail(fields, body).Header(dkim.Relaxed, parsed.List("h"), fields[0])) + "\r\n"
}

func signSum(domain string, sum []byte) string {
	return base64.StdEncoding.EncodeToString(ed25519.Sign(privateKey(domain), sum))
}

// A real key of 512 bits, from ValiMail's suite.
const shortKey = "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAIWmlgix/84GJ+dfgjm7LTc9EPdfkftlgiPpCq4/kbDAZmU0VvYKDljjleJ1dfvS+CGy9U/kk1tG3EeEvb82xAcCAwEAAQ=="

func TestWhatDoesNotPass(t *testing.T) {
	good := sign(t, plain, msgauth.SignOptions{Domain: "a.example"})
	public := base64.StdEncoding.EncodeToString(privateKey("a.example").Public().(ed25519.PublicKey))
	ed := "v=DKIM1; k=ed25519; p=" + public
	for name, tt := range map[string]struct {
		raw, key, status string
	}{
		"good":                {good, ed, "pass"},
		"key without v":       {good, "k=ed25519; p=" + public, "pass"},
		"key of a service":    {good, ed + "; s=tlsrpt:email", "pass"},
		"key not for mail":    {good, ed + "; s=tlsrpt", "permerror"},
		"key for SHA-1":       {good, ed + "; h=sha1", "permerror"},
		"key revoked":         {good, "v=DKIM1; k=ed25519; p=", "permerror"},
		"key of RSA":          {good, "v=DKIM1; p=" + public, "permerror"},
		"key of 512 bits":     {good, "v=DKIM1; p=" + shortKey, "fail"},
		"key unlike":          {good, "v=DKIM1; k=ed25519; p=" + strings.Repeat("A", 43) + "=", "fail"},
		"key tried out":       {strings.Replace(good, "Here they", "There they", 1), ed + "; t=y", "neutral"},
		"key tried out, well": {good, ed + "; t=y", "pass"},
		"no key":              {good, "", "permerror"},
		"expired":             {tagged(t, "x=1000000000"), ed, "permerror"},
		"identity outside":    {tagged(t, "i=@b.example"), ed, "permerror"},
		"identity below":      {tagged(t, "i=ann@sub.a.example"), ed, "pass"},
		"identity, strict":    {tagged(t, "i=ann@sub.a.example"), ed + "; t=s", "permerror"},
		"covers all":          {tagged(t, "l=16"), ed, "pass"},
		"covers a part":       {tagged(t, "l=5"), ed, "policy"},
		"covers nothing":      {tagged(t, "l=0"), ed, "policy"},
		"covers too much":     {tagged(t, "l=400"), ed, "fail"},
		"tag twice":           {tagged(t, "d=b.example"), ed, "permerror"},
		"SHA-1":               {strings.Replace(good, "ed25519-sha256", "rsa-sha1", 1), ed, "permerror"},
		"From not signed":     {strings.Replace(good, "h=From:To:", "h=To:", 1), ed, "permerror"},
		"added From":          {"From: Eve <eve@a.example>\r\n" + good, ed, "pass"}, // the lower From was signed; from_multiple sees it
	} {
		zone := []string{`x.example. 60 IN A 192.0.2.1`}
		if tt.key != "" {
			zone = append(zone, txt("s._domainkey.a.example", tt.key))
		}
		c := newChecker(t, dnstest.Serve(t, zone...))
		got, _, _ := c.signatures(t.Context(), email.ParseBytes([]byte(tt.raw)))
		if len(got) != 1 || got[0].Status != tt.status {
			t.Errorf("%s: %+v, want %s\n%s", name, got, tt.status, tt.raw)
		}
	}
}

func TestManySignatures(t *testing.T) {
	raw := plain
	for range 9 {
		raw = sign(t, raw, msgauth.SignOptions{Domain: "a.example"})
	}
	z := dnstest.Serve(t, keyRecord("a.example"))
	got, _, _ := newChecker(t, z).signatures(t.Context(), email.ParseBytes([]byte(raw)))
	if len(got) != dkim.MaxSignatures || z.Asked.Load() != 1 {
		t.Errorf("%d signatures verified with %d questions, want %d with 1", len(got), z.Asked.Load(), dkim.MaxSignatures)
	}
}

// A message that was cut cannot be verified, which is nobody's fault.
func TestCutMessage(t *testing.T) {
	m := email.ParseBytes([]byte(sign(t, plain, msgauth.SignOptions{Domain: "a.example"})))
	m.Size = len(m.Raw) + 1
	c := newChecker(t, dnstest.Serve(t, keyRecord("a.example")))
	m.Facts.Auth.DKIM, m.Facts.Auth.ARC, _ = c.signatures(t.Context(), m)
	if r := DKIMBroken(m); r.State != message.StateUnknown {
		t.Errorf("%v, %+v", r, m.Facts.Auth)
	}
}

// One signature over a mail of 100 kB, its key in the cache.
func BenchmarkSignature(b *testing.B) {
	raw := sign(b, "From: Ann <ann@a.example>\r\nSubject: notes\r\n\r\n"+strings.Repeat("A line of text as mails have them, with some seventy letters in it.\r\n", 1500),
		msgauth.SignOptions{Domain: "a.example", HeaderCanonicalization: msgauth.CanonicalizationRelaxed, BodyCanonicalization: msgauth.CanonicalizationRelaxed})
	c := newChecker(b, dnstest.Serve(b, keyRecord("a.example")))
	m := email.ParseBytes([]byte(raw))
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if got, _, _ := c.signatures(b.Context(), m); got[0].Status != "pass" {
			b.Fatal(got)
		}
	}
}
