package rspamd

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"rempart/catalogue"
	"rempart/config"
	"rempart/filter"
	"rempart/gateway"
	"rempart/message"
	"rempart/policy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a front door on a port of its own, before a real filter and a real policy.
type rig struct {
	t      testing.TB
	addr   string
	door   *Rspamd
	signs  atomic.Bool // mail
	cfg    Config
	filter *filter.Filter
	rules  *policy.Rules
	asked  chan *message.Message
	taken  chan gateway.Lesson
	stop   context.CancelFunc
}

const (
	mail = "From: Anna <anna@example.com>\r\nTo: ben@example.net\r\nSubject: lunch\r\nDate: Tue, 24 Nov 2026 12:00:00 +0000\r\n" +
		"Message-ID: <1@example.com>\r\n\r\nShall we meet at the usual place at twelve? http://menu.example.com/today and mailto:cook@example.com\r\n"
	scam = "From: Bank <service@example.org>\r\nTo: ben@example.net\r\nSubject: URGENT!!! YOUR ACCOUNT\r\nMessage-ID: <2@example.org>\r\n" +
		"X-Rempart-Action: accept\r\nContent-Type: text/html\r\n\r\n<a href=\"http://192.0.2.66/login\">https://bank.example/</a> verify your password now or lose $1,000,000, <a href=\"mailto:help@example.org?subject=x\">ask</a>\r\n"
)

// judge is the node's way of a message; who writes "panic" or "hold" tries the door.
func (r *rig) judge(ctx context.Context, m *message.Message) gateway.Answer {
	switch m.Subject {
	case "panic":
		panic("broken")
	case "hold":
		<-ctx.Done()
		return gateway.Answer{}
	}
	select {
	case r.asked <- m:
	default:
	}
	j := r.filter.Judge(ctx, m, m.Recipients)
	return gateway.Answer{Judgement: j, Decisions: policy.Decide(j, m, r.rules)}
}

func (r *rig) learn(ctx context.Context, l gateway.Lesson) (bool, error) {
	if l.Message.Subject == "disk full" {
		return false, errors.New("no space left on device")
	}
	if l.TakesBack && !r.filter.Stands(l.Message, l.Label.Opposite(), message.Scope{}) || r.filter.Stands(l.Message, l.Label, message.Scope{}) {
		return false, nil
	}
	r.filter.Apply(r.filter.Lesson(ctx, l.Message, l.Label, message.Scope{}, l.Teacher))
	select {
	case r.taken <- l:
	default:
	}
	return true, nil
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// newRig reads door and rules as they stand in a configuration.
func newRig(t testing.TB, door, rules string) *rig {
	t.Helper()
	return newRigOn(t, "127.0.0.1:0", door, rules)
}

func newRigOn(t testing.TB, listen, door, rules string) *rig {
	t.Helper()
	r := &rig{t: t, filter: filter.New(filter.Options{}), asked: make(chan *message.Message, 1), taken: make(chan gateway.Lesson, 1)}
	if err := config.Parse("test", []byte("name = 'mx'\nlisten = ['"+listen+"']\n"+door), &r.cfg); err != nil {
		t.Fatal(err)
	}
	r.setRules(rules)
	host := &gateway.Host{Judge: r.judge, Sign: r.sign, Log: slog.New(slog.DiscardHandler), Metrics: gateway.NewMetrics(prometheus.NewRegistry())}
	var err error
	if r.door, err = New(r.cfg, host, r.learn); err != nil {
		t.Fatal(err)
	}
	l, err := gateway.ListenAll(t.Context(), r.cfg.Listen)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.door.Run(ctx, l) }()
	r.addr, r.stop = l[0].Addr().String(), stop
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return r
}

func (r *rig) setRules(text string) {
	var c policy.Config
	if err := config.Parse("policy", []byte(text), &c); err != nil {
		r.t.Fatal(err)
	}
	var err error
	if r.rules, err = policy.New(c); err != nil {
		r.t.Fatal(err)
	}
}

