package sign

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rempart/dns"
	"rempart/dns/dnstest"
	"rempart/filter/auth"
	"rempart/message"
	"rempart/message/dkim"
	"rempart/message/email"
)

var today = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

const plain = "From: Ann <ann@a.example>\r\nTo: ben@b.example\r\nSubject: the figures\r\nDate: Sat, 28 Nov 2026 12:00:00 +0000\r\n" +
	"Message-ID: <1@a.example>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHere they are.\r\n"

// keyFile writes a new key.
func keyFile(t testing.TB, algorithm string) (path string, p Private) {
	t.Helper()
	p, err := Generate(algorithm)
	if err != nil {
		t.Fatal(err)
	}
	b, err := p.PEM()
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path, p
}

// pair is a configuration in which a domain has a key of each algorithm, selectors r and e.
func pair(t testing.TB, domain string) Config {
	rsa, _ := keyFile(t, dkim.RSA)
	ed, _ := keyFile(t, dkim.Ed25519)
	return Config{Key: []KeyConfig{{Domain: domain, Selector: "r", File: rsa}, {Domain: domain, Selector: "e", File: ed}}}
}

func load(t testing.TB, c Config) *Signer {
	t.Helper()
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	s, _, err := Load(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// records are the keys as DNS is to have them.
func records(s *Signer) (zone []string) {
	for _, k := range s.Keys(today) {
		zone = append(zone, strings.TrimSuffix(strings.NewReplacer(" IN TXT", " 60 IN TXT", "\n\t", " ").Replace(Zone(k.Name(), k.Record)), "\n"))
	}
	return zone
}

func resolver(t testing.TB, z *dnstest.Zone) *dns.Resolver {
	t.Helper()
	r, err := dns.New(dns.Config{Servers: []string{z.Addr}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func checker(t testing.TB, records ...string) *auth.Checker {
	t.Helper()
	c, err := auth.New(resolver(t, dnstest.Serve(t, records...)), nil, auth.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func outgoing(raw string) *message.Message {
	m := email.ParseBytes([]byte(raw))
	m.Direction, m.Account = message.Out, "ann@a.example"
	return m
}

// verified is what another node finds out about a mail.
func verified(c *auth.Checker, raw string) *message.Message {
	m := email.ParseBytes([]byte(raw))
	m.Direction, m.Arrived = message.In, today
	c.Check(context.Background(), m)
	return m
}

func before(raw string, fields []Field) string {
	var b strings.Builder
	for _, f := range fields {
		fmt.Fprintf(&b, "%s: %s\r\n", f.Name, f.Value)
	}
	return b.String() + raw
}

func statuses(m *message.Message) (s string) {
	for _, d := range m.Facts.Auth.DKIM {
		s += d.Selector + "=" + d.Status + " "
	}
	return strings.TrimSpace(s)
}

func TestSignaturesPass(t *testing.T) {
	s := load(t, pair(t, "a.example"))
	c := checker(t, records(s)...)
	fields, outcome := s.Sign(outgoing(plain), today)
	if outcome != DKIM || len(fields) != 2 {
		t.Fatalf("%q, %d fields", outcome, len(fields))
	}
	signed := before(plain, fields)
	for what, tt := range map[string]struct{ raw, want string }{
		"as it goes out":      {signed, "r=pass e=pass"},
		"Subject twice":       {strings.Replace(signed, "Subject:", "Subject: won\r\nSubject:", 1), "r=fail e=fail"},
		"one of the two":      {before(plain, fields[:1]), "r=pass"},
		"a second author":     {"From: Eve <eve@a.example>\r\n" + signed, "r=fail e=fail"},
		"Reply-To added":      {"Reply-To: eve@e.example\r\n" + signed, "r=fail e=fail"},
		"a second type":       {"Content-Type: text/html\r\n" + signed, "r=fail e=fail"},
		"a type of the body":  {strings.Replace(signed, "text/plain", "text/html", 1), "r=fail e=fail"},
		"a line behind":       {signed + "-- \r\nlist\r\n", "r=fail e=fail"},
		"List-Id added":       {"List-Id: <l.example>\r\nReceived: by l\r\n" + signed, "r=pass e=pass"},
		"spaces changed":      {strings.Replace(signed, "the figures", "the \t figures ", 1), "r=pass e=pass"},
		"lines with bare LF":  {strings.ReplaceAll(signed, "\r\n", "\n"), "r=pass e=pass"},
		"empty lines at end":  {signed + "\r\n\r\n", "r=pass e=pass"},
		"the author changed":  {strings.Replace(signed, "From: Ann <ann@", "From: Ann <eve@", 1), "r=fail e=fail"},
		"the domain replaced": {strings.ReplaceAll(signed, "d=a.example", "d=example"), "r=permerror e=permerror"},
	} {
		if got := statuses(verified(c, tt.raw)); got != tt.want {
			t.Errorf("%s: %s, want %s", what, got, tt.want)
		}
	}
	for _, f := range fields {
		for line := range strings.SplitSeq(f.Name+": "+f.Value, "\r\n") {
			if len(strings.ReplaceAll(line, "\t", "        ")) > 78 {
				t.Errorf("a line of %d: %s", len(line), line)
			}
		}
		if tags, err := dkim.ParseTags(f.Value); err != nil || tags["l"] != "" || tags["x"] != "" {
			t.Errorf("%s", f.Value)
		}
	}
}

// The hashes and signatures of RFC 8463 appendix A are made again with its keys.
func TestExampleOfTheRFC(t *testing.T) {
	raw, err := os.ReadFile("../filter/auth/testdata/rfc8463.eml")
	if err != nil {
		t.Fatal(err)
	}
	fields, body, _ := dkim.Split(raw)
	for i, file := range []string{"rfc8463.ed25519.key", "rfc8463.rsa.key"} {
		p, _, err := readPrivate(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		tags, err := dkim.ParseTags(fields[i].Value())
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.sign(dkim.NewMail(fields, body).Header(dkim.Relaxed, tags.List("h"), fields[i]))
		want := strings.Join(strings.Fields(tags["b"]), "")
		if err != nil || got != want {
			t.Errorf("%s: %v, %s, want %s", file, err, got, want)
		}
	}
}

func TestWhoSigns(t *testing.T) {
	key := func(domain, selector string, accounts ...string) KeyConfig {
		path, _ := keyFile(t, dkim.Ed25519)
		return KeyConfig{Domain: domain, Selector: selector, File: path, Accounts: accounts}
	}
	s := load(t, Config{Key: []KeyConfig{key("a.example", "s"), key("own.example", "s", "@$domain", "Boss"), key("sub.a.example", "s", "list@c.example"),
		key("xn--bcher-kva.example", "s")}})
	for _, tt := range []struct {
		from, account, domain string
		outcome               Outcome
	}{
		{"ann@a.example", "anybody", "a.example", DKIM},
		{"ann@a.example", "", "a.example", DKIM},
		{"ann@deep.below.A.Example", "x", "a.example", DKIM},
		{"ann@sub.a.example", "x", "", NotAllowed},
		{"ann@x.sub.a.example", "list@c.example", "sub.a.example", DKIM},
		{"ben@own.example", "ben@own.example", "own.example", DKIM},
		{"ben@own.example", "ann@a.example", "", NotAllowed},
		{"ben@below.own.example", "ben@own.example", "own.example", DKIM},
		{"ben@below.own.example", "ben@below.own.example", "own.example", DKIM},
		{"ben@own.example", "ben@below.own.example", "", NotAllowed},
		{"ben@own.example", "ben@example", "own.example", DKIM},
		{"ben@own.example", "ben@n.example", "", NotAllowed},
		{"ben@own.example", "boss", "own.example", DKIM},
		{"ben@own.example", "", "", NotAllowed},
		{"ben@other.example", "ben@other.example", "", NoKey},
		{"ben@example", "ben", "", NoKey},
		{"a@bücher.example", "a", "xn--bcher-kva.example", DKIM},
		{"", "ben", "", Malformed},
	} {
		m := outgoing(strings.Replace(plain, "ann@a.example", tt.from, 1))
		m.Account = tt.account
		fields, outcome := s.Sign(m, today)
		if outcome != tt.outcome || (len(fields) == 1) != (tt.domain != "") || tt.domain != "" && !strings.Contains(fields[0].Value, "d="+tt.domain+";") {
			t.Errorf("%s by %q: %s %v", tt.from, tt.account, outcome, fields)
		}
	}
	for what, change := range map[string]func(m *message.Message){
		"in": func(m *message.Message) { m.Direction = message.In }, "internal": func(m *message.Message) { m.Direction = message.Internal },
		"a text": func(m *message.Message) { m.Channel = message.SMS },
	} {
		m := outgoing(plain)
		change(m)
		if fields, outcome := s.Sign(m, today); outcome != None || fields != nil {
			t.Errorf("%s: %s", what, outcome)
		}
	}
	m := outgoing(plain)
	m.Size++
	if _, outcome := s.Sign(m, today); outcome != Cut {
		t.Errorf("cut: %s", outcome)
	}
	if _, outcome := s.Sign(outgoing("From: ann@a.example\r\n"+plain), today); outcome != Malformed {
		t.Errorf("two authors: %s", outcome)
	}
}

// A subject that is rewritten on the way out is signed as it goes out.
func TestReplaced(t *testing.T) {
	s := load(t, pair(t, "a.example"))
	c := checker(t, records(s)...)
	for _, raw := range []string{plain, strings.Replace(plain, "Subject: the figures\r\n", "", 1)} {
		fields, _ := s.Sign(outgoing(raw), today, Field{"Subject", "[SPAM] the figures"})
		out := before(strings.Replace(plain, "Subject: ", "Subject: [SPAM] ", 1), fields)
		if got := statuses(verified(c, out)); got != "r=pass e=pass" {
			t.Errorf("%s: %s", raw, got)
		}
	}
}

// Whatever a mail looks like, what is signed verifies.
func TestEveryMailVerifies(t *testing.T) {
	s := load(t, pair(t, "a.example"))
	c := checker(t, records(s)...)
	space := rapid.SampledFrom([]string{" ", "\t", "  ", "\r\n ", "\r\n\t \t", " \r\n  "})
	octets := func(set string, most int) *rapid.Generator[string] { // of 8 bits too, in no character set
		return rapid.Map(rapid.SliceOfN(rapid.SampledFrom([]byte(set)), 0, most), func(b []byte) string { return string(b) })
	}
	word := octets("abcXYZ019!\"#$%&'()*+,-./;<=>?@[\\]^_`{|}~:\xe4\x80\xff\x00\x0b", 30)
	value := rapid.Custom(func(t *rapid.T) string {
		v := rapid.SampledFrom([]string{"", " ", "\t"}).Draw(t, "first")
		for range rapid.IntRange(0, 8).Draw(t, "words") {
			v += word.Draw(t, "word") + space.Draw(t, "space")
		}
		return v + rapid.SampledFrom([]string{"", "end", "end \t "}).Draw(t, "last")
	})
	names := rapid.SampledFrom([]string{"Subject", "SUBJECT ", "To", "Cc", "Reply-To", "List-Id", "X-Any", "Received", "DKIM-Signature",
		"Content-Type", "MIME-Version", "Date", "Resent-From", "References"})
	line := octets("ab  \t.-=\xc3\xa4\x00\x80\x0b\r", 90)
	rapid.Check(t, func(t *rapid.T) {
		end := rapid.SampledFrom([]string{"\r\n", "\n"}).Draw(t, "line end")
		raw := ""
		for range rapid.IntRange(0, 25).Draw(t, "fields") {
			raw += names.Draw(t, "name") + ":" + value.Draw(t, "value") + "\r\n"
		}
		raw += "from :Ann" + space.Draw(t, "space") + "<ann@a.example>\r\n\r\n"
		for range rapid.IntRange(0, 12).Draw(t, "lines") {
			raw += line.Draw(t, "line") + "\r\n"
		}
		raw += rapid.SampledFrom([]string{"", "\r\n", "\r\n\r\n", "no end", " ", "."}).Draw(t, "end")
		if end == "\n" {
			raw = strings.ReplaceAll(raw, "\r\n", "\n")
		}
		m := outgoing(raw)
		if m.From.Domain != "a.example" {
			t.Skip("no author")
		}
		fields, outcome := s.Sign(m, today)
		if outcome != DKIM {
			t.Fatalf("%s\n%q", outcome, raw)
		}
		if got := statuses(verified(c, before(raw, fields))); !strings.HasPrefix(got, "r=pass e=pass") {
			t.Fatalf("%s\n%q", got, raw)
		}
	})
}

func BenchmarkSign(b *testing.B) {
	body := strings.Repeat("A line of text as mails have them, with some seventy letters in it.\r\n", 300)
	for _, algorithm := range []string{dkim.RSA, dkim.Ed25519} {
		b.Run(algorithm, func(b *testing.B) {
			path, _ := keyFile(b, algorithm)
			s := load(b, Config{Key: []KeyConfig{{Domain: "a.example", Selector: "s", File: path}}})
			m := outgoing(plain + body)
			b.SetBytes(int64(len(m.Raw)))
			b.ReportAllocs()
			for b.Loop() {
				if _, outcome := s.Sign(m, today); outcome != DKIM {
					b.Fatal(outcome)
				}
			}
		})
	}
}
