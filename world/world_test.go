package world

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"rempart/geo"
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
	const n = 20000
	last := start
	count := map[string]int{}
	texts := map[string]bool{}
	campaigns := map[string][5]int{}
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
		if (s.Truth.Label == message.Spam) != (s.Truth.Campaign != "" && len(s.Truth.Hosts) > 0 && s.Truth.Category != message.CategoryNone) || s.Truth.Country == "" || s.Truth.Language == "" {
			t.Fatalf("truth %+v", s.Truth)
		}
		of := campaigns[s.Truth.Campaign]
		of[s.Channel]++
		campaigns[s.Truth.Campaign] = of
		if len(s.Truth.Path) == 0 || s.Truth.Sender == "" || (s.Truth.Network != 0) != (s.Text == nil) ||
			s.Truth.Network != 0 && s.Truth.Path[len(s.Truth.Path)-1] != fmt.Sprintf("AS%d", s.Truth.Network) {
			t.Fatalf("truth %+v", s.Truth)
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
		switch {
		case s.Mail != nil:
			checkMail(t, &s, m[0])
		case s.Text != nil:
			checkText(t, &s, m)
		case s.Call != nil:
			checkSIP(t, w, &s, &s.Call.SIP, m[0])
			checkRecords(t, &s)
			if s.Truth.Label == message.Spam && strings.HasPrefix(s.Call.Callee, s.Call.Caller[:7]) {
				count["neighbour"]++
			}
			if b, _ := w.blockOf(s.Call.Caller); b == nil {
				count["impossible"]++
			} else {
				count["calls from "+b.line.String()]++
			}
			count["records"] += len(s.Call.Records)
		default:
			checkSIP(t, w, &s, &s.IM.SIP, m[0])
			if s.Truth.Label == message.Spam && len(m[0].Links) > 0 {
				count["messages with links"]++
			}
		}
	}
	for _, row := range mix {
		name := row.channel.String()
		spam := count[name+" spam"]
		all := spam + count[name+" ham"]
		for _, share := range []struct{ got, want float64 }{{float64(all) / n, row.share}, {float64(spam) / float64(all), row.spam}} {
			if share.got < share.want-0.03 || share.got > share.want+0.03 {
				t.Errorf("%s: share %.3f, want %.2f", name, share.got, share.want)
			}
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
		if name != "" && c[message.Email] > 0 && c[message.SMS] > 0 {
			both++
		}
		if name != "" && c[message.Email] > 0 && c[message.SMS] > 0 && c[message.Call]+c[message.IM] > 0 {
			count["campaigns on three channels"]++
		}
	}
	for _, kind := range []string{"personal", "receipt", "newsletter", "appointment", "account", "school", "work", "code", "bank", "parcel", "fee", "pills", "invoice", "crypto", "job", "app", "energy", "callback",
		"call_centre", "delivery", "neighbour", "impossible", "calls from premium", "calls from toll_free", "records", "messages with links",
		"campaigns on three channels", "evasion forged_hop", "evasion spoofed_number", "several recipients", "evasion homoglyph", "evasion zero_width", "evasion spaced", "evasion leet", "evasion hidden", "evasion base64", "evasion link_text"} {
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

var fiction = regexp.MustCompile(`^(44(7700900|2079460|8081570|9098790)\d{3}|49(3023125|6990009|4066969|2214710|8999998)\d{3}|33(63998|19900)\d{4}|1\d{3}55501\d\d)$`)

// nobodys are numbers that no plan can have: too few digits or too many.
var nobodys = regexp.MustCompile(`^(330\d{11}|447700\d\d)$`)

// checkSIP holds a request to the numbers and addresses of this world, and to its truth.
func checkSIP(t *testing.T, w *World, s *Sent, x *SIP, m *message.Message) {
	t.Helper()
	if !fiction.MatchString(x.Callee) || !fiction.MatchString(x.Caller) && !nobodys.MatchString(x.Caller) || x.CallID == "" || len(x.Via) == 0 {
		t.Fatalf("%+v", x)
	}
	for _, v := range x.Via {
		if !slices.ContainsFunc(reserved, func(p netip.Prefix) bool { return p.Contains(v.Address) }) {
			t.Fatalf("via %+v", v)
		}
	}
	if n := w.networkOf(x.Via[0].Address); n == nil || n.number != s.Truth.Network {
		t.Fatalf("handed over by %s, the truth is AS%d", x.Via[0].Address, s.Truth.Network)
	}
	if m.Source.ID != "+"+x.Caller || m.Recipients[0].Address != "+"+x.Callee || m.Source.Address != x.Via[0].Address || (s.IM != nil && m.Text == "") {
		t.Fatalf("message %+v of %+v", m, x)
	}
	via := "SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bKx"
	raw := x.request("INVITE", via, "application/sdp", "v=0\r\n")
	head, body, _ := strings.Cut(string(raw), "\r\n\r\n")
	if body != "v=0\r\n" || strings.Count(head, "\r\nVia: ") != 1+len(x.Via) || !strings.Contains(head, "\r\nContent-Length: 5") || strings.Contains(head, "%!") {
		t.Fatalf("%s", raw)
	}
}

func (w *World) networkOf(a netip.Addr) *network {
	for _, n := range w.networks {
		if n.v4.Contains(a) || n.v6.Contains(a) {
			return n
		}
	}
	return nil
}

func checkRecords(t *testing.T, s *Sent) {
	t.Helper()
	for i, r := range s.Call.Records {
		if r.Answered != (r.Duration > 0) || r.Duration > longestCall || r.Begun.Before(s.At) || r.HungUp == message.PartyUnknown || r.CallID == "" {
			t.Fatalf("record %+v", r)
		}
		if from, to := "+"+s.Call.Caller, "+"+s.Call.Callee; i == 0 && (r.Caller != from || r.Callee != to) || i > 0 && (r.Caller != to || r.Callee != from) {
			t.Fatalf("record %+v of a call from %s", r, from)
		}
	}
}

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
			Name   string `maxminddb:"autonomous_system_organization"`
		}
		if err := r.Lookup(s.Mail.Client).Decode(&got); err != nil {
			t.Fatal(err)
		}
		if n := w.networkOf(s.Mail.Client); got.Country.Code != s.Truth.Country || got.Number != s.Truth.Network || got.Name != n.name {
			t.Fatalf("%s is in %+v, but %s AS%d", s.Mail.Client, got, s.Truth.Country, s.Truth.Network)
		}
	}
	if r.Lookup(netip.MustParseAddr("192.0.2.1")).Found() {
		t.Error("an address of nobody was found")
	}
}