// post sends a mail; headers are "Name: value".
func (r *rig) post(path, body string, headers ...string) (int, string) {
	r.t.Helper()
	return r.send("POST", path, strings.NewReader(body), headers...)
}

func (r *rig) send(method, path string, body io.Reader, headers ...string) (int, string) {
	r.t.Helper()
	req, err := http.NewRequest(method, "http://"+r.addr+path, body)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header[name] = append(req.Header[name], value) // in the case it is written
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// check asks about a mail and reads the answer, whose symbols must add up.
func (r *rig) check(body string, headers ...string) answered {
	r.t.Helper()
	status, text := r.post("/checkv2", body, headers...)
	var out answered
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&out); err != nil || status != http.StatusOK {
		r.t.Fatalf("%d %v %s", status, err, text)
	}
	addUp(r.t, &out)
	return out
}

func addUp(t testing.TB, r *answered) {
	t.Helper()
	var sum float64
	for _, s := range r.Symbols {
		sum += math.Round(s.Score * 1000)
	}
	if !r.Skipped && sum != math.Round(r.Score*1000) {
		t.Errorf("the symbols add up to %v, not to %v: %+v", sum/1000, r.Score, r.Symbols)
	}
}

func TestCheckReadsTheEnvelope(t *testing.T) {
	r := newRig(t, "relays = ['198.51.100.0/24']", "")
	relayed := "Received: from origin.example ([192.0.2.9]) by relay.example.net with ESMTP; Tue, 24 Nov 2026 12:00:00 +0000\r\n" + mail
	for _, tt := range []struct {
		name    string
		body    string
		headers []string
		want    func(m *message.Message) bool
	}{
		{"whole", mail, []string{"ip: 192.0.2.7", "HELO: mx.example.com", "hostname: Mail.Example.com", "FROM: <anna@example.com>",
			"Rcpt: <Ben@example.net>", "rcpt: <c@example.net>,<d@example.net>", "Queue-Id: A1B2"}, func(m *message.Message) bool {
			return m.Source.Address == netip.MustParseAddr("192.0.2.7") && m.Helo == "mx.example.com" && m.Source.Name == "mail.example.com" &&
				m.MailFrom == "anna@example.com" && m.QueueID == "A1B2" && m.OneAnswer && m.Direction == message.In &&
				len(m.Recipients) == 3 && m.Recipients[0].Address == "ben@example.net" && m.Recipients[2].Address == "d@example.net" && m.Recipients[2].Domain == "example.net"
		}},
		{"nothing told", mail, nil, func(m *message.Message) bool {
			return !m.Source.Address.IsValid() && m.Recipients == nil && m.Size == len(mail)
		}},
		{"mapped and bracketed", mail, []string{"IP: [::ffff:192.0.2.7]", "Hostname: unknown"}, func(m *message.Message) bool {
			return m.Source.Address == netip.MustParseAddr("192.0.2.7") && m.Source.Name == ""
		}},
		{"broken address and bytes", mail, []string{"IP: 300.1.1.1", "From: a\xff@example.com"}, func(m *message.Message) bool {
			return !m.Source.Address.IsValid() && m.MailFrom == "a\ufffd@example.com"
		}},
		{"TLS", mail, []string{"TLS-Version: TLSv1.3", "IP: 192.0.2.7"}, func(m *message.Message) bool { return m.Source.TLS == "TLSv1.3" }},
		{"no version of TLS", mail, []string{"TLS-Version: yes", "IP: 192.0.2.7"}, func(m *message.Message) bool { return m.Source.TLS == "" }},
		{"user", mail, []string{"User: anna", "IP: 192.0.2.7"}, func(m *message.Message) bool {
			return m.Account == "anna" && m.Direction == message.Out && m.Source.Trusted
		}},
		{"mailbox", mail, []string{"Rcpt: sales@example.net", "Deliver-To: Ben"}, func(m *message.Message) bool {
			return len(m.Recipients) == 1 && m.Recipients[0].Address == "sales@example.net" && m.Recipients[0].User == "ben"
		}},
		{"mailbox alone", mail, []string{"Deliver-To: ben@example.net"}, func(m *message.Message) bool {
			return len(m.Recipients) == 1 && m.Recipients[0].Address == "ben@example.net"
		}},
		{"relay", relayed, []string{"IP: 198.51.100.4"}, func(m *message.Message) bool {
			return m.Source.Address == netip.MustParseAddr("192.0.2.9")
		}},
		{"no relay", relayed, []string{"IP: 203.0.113.4"}, func(m *message.Message) bool {
			return m.Source.Address == netip.MustParseAddr("203.0.113.4")
		}},
		{"raw", "just words", []string{"Raw: yes", "Subject: told"}, func(m *message.Message) bool {
			return m.VisibleText() == "just words" && m.Subject == "told"
		}},
		{"behind a control block", `{"ip":"192.0.2.1"}` + mail, []string{fmt.Sprintf("Message-Length: %d", len(mail))}, func(m *message.Message) bool {
			return m.Subject == "lunch" && m.Size == len(mail) && len(m.Raw) == len(mail)
		}},
		{"longer than max_size", mail + strings.Repeat("x", 17<<20), nil, func(m *message.Message) bool {
			return m.Size == len(mail)+17<<20 && m.HasAnomaly("cut_bytes") && len(m.Raw) <= 16<<20
		}},
	} {
		r.check(tt.body, tt.headers...)
		if m := <-r.asked; !tt.want(m) {
			t.Errorf("%s: from %q helo %q source %+v to %+v account %q size %d of %d, %v", tt.name, m.MailFrom, m.Helo, m.Source, m.Recipients, m.Account, len(m.Raw), m.Size, m.Anomalies)
		}
	}
}

