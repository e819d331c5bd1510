package world

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"rempart/message"
	"rempart/message/sms"

	"github.com/oschwald/maxminddb-golang/v2"
)

var start = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func newWorld(t testing.TB, seed, stream uint64) *World {
	t.Helper()
	w, err := New(Config{Seed: seed, Stream: stream, Start: start, Rate: 20})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// The same seed is the same world, to the byte; another seed or stream is another.
func TestSameSeedSameWorld(t *testing.T) {
	a, b, other, later := newWorld(t, 7, 0), newWorld(t, 7, 0), newWorld(t, 8, 0), newWorld(t, 7, 1)
	same, sameLater := 0, 0
	for range 2000 {
		x, y, z, l := a.Next(), b.Next(), other.Next(), later.Next()
		if !reflect.DeepEqual(x, y) {
			t.Fatalf("message %d differs:\n%+v\n%+v", x.Number, x, y)
		}
		if x.Mail != nil && z.Mail != nil && bytes.Equal(x.Mail.Raw, z.Mail.Raw) {
			same++
		}
		if x.Mail != nil && l.Mail != nil && bytes.Equal(x.Mail.Raw, l.Mail.Raw) {
			sameLater++
		}
	}
	if same > 0 || sameLater > 0 {
		t.Errorf("%d mails are the same for another seed, %d for another stream", same, sameLater)
	}
	if !bytes.Equal(a.Geography(), later.Geography()) {
		t.Error("another stream has another geography")
	}
}

// What reaches the operator reads as real traffic does: mails parse without an anomaly, texts come back as written, shares
// are near what the package says, and the truth is told about each.
func TestPlausible(t *testing.T) {
	w := newWorld(t, 1, 0)
	const n = 10000
	last := start
	count := map[string]int{}
	texts := map[string]bool{}
	campaigns := map[string][2]int{}
	for range n {
		s := w.Next()
		if s.At.Before(last) || !s.At.Equal(last.Add(s.Delay)) {
			t.Fatalf("message %d: at %v after %v, delay %v", s.Number, s.At, last, s.Delay)
		}
		last = s.At
		key := s.Channel.String() + " " + s.Truth.Label.String()
		count[key]++
		count[s.Truth.Kind]++
		for _, e := range s.Truth.Evasion {
			count["evasion "+e]++
		}
		if (s.Truth.Label == message.Spam) != (s.Truth.Campaign != "" && s.Truth.Category != message.CategoryNone) || s.Truth.Country == "" || s.Truth.Language == "" {
			t.Fatalf("truth %+v", s.Truth)
		}
		if c := campaigns[s.Truth.Campaign]; s.Channel == message.Email {
			campaigns[s.Truth.Campaign] = [2]int{c[0] + 1, c[1]}
		} else {
			campaigns[s.Truth.Campaign] = [2]int{c[0], c[1] + 1}
		}
		m := s.Messages()
		for _, m := range m {
			// A part of a long text may have no letter that needs the alphabet of the whole.
			if len(m.Anomalies) > 0 && !(m.Channel == message.SMS && m.SMS.Total > 1 && m.HasAnomaly(sms.UCS2ForGSM)) {
				t.Fatalf("message %d has anomalies %v\n%s", s.Number, m.Anomalies, m.Raw)
			}
			texts[m.Text] = true
		}
		if s.Mail != nil && len(s.Mail.To) > 1 {
			count["several recipients"]++
		}
		if s.Mail != nil {
			checkMail(t, &s, m[0])
		} else {
			checkText(t, &s, m)
		}
	}
	mails, short := count["email ham"]+count["email spam"], count["sms ham"]+count["sms spam"]
	for _, share := range []struct {
		name      string
		got, want float64
	}{
		{"mails", float64(mails) / n, mailShare},
		{"spam in mails", float64(count["email spam"]) / float64(mails), mailSpamShare},
		{"spam in texts", float64(count["sms spam"]) / float64(short), textSpamShare},
	} {
		if share.got < share.want-0.02 || share.got > share.want+0.02 {
			t.Errorf("share of %s is %.3f, want %.2f", share.name, share.got, share.want)
		}
	}
	if d := last.Sub(start).Seconds(); d < n/20*0.95 || d > n/20*1.05 {
		t.Errorf("%d messages took %.0f s of virtual time", n, d)
	}
	if len(texts) < n/2 {
		t.Errorf("only %d unlike texts in %d messages", len(texts), n)
	}
	both := 0
	for name, c := range campaigns {
		if name != "" && c[0] > 0 && c[1] > 0 {
			both++
		}
	}
	for _, kind := range []string{"personal", "receipt", "newsletter", "appointment", "account", "school", "work", "code", "bank", "parcel", "fee", "pills", "invoice", "crypto", "job", "app",
		"several recipients", "evasion homoglyph", "evasion zero_width", "evasion spaced", "evasion leet", "evasion hidden", "evasion base64", "evasion link_text"} {
		if count[kind] == 0 {
			t.Errorf("no %s", kind)
		}
	}
	if both < 4 {
		t.Errorf("%d campaigns came by mail and by text", both)
	}
}

var reserved = []netip.Prefix{netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("198.18.0.0/15")}

var hosts = regexp.MustCompile(`(?i)https?://([a-z0-9.-]+)|@([a-z0-9.-]+\.[a-z]+)`)

func checkMail(t *testing.T, s *Sent, m *message.Message) {
	t.Helper()
	if !slices.ContainsFunc(reserved, func(p netip.Prefix) bool { return p.Contains(s.Mail.Client) }) {
		t.Fatalf("client %s", s.Mail.Client)
	}
	if m.From.Domain == "" || m.Subject == "" || m.VisibleText() == "" || m.Date.IsZero() || m.Source.Address != s.Mail.Client || len(s.Mail.To) == 0 || s.Mail.Helo == "" || s.Mail.QueueID == "" {
		t.Fatalf("mail %d lacks something:\n%s", s.Number, s.Mail.Raw)
	}
	for _, h := range hosts.FindAllStringSubmatch(string(s.Mail.Raw), -1) {
		host := strings.ToLower(h[1] + h[2])
		if a, err := netip.ParseAddr(host); err == nil && slices.ContainsFunc(reserved, func(p netip.Prefix) bool { return p.Contains(a) }) || host == "localhost" {
			continue
		}
		if !strings.HasSuffix(host, ".example") && !strings.HasSuffix(host, ".test") && !strings.Contains(string(s.Mail.Raw), "quoted-printable") {
			t.Fatalf("host %q:\n%s", host, s.Mail.Raw)
		}
	}
	for _, l := range m.Links {
		if a, err := netip.ParseAddr(l.Host); err == nil && reserved[1].Contains(a) || strings.HasSuffix(l.Host, ".example") || strings.HasSuffix(l.Host, ".test") {
			continue
		}
		t.Fatalf("link %+v:\n%s", l, s.Mail.Raw)
	}
	for line := range bytes.Lines(s.Mail.Raw) {
		if len(line) > 998 || !bytes.HasSuffix(line, []byte("\r\n")) || bytes.ContainsFunc(line, func(r rune) bool { return r > 126 }) {
			t.Fatalf("line %q", line)
		}
	}
	if s.Truth.Language != "en" && s.Truth.Label == message.Ham && strings.Contains(string(s.Mail.Raw), "{") {
		t.Fatalf("a rule was left:\n%s", s.Mail.Raw)
	}
}

var fiction = regexp.MustCompile(`^(447700900\d{3}|49(3023125|6990009|4066969|2214710|8999998)\d{3}|3363998\d{4}|1\d{3}55501\d\d)$`)

func checkText(t *testing.T, s *Sent, parts []*message.Message) {
	t.Helper()
	x := s.Text
	if !fiction.MatchString(x.Destination) || x.SourceTON == tonInternational && !fiction.MatchString(x.Source) || x.Source == "" || len(x.Source) > 20 {
		t.Fatalf("%+v", x)
	}
	var whole strings.Builder
	for i, m := range parts {
		whole.WriteString(m.Text)
		if len(x.Parts[i].UserData) > 160 || m.SMS.Encoding != x.Encoding {
			t.Fatalf("part %d of %+v", i, x)
		}
	}
	if whole.String() != x.Body || x.Body == "" || strings.ContainsAny(x.Body, "{|}") {
		t.Fatalf("%q came back as %q", x.Body, whole.String())
	}
	if (x.Encoding == "gsm7") != sms.FitsGSM(x.Body) {
		t.Fatalf("%q in %s", x.Body, x.Encoding)
	}
}

// After a pause the messages are of today.
func TestCatchUp(t *testing.T) {
	w := newWorld(t, 1, 0)
	first := w.Next()
	w.CatchUp(start.Add(time.Hour))
	w.CatchUp(start) // never back
	if s := w.Next(); s.At.Before(start.Add(time.Hour)) || s.Number != first.Number+1 {
		t.Errorf("message %d at %v", s.Number, s.At)
	}
}

// Every rule that a language names is there, in all languages, and leaves no bracket behind.
func TestGrammars(t *testing.T) {
	all, err := grammars()
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, 1, 0)
	for language, g := range all {
		for rule := range all["en"] {
			if len(g[rule]) == 0 && rule != "schoolmore" {
				t.Errorf("%s has no rule %s", language, rule)
			}
		}
		for rule := range g {
			s := w.speech(topic{language: language, country: w.countries[0], known: map[string]string{"me": "M", "to": "T", "tofull": "T T", "company": "C", "link": "L", "unsubscribe": "U"}})
			for range 40 {
				if said := s.say(rule); strings.ContainsAny(said, "{}[]|") || strings.TrimSpace(said) == "" && rule != "schoolmore" {
					t.Errorf("%s %s: %q", language, rule, said)
				}
			}
			for _, alternative := range g[rule] {
				for _, name := range regexp.MustCompile(`\{(\w+)\}`).FindAllStringSubmatch(alternative, -1) {
					if v, ok := s.value(name[1]); !ok && len(g[name[1]]) == 0 {
						t.Errorf("%s %s: nothing says {%s} (%q)", language, rule, name[1], v)
					}
				}
			}
		}
	}
}

// The geography is read by the library that package geo uses.
func TestGeography(t *testing.T) {
	w := newWorld(t, 3, 0)
	file := filepath.Join(t.TempDir(), "world.mmdb")
	if err := os.WriteFile(file, w.Geography(), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := maxminddb.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for range 3000 {
		s := w.Next()
		if s.Mail == nil {
			continue
		}
		var got struct {
			Country struct {
				Code string `maxminddb:"iso_code"`
			} `maxminddb:"country"`
			Number uint32 `maxminddb:"autonomous_system_number"`
		}
		if err := r.Lookup(s.Mail.Client).Decode(&got); err != nil {
			t.Fatal(err)
		}
		if got.Country.Code != s.Truth.Country || got.Number != s.Truth.Network {
			t.Fatalf("%s is in %+v, but %s AS%d", s.Mail.Client, got, s.Truth.Country, s.Truth.Network)
		}
	}
	if r.Lookup(netip.MustParseAddr("192.0.2.1")).Found() {
		t.Error("an address of nobody was found")
	}
}

func BenchmarkNext(b *testing.B) {
	w := newWorld(b, 1, 0)
	b.ReportAllocs()
	for b.Loop() {
		w.Next()
	}
}