// The plan says of every number that somebody has, and of no other, where it is and what for.
func TestNumberPlan(t *testing.T) {
	w := newWorld(t, 3, 0)
	rows, err := csv.NewReader(bytes.NewReader(w.NumberPlan())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "numbers.csv")
	if err := os.WriteFile(file, w.NumberPlan(), 0o600); err != nil {
		t.Fatal(err)
	}
	places, err := geo.Open(geo.Config{Numbers: file})
	if err != nil {
		t.Fatal(err)
	}
	defer places.Close()
	find := func(number string) []string {
		for _, r := range rows {
			if strings.HasPrefix("+"+number, r[0]) {
				return r
			}
		}
		return nil
	}
	for _, p := range append(slices.Clone(w.customers), w.others...) {
		if r := find(p.number); r == nil || r[1] != p.country.code || r[2] != "mobile" && r[2] != "fixed" {
			t.Errorf("%s of %s: %v", p.number, p.country.code, r)
		}
		if n := places.Number("+" + p.number); n.E164 != "+"+p.number || n.Country != p.country.code || !n.Valid {
			t.Errorf("%s of %s is read as %+v", p.number, p.country.code, n)
		}
	}
	for range 1000 {
		n := w.impossible()
		if r := places.Number("+" + n); find(n) != nil || r.Valid {
			t.Errorf("%s is in the plan: %+v", n, r)
		}
	}
	for _, r := range rows {
		var line message.LineType
		if err := line.UnmarshalText([]byte(r[2])); err != nil {
			t.Error(err)
		}
	}
}