// A mail comes compressed, in chunks, in a file or in shared memory: it is the same mail.
func TestCheckReadsTheMail(t *testing.T) {
	r := newRig(t, "", "")
	e, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	packed := string(e.EncodeAll([]byte(mail), nil))
	file := filepath.Join(t.TempDir(), "a mail.eml")
	if err := os.WriteFile(file, []byte(mail), 0o600); err != nil {
		t.Fatal(err)
	}
	shm, err := os.CreateTemp("/dev/shm", "rempart-test")
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { os.Remove(shm.Name()) })
	if _, err := shm.WriteString("1234" + mail + "rest"); err != nil {
		t.Fatal(err)
	}
	name := filepath.Base(shm.Name())
	for _, tt := range []struct {
		name    string
		body    io.Reader
		headers []string
	}{
		{"plain", strings.NewReader(mail), nil},
		{"chunked", io.MultiReader(strings.NewReader(mail[:50]), strings.NewReader(mail[50:])), nil},
		{"zstd", strings.NewReader(packed), []string{"compression: ZSTD"}},
		{"zstd by the web's name", strings.NewReader(packed), []string{"Content-Encoding: zstd"}},
		{"file", strings.NewReader(""), []string{`File: "` + url.PathEscape(file) + `"`}},
		{"shared memory", strings.NewReader(""), []string{"Shm: /" + name, "Shm-Offset: 4", fmt.Sprintf("Shm-Length: %d", len(mail))}},
	} {
		status, text := r.send("POST", "/checkv2", tt.body, tt.headers...)
		if status != http.StatusOK {
			t.Errorf("%s: %d %s", tt.name, status, text)
			continue
		}
		if m := <-r.asked; string(m.Raw) != mail || m.Size != len(mail) {
			t.Errorf("%s: %d bytes, %q", tt.name, m.Size, m.Raw)
		}
	}
	for _, tt := range []struct {
		name    string
		body    string
		headers []string
		status  int
		want    string
	}{
		{"no zstd", mail, []string{"Compression: zstd"}, 400, "decompress"},
		{"cut zstd", packed[:len(packed)-9], []string{"Compression: zstd"}, 400, "decompress"},
		{"a file that is none", "", []string{"File: /nonexistent"}, 400, "no such file"},
		{"a directory", "", []string{"File: /tmp"}, 400, "no regular file"},
		{"a device", "", []string{"File: /dev/zero"}, 400, "no regular file"},
		{"out of shared memory", "", []string{"Shm: ../../etc/passwd"}, 400, "name of a POSIX shared memory"},
		{"bad offset", "", []string{"Shm: " + name, "Shm-Offset: -4"}, 400, "number of bytes"},
		{"a file, passed on by a proxy", "", []string{"File: " + file, "X-Forwarded-For: 203.0.113.7"}, 403, "UNIX socket or on loopback"},
		{"longer than the body", mail, []string{"Message-Length: 4000"}, 400, "Message-Length"},
		{"encrypted", "\x01\x02", []string{"Key: abcde=fghij"}, 400, "HTTPCrypt"},
	} {
		status, text := r.post("/checkv2", tt.body, tt.headers...)
		var f failure
		if err := json.Unmarshal([]byte(text), &f); err != nil || status != tt.status || !strings.Contains(f.Error, tt.want) {
			t.Errorf("%s: %d %v %s", tt.name, status, err, text)
		}
	}
}

// A client on a UNIX socket is on this machine, but has no address to be listed by: it teaches by password.
func TestUnixSocket(t *testing.T) {
	dir := t.TempDir()
	r := newRigOn(t, "unix:"+filepath.Join(dir, "rspamd.sock"), "password_sha256 = '"+digest("q1")+"'\nteachers = ['0.0.0.0/0', '::/0']", "")
	file := filepath.Join(dir, "mail.eml")
	if err := os.WriteFile(file, []byte(mail), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		path    string
		headers string
		status  string
	}{
		{"/checkv2", "", "200"}, {"/learnspam", "", "401"}, {"/learnspam", "Password: q1\r\n", "200"},
	} {
		c, err := net.Dial("unix", r.addr)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(c, "POST %s HTTP/1.0\r\nFile: %s\r\n%s\r\n", tt.path, file, tt.headers)
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(resp.Body)
		c.Close()
		if !strings.HasPrefix(resp.Status, tt.status) {
			t.Errorf("%s %s: %s %s", tt.path, tt.headers, resp.Status, b)
		}
	}
	if m := <-r.asked; m.Subject != "lunch" {
		t.Errorf("%+v", m)
	}
}

// A bomb is decompressed up to max_size and no further, and judged on what was read.
func TestBomb(t *testing.T) {
	r := newRig(t, "max_size = 65536", "")
	e, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	bomb := e.EncodeAll(append([]byte(mail), make([]byte, 200<<20)...), nil)
	r.check(string(bomb), "Compression: zstd")
	if m := <-r.asked; len(m.Raw) != 65536 || !m.HasAnomaly("cut_bytes") {
		t.Errorf("%d bytes, %v", len(m.Raw), m.Anomalies)
	}
}