// Acquaintances call each other both ways and talk; machines that read a letter out call many in a row; who sells something
// is left at once.
func TestCalls(t *testing.T) {
	w := newWorld(t, 1, 0)
	pairs := map[[2]string]bool{}
	type sum struct{ n, answered, seconds, byCallee int }
	kinds := map[string]sum{}
	both, run, longest := 0, 0, 0
	for range 30000 {
		s := w.Next()
		if s.Call == nil {
			continue
		}
		r := s.Call.Records[0]
		kind := s.Truth.Kind
		if kind == "personal" {
			pairs[[2]string{r.Caller, r.Callee}] = true
			if pairs[[2]string{r.Callee, r.Caller}] {
				both++
			}
		}
		if run++; kind != "school" && s.Truth.Label == message.Ham {
			run = 0
		}
		longest = max(longest, run)
		k := kinds[kind]
		k.n++
		if r.Answered {
			k.answered++
			k.seconds += int(r.Duration.Seconds())
			if r.HungUp == message.Callee {
				k.byCallee++
			}
		}
		kinds[kind] = k
	}
	mean := func(kind string) int { return kinds[kind].seconds / max(1, kinds[kind].answered) }
	if both < 20 || longest < 8 {
		t.Errorf("%d calls the other way, at most %d of a school in a row", both, longest)
	}
	if mean("personal") < 90 || mean("energy") > 30 || mean("school") > 40 || kinds["callback"].answered > 0 || kinds["callback"].n == 0 {
		t.Errorf("%+v", kinds)
	}
	if e, p := kinds["energy"], kinds["personal"]; e.byCallee*2 < e.answered || p.byCallee*3 < p.answered || p.byCallee*3 > 2*p.answered {
		t.Errorf("hung up by the callee: %+v %+v", e, p)
	}
}

// The map has a whole shape for each country, within its box.
func TestMap(t *testing.T) {
	w := newWorld(t, 1, 0)
	shapes := w.Map()
	if !reflect.DeepEqual(shapes, newWorld(t, 1, 5).Map()) || reflect.DeepEqual(shapes, newWorld(t, 2, 0).Map()) {
		t.Error("the map is not the seed's")
	}
	for i, s := range shapes {
		if s.Code != w.countries[i].code || s.Name == "" || !strings.HasSuffix(s.Path, "Z") {
			t.Errorf("%+v", s)
		}
		for j, f := range regexp.MustCompile(`-?[0-9.]+`).FindAllString(s.Path, -1) {
			var x float64
			if _, err := fmt.Sscan(f, &x); err != nil || x < 0 || x > 1000 || j%2 == 1 && x > 500 {
				t.Errorf("%s: coordinate %s", s.Code, f)
			}
		}
	}
}

// The ledger adds up to what was sent, and its edges lead to the doors.
func TestLedger(t *testing.T) {
	w := newWorld(t, 1, 0)
	l := Ledger{Doors: map[message.Channel]string{message.Email: "mx", message.SMS: "sms", message.Call: "sip", message.IM: "sip"},
		Sender: func(s string) string { return s[:min(len(s), 8)] }}
	const n = 5000
	spam := uint64(0)
	for range n {
		s := w.Next()
		l.Add(&s)
		if s.Truth.Label == message.Spam {
			spam++
		}
	}
	var volumes, senders, doors Count
	add := func(to *Count, c Count) { to.All += c.All; to.Spam += c.Spam }
	for _, row := range mix {
		add(&volumes, l.Volume(row.channel))
		for _, c := range l.Senders(row.channel) {
			add(&senders, c)
		}
	}
	claimed := false
	for e, c := range l.Edges() {
		switch e.By {
		case "mx", "sms", "sip":
			add(&doors, c)
		default:
			claimed = true
			if !strings.HasPrefix(e.From, "AS") || !strings.HasPrefix(e.By, "AS") || e.From == e.By {
				t.Errorf("edge %+v", e)
			}
		}
	}
	want := Count{n, spam}
	if volumes != want || senders != want || doors != want || !claimed {
		t.Errorf("volumes %+v, senders %+v, doors %+v, want %+v", volumes, senders, doors, want)
	}
	var networks Count
	for _, c := range l.Networks() {
		add(&networks, c)
	}
	texts := l.Volume(message.SMS)
	if networks.All+texts.All != n || networks.Spam+texts.Spam != spam {
		t.Errorf("networks %+v, texts %+v", networks, texts)
	}
}

func BenchmarkNext(b *testing.B) {
	w := newWorld(b, 1, 0)
	b.ReportAllocs()
	for b.Loop() {
		w.Next()
	}
}