func TestAnswer(t *testing.T) {
	const all = "[thresholds]\ntag = 0.9\n"
	for _, tt := range []struct {
		name, door, rules string
		body              string
		headers           []string
		action            string
		low, high         float64
		want              func(r answered) bool
	}{
		{"honest", "", "", mail, nil, noAction, -100, 3.999, func(r answered) bool {
			return r.Milter == nil && r.MessageID == "1@example.com" && len(r.Symbols) > 0 && len(r.URLs) == 1 && r.URLs[0] == "menu.example.com"
		}},
		{"tag", "", all, scam, []string{"Rcpt: ben@example.net"}, addHeader, 6, 14.999, func(r answered) bool {
			_, forged := r.Milter.Remove["X-Rempart-Action"]
			return forged && len(r.Emails) == 1 && r.Emails[0] == "help@example.org" && r.Milter.Add["X-Rempart-Action"].Value == "tag" && strings.Contains(r.Milter.Add["X-Rempart-Reasons"].Value, "=+") &&
				r.Symbols["LINK_ADDRESS"].Description == "a link leads to the bare address 192.0.2.66" && r.Symbols["LINK_ADDRESS"].Options[0] == "192.0.2.66"
		}},
		{"from a relay", "relays = ['192.0.2.0/24']", all, scam, []string{"IP: 192.0.2.7"}, addHeader, 6, 14.999, func(r answered) bool {
			return r.Milter.Remove == nil && r.Milter.Add != nil
		}},
		{"rewrite", "rewrite_subject = '[Müll] '", "[thresholds]\nrewrite = 0.9\n", scam, nil, rewriteSubject, 6, 14.999, func(r answered) bool {
			return strings.HasPrefix(r.Subject, "=?utf-8?q?[M=C3=BCll]_URGENT") && r.Milter.Add["X-Rempart-Action"].Value == "rewrite"
		}},
		{"quarantine", "", "[thresholds]\nquarantine = 0.9\n", scam, nil, addHeader, 6, 14.999, func(r answered) bool {
			return r.Milter.Add["X-Rempart-Action"].Value == "quarantine"
		}},
		{"tempfail", "", "[thresholds]\ntempfail = 0.9\n", scam, nil, softReject, 4, 14.999, func(r answered) bool {
			return r.Milter == nil && r.Messages["smtp_message"] == catalogue.English().Say("answer.tempfail")
		}},
		{"greylist", "", "[thresholds]\ngreylist = 0.001\ntag = 0\n", scam, []string{"IP: 192.0.2.7", "Rcpt: ben@example.net"}, softReject, 4, 14.999, func(r answered) bool {
			return r.Milter == nil && r.Messages["smtp_message"] == catalogue.English().Say("answer.greylist")
		}},
		{"greylist, for nobody in sight", "", "[thresholds]\ngreylist = 0.001\ntag = 0\n", scam, nil, noAction, -100, 5.999, func(r answered) bool { return r.Messages["smtp_message"] == "" }},
		{"denied", "", "[[deny]]\nnetwork = '192.0.2.7'\n", mail, []string{"IP: 192.0.2.7"}, reject, 15, 15, func(r answered) bool {
			return r.Messages["smtp_message"] == catalogue.English().Say("answer.reject") && r.Symbols[gateway.PartOfScale].Score > 15
		}},
		{"allowed", "", "[[allow]]\nnetwork = '192.0.2.7'\n", scam, []string{"IP: 192.0.2.7"}, noAction, 3.999, 3.999, func(r answered) bool {
			return r.Symbols[gateway.PartOfScale].Score < 0 && r.Milter.Add == nil && len(r.Milter.Remove) == 1
		}},
		{"shadow", "mode = 'shadow'", all, scam, nil, noAction, 3.999, 3.999, func(r answered) bool {
			return r.Milter == nil && r.Subject == "" && r.Symbols["LINK_ADDRESS"].Score > 0
		}},
		{"shadow by policy", "", "mode = 'shadow'\n[thresholds]\ntag = 0.9\n", scam, nil, noAction, 3.999, 3.999, func(r answered) bool { return r.Milter == nil }},
		{"nothing turned on", "", "[thresholds]\ntag = 0\n", scam, nil, noAction, 5.999, 5.999, func(r answered) bool { return r.Milter.Add == nil }},
		{"recipients unlike", "", "[[scope]]\nuser = 'ben@example.net'\nthresholds = {tag = 0, rewrite = 0.5}\n[[scope]]\nuser = 'c@example.net'\nthresholds = {tag = 0}\n", scam,
			[]string{"Rcpt: ben@example.net", "Rcpt: d@example.net", "Rcpt: e@example.net", "Rcpt: c@example.net"}, addHeader, 6, 14.999, func(r answered) bool {
				return r.Milter.Add["X-Rempart-Recipients"].Value == "majority"
			}},
		{"client's exemption", "", all, scam, []string{"Flags: milter, skip"}, noAction, 0, 0, func(r answered) bool { return r.Skipped }},
		{"no judgement", "budget = '20ms'", "", "Subject: hold\r\n\r\n", nil, softReject, 0, 0, func(r answered) bool {
			return r.Skipped && r.Messages["smtp_message"] != ""
		}},
		{"panic", "", "", "Subject: panic\r\n\r\n", nil, softReject, 0, 0, func(r answered) bool { return r.Skipped }},
		{"no judgement, accept", "budget = '20ms'\non_error = 'accept'", "", "Subject: hold\r\n\r\n", nil, noAction, 0, 0, func(r answered) bool { return r.Skipped }},
		{"no judgement, shadow", "budget = '20ms'\nmode = 'shadow'", "", "Subject: hold\r\n\r\n", nil, noAction, 0, 0, func(r answered) bool { return r.Skipped }},
		{"empty", "", "", "", nil, noAction, -100, 5.999, func(r answered) bool { return !r.Skipped }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, tt.door, tt.rules)
			got := r.check(tt.body, tt.headers...)
			if got.Action != tt.action || got.Score < tt.low || got.Score > tt.high || got.Required != 15 || !tt.want(got) {
				t.Errorf("%+v %+v", got, got.Milter)
			}
		})
	}
}

// The older form has the symbols beside the score, as rspamd 3.4 answers it.
func TestSymbols(t *testing.T) {
	r := newRig(t, "", "")
	for _, path := range []string{"/symbols", "/check"} {
		status, text := r.post(path, scam)
		var out struct {
			Default map[string]json.RawMessage `json:"default"`
		}
		if err := json.Unmarshal([]byte(text), &out); err != nil || status != http.StatusOK {
			t.Fatal(err, text)
		}
		if string(out.Default["action"]) != `"add header"` || string(out.Default["is_spam"]) != "true" || !bytes.Contains(out.Default["LINK_ADDRESS"], []byte(`"score":`)) {
			t.Errorf("%s: %s", path, text)
		}
	}
}

func TestPingAndUnknown(t *testing.T) {
	r := newRig(t, "", "")
	if status, text := r.send("GET", "/ping", nil); status != 200 || text != "pong\r\n" {
		t.Errorf("%d %q", status, text)
	}
	for _, path := range []string{"/nosuch", "/checkv3", "/"} {
		if status, text := r.post(path, mail); status != 404 || !strings.Contains(text, "invalid command") {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
}

// A new configuration counts from the next request on, on the same connection.
func TestReconfigure(t *testing.T) {
	r := newRig(t, "", "")
	if got := r.check(scam); got.Action != addHeader {
		t.Fatalf("%+v", got)
	}
	c := r.cfg
	c.Mode = message.ModeShadow
	if err := r.door.Reconfigure(c); err != nil {
		t.Fatal(err)
	}
	if got := r.check(scam); got.Action != noAction {
		t.Errorf("%+v", got)
	}
	for _, bad := range []Config{{MaxSize: 1}, {MailDoor: gateway.MailDoor{Relays: []string{"x"}}},
		{Teachers: []string{"x"}}, {PasswordSHA256: "secret"}, {MailDoor: gateway.MailDoor{RewriteSubject: "a\nb"}}} {
		bad.Door = c.Door
		if err := r.door.Reconfigure(bad); err == nil || !strings.Contains(err.Error(), "gateway.rspamd.") {
			t.Errorf("%+v was taken: %v", bad, err)
		}
	}
}

// What is in hand when the node stops is answered.
func TestDrain(t *testing.T) {
	r := newRig(t, "", "")
	c, err := net.Dial("tcp", r.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "POST /checkv2 HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n", len(mail))
	in := bufio.NewReader(c)
	if line, err := in.ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
		t.Fatal(line, err) // the request is being read
	}
	_, _ = in.ReadString('\n')
	r.stop()
	_, _ = io.WriteString(c, mail)
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != 200 || !bytes.Contains(b, []byte(`"action":"no action"`)) {
		t.Errorf("%v %v %s", resp.Status, err, b)
	}
}
