package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"rempart/config"
	"rempart/gateway"
	"rempart/message"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Tokens "judge-token", "learn-token" and "school-token" (both rights, tenant school).
const tokens = `
[[token]]
name = "judge"
sha256 = "JUDGE"
rights = ["judge"]
[[token]]
name = "teacher"
sha256 = "LEARN"
rights = ["learn"]
[[token]]
name = "school"
sha256 = "SCHOOL"
rights = ["judge", "learn"]
tenant = "school"
`

func digest(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// rig is a front door on a port of its own.
type rig struct {
	t     testing.TB
	url   string
	stop  context.CancelFunc
	asked chan *message.Message
	taken chan Lesson
	ended chan []message.CallRecord
	hold  chan struct{} // until closed, "hold" is being judged
}

const mail = "From: Anna <anna@example.com>\r\nTo: b@example.net\r\nSubject: hello\r\n\r\nhello\r\n"

// judge finds "spam" in subject or text: probability 0.97, action tag.
func (r *rig) judge(_ context.Context, m *message.Message) gateway.Answer {
	select {
	case r.asked <- m:
	default:
	}
	v := &message.Verdict{Probability: 0.1}
	action := message.Accept
	all := m.Subject + m.VisibleText()
	if all == "hold" {
		<-r.hold
	}
	if strings.Contains(all, "panic") {
		panic("broken")
	}
	if strings.Contains(all, "spam") {
		v = &message.Verdict{Score: message.Odds(3.5), Probability: 0.97, Category: message.Scam, Contributions: []message.Contribution{
			{Name: "bias", Method: message.Content, State: message.StatePresent, Input: message.FixedOne, Coefficient: message.Odds(3.5)}}}
		action = message.Tag
	}
	var ans gateway.Answer
	for range max(1, len(m.Recipients)) {
		ans.Judgement.Verdicts = append(ans.Judgement.Verdicts, v)
		ans.Decisions = append(ans.Decisions, message.Decision{Action: action, Rule: "threshold", Mode: m.Mode})
	}
	return ans
}

func newRig(t testing.TB, change func(*Config)) *rig {
	r := &rig{t: t, asked: make(chan *message.Message, 1), taken: make(chan Lesson, 1), ended: make(chan []message.CallRecord, 1)}
	var cfg Config
	text := strings.NewReplacer("JUDGE", digest("judge-token"), "LEARN", digest("learn-token"), "SCHOOL", digest("school-token")).Replace(tokens)
	if err := config.Parse("test", []byte("name = 'api'\nlisten = ['127.0.0.1:0']\nbudget = '1s'\n"+text), &cfg); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&cfg)
	}
	host := &gateway.Host{Judge: r.judge, Log: slog.New(slog.DiscardHandler), Metrics: gateway.NewMetrics(prometheus.NewRegistry())}
	a, err := New(cfg, host, func(_ context.Context, l Lesson) (float64, float64, error) {
		if l.Message.Text == "broken" {
			return 0, 0, errors.New("disk full")
		}
		r.taken <- l
		return 0.2, 0.9, nil
	}, func(records []message.CallRecord) { r.ended <- records })
	if err != nil {
		t.Fatal(err)
	}
	l, err := gateway.ListenAll(t.Context(), cfg.Listen)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx, l) }()
	r.url, r.stop = "http://"+l[0].Addr().String(), stop
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return r
}

// do sends a request and returns its status, header and body.
func (r *rig) do(method, path, token, contentType, body string) (int, http.Header, string) {
	r.t.Helper()
	req, err := http.NewRequest(method, r.url+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
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
	return resp.StatusCode, resp.Header, string(b)
}

func TestJudgeEmail(t *testing.T) {
	r := newRig(t, nil)
	query := "?client=192.0.2.7&helo=mx.example.org&mail_from=a@example.com&rcpt_to=B@example.net&rcpt_to=c@example.net&queue_id=4F2"
	asJSON, _ := json.Marshal(map[string]any{"message": []byte(mail), "client": "192.0.2.7", "helo": "mx.example.org", "mail_from": "<a@example.com>",
		"rcpt_to": []string{"B@example.net", "<c@example.net>"}, "queue_id": "4F2"})
	for _, tt := range []struct{ path, contentType, body string }{
		{"/v1/judge/email" + query, "message/rfc822", mail},
		{"/v1/judge/email", "application/json; charset=utf-8", string(asJSON)},
	} {
		status, _, body := r.do("POST", tt.path, "judge-token", tt.contentType, tt.body)
		if status != 200 {
			t.Fatalf("%s: %d %s", tt.contentType, status, body)
		}
		m := <-r.asked
		if string(m.Raw) != mail || m.Source.Address.String() != "192.0.2.7" || m.Helo != "mx.example.org" || m.MailFrom != "a@example.com" ||
			len(m.Recipients) != 2 || m.Recipients[0].Address != "b@example.net" || m.Recipients[1].Domain != "example.net" || m.QueueID != "4F2" ||
			m.Direction != message.In || m.Door != "api" || m.Subject != "hello" {
			t.Errorf("%s: %+v", tt.contentType, m)
		}
		if strings.Count(body, `"action":"accept"`) != 3 {
			t.Errorf("%s: %s", tt.contentType, body)
		}
	}
	r.do("POST", "/v1/judge/email?account=anna", "school-token", "message/rfc822", mail)
	if m := <-r.asked; m.Direction != message.Out || m.Account != "anna" || !m.Source.Trusted || m.Tenant != "school" {
		t.Errorf("%+v", m)
	}
}

// The verdict is the object that scripts rely on.
func TestVerdict(t *testing.T) {
	r := newRig(t, nil)
	_, _, body := r.do("POST", "/v1/judge/sms", "judge-token", "application/json", `{"id":"x1","from":"ACME","to":"+447700900001","text":"spam"}`)
	var v map[string]any
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	for _, member := range []string{"id", "channel", "direction", "score", "probability", "category", "action", "signals", "source", "route"} {
		if _, ok := v[member]; !ok {
			t.Errorf("no %q in %s", member, body)
		}
	}
	if v["channel"] != "sms" || v["action"] != "tag" || v["score"] != 3.5 || v["category"] != "scam" || v["direction"] != "in" {
		t.Errorf("%s", body)
	}
	signal := v["signals"].([]any)[0].(map[string]any)
	if signal["name"] != "bias" || signal["weight"] != 3.5 || signal["reason"] == "" {
		t.Errorf("%v", signal)
	}
	if m := <-r.asked; m.QueueID != "x1" || m.MailFrom != "ACME" {
		t.Errorf("%+v", m)
	}
}

func TestBatch(t *testing.T) {
	r := newRig(t, nil)
	var texts []string
	for i := range 100 {
		texts = append(texts, fmt.Sprintf(`{"from":"ACME","to":"+447700900001","text":"%s"}`, []string{"hello", "spam"}[i%2]))
	}
	_, _, body := r.do("POST", "/v1/judge/sms", "judge-token", "application/json", "["+strings.Join(texts, ",")+"]")
	var got []struct{ Action string }
	if err := json.Unmarshal([]byte(body), &got); err != nil || len(got) != 100 {
		t.Fatalf("%v: %s", err, body)
	}
	for i, v := range got {
		if want := []string{"accept", "tag"}[i%2]; v.Action != want {
			t.Fatalf("text %d: %s, want %s", i, v.Action, want)
		}
	}
}

func TestShadow(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Mode = message.ModeShadow })
	if _, _, body := r.do("POST", "/v1/judge/sms", "judge-token", "application/json", `{"text":"spam"}`); !strings.Contains(body, `"action":"accept"`) {
		t.Error(body)
	}
	if status, _, body := r.do("POST", "/v1/judge/sms", "judge-token", "application/json", `{"text":"panic"}`); status != 200 || !strings.Contains(body, `"action":"accept"`) {
		t.Errorf("%d %s", status, body)
	}
}

func TestLearn(t *testing.T) {
	r := newRig(t, nil)
	raw := base64.StdEncoding.EncodeToString([]byte(mail))
	status, _, body := r.do("POST", "/v1/learn", "learn-token", "application/json", `{"label":"spam","channel":"email","category":"phishing","scope":{"user":"b@example.net"},"message":"`+raw+`"}`)
	if status != 200 || strings.TrimSpace(body) != `{"before":0.2,"after":0.9}` {
		t.Fatalf("%d %s", status, body)
	}
	if l := <-r.taken; l.Label != message.Spam || l.Category != message.Phishing || l.Teacher != "teacher" || l.Scope.User != "b@example.net" || l.Message.Subject != "hello" {
		t.Errorf("%+v", l)
	}
	r.do("POST", "/v1/learn", "school-token", "application/json", `{"label":"ham","channel":"sms","message":{"from":"ACME","text":"hello"}}`)
	if l := <-r.taken; l.Label != message.Ham || l.Teacher != "school" || l.Scope.Tenant != "school" || l.Message.Text != "hello" || l.Message.Tenant != "school" {
		t.Errorf("%+v", l)
	}
}

// Errors are problem documents that say what to do.
func TestErrors(t *testing.T) {
	r := newRig(t, func(c *Config) { c.MaxSize = 100_000 })
	large := strings.Repeat("x", 150_000)
	for _, tt := range []struct {
		path, token, contentType, body string
		status                         int
		says                           string
	}{
		{"/v1/judge/email", "", "message/rfc822", mail, 401, "Authorization: Bearer TOKEN"},
		{"/v1/judge/email", "wrong", "message/rfc822", mail, 401, "Authorization: Bearer TOKEN"},
		{"/v1/judge/email", "learn-token", "message/rfc822", mail, 403, `lacks the right \"judge\"`},
		{"/v1/learn", "judge-token", "application/json", "{}", 403, `lacks the right \"learn\"`},
		{"/v1/judge/email", "judge-token", "image/png", mail, 415, "message/rfc822"},
		{"/v1/judge/email?client=here", "judge-token", "message/rfc822", mail, 400, "192.0.2.7"},
		{"/v1/judge/email?direction=up", "judge-token", "message/rfc822", mail, 422, "direction"},
		{"/v1/judge/email", "judge-token", "message/rfc822", large, 413, "max_size"},
		{"/v1/judge/email", "judge-token", "message/rfc822", large + large, 413, "too large"},
		{"/v1/judge/email", "judge-token", "application/json", `{"mesage":""}`, 400, "mesage"},
		{"/v1/judge/sms", "judge-token", "application/json", `{"text":`, 400, "/openapi.json"},
		{"/v1/judge/sms", "judge-token", "application/json", `{"text":"a"}{"text":"b"}`, 400, "one object or one array"},
		{"/v1/judge/sms", "judge-token", "application/json", `{"text":"panic"}`, 503, "try again"},
		{"/v1/judge/sms", "judge-token", "application/json", `[{"text":"panic"}]`, 503, "try again"},
		{"/v1/judge/call", "judge-token", "application/json", `{"from":"1"}`, 400, "to"},
		{"/v1/judge/call", "judge-token", "application/json", `{"from":"1","to":"2","caller":"3"}`, 400, "/openapi.json"},
		{"/v1/judge/im", "judge-token", "application/json", `{"text":"a","client":"x"}`, 400, "client"},
		{"/v1/calls", "judge-token", "application/json", `[{"caller":"1","callee":"2","begun":"2026-01-02T03:04:05Z"},{"caller":"1"}]`, 400, "callee"},
		{"/v1/calls", "school-token", "application/json", `[]`, 403, "tenant"},
		{"/v1/calls", "learn-token", "application/json", `[]`, 403, "judge"},
		{"/v1/learn", "learn-token", "application/json", `{"label":"spam","channel":"call","message":{"from":"1"}}`, 400, "to"},
		{"/v1/learn", "learn-token", "application/json", `{"label":"eggs","channel":"sms","message":{"text":"a"}}`, 422, "label"},
		{"/v1/learn", "learn-token", "application/json", `{"label":"spam","channel":"email","message":{}}`, 400, "base64"},
		{"/v1/learn", "learn-token", "application/json", `{"label":"spam","channel":"sms","message":{"text":"broken"}}`, 503, "try again"},
		{"/v1/learn", "school-token", "application/json", `{"label":"spam","channel":"sms","scope":{"tenant":"other"},"message":{"text":"a"}}`, 403, "scope.tenant"},
	} {
		status, header, body := r.do("POST", tt.path, tt.token, tt.contentType, tt.body)
		if status != tt.status || !strings.Contains(body, tt.says) || header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s as %q with %.40q: %d %s %.300s", tt.path, tt.token, tt.body, status, header.Get("Content-Type"), body)
		}
		if status == 401 && header.Get("WWW-Authenticate") == "" || status == 503 && header.Get("Retry-After") == "" {
			t.Errorf("%d lacks its header: %v", status, header)
		}
	}
}

func TestOpenAPI(t *testing.T) {
	r := newRig(t, nil)
	status, _, body := r.do("GET", "/openapi.json", "", "", "")
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			RequestBody struct{ Content map[string]any }
			Security    []map[string][]string
		}
	}
	if err := json.Unmarshal([]byte(body), &doc); err != nil || status != 200 || doc.OpenAPI != "3.1.0" {
		t.Fatalf("%d %v", status, err)
	}
	email := doc.Paths["/v1/judge/email"]["post"]
	if len(email.RequestBody.Content) != 2 || email.RequestBody.Content["message/rfc822"] == nil || len(email.Security) != 1 {
		t.Errorf("judge email: %+v", email)
	}
	for path, method := range map[string]string{"/v1/judge/sms": "post", "/v1/judge/call": "post", "/v1/judge/im": "post", "/v1/calls": "post", "/v1/learn": "post", "/v1/ping": "get"} {
		if _, ok := doc.Paths[path][method]; !ok {
			t.Errorf("%s %s is missing", method, path)
		}
	}
	if status, _, body := r.do("GET", "/v1/ping", "", "", ""); status != 200 || strings.TrimSpace(body) != `{"status":"ok"}` {
		t.Errorf("ping: %d %s", status, body)
	}
	if status, _, _ := r.do("GET", "/docs", "", "", ""); status != 404 {
		t.Errorf("/docs answers %d", status)
	}
}

// Told to stop, a request in hand is still answered.
func TestDrain(t *testing.T) {
	r := newRig(t, nil)
	r.hold = make(chan struct{})
	answered := make(chan int)
	go func() {
		status, _, _ := r.do("POST", "/v1/judge/sms", "judge-token", "application/json", `{"text":"hold"}`)
		answered <- status
	}()
	<-r.asked
	r.stop()
	close(r.hold)
	if status := <-answered; status != 200 {
		t.Errorf("answered %d", status)
	}
}

func TestCheckNamesTheKey(t *testing.T) {
	err := Config{Token: []Token{{SHA256: "abc", Rights: []string{"all"}}}}.Check("gateway.api[0]")
	for _, want := range []string{"gateway.api[0].name", ".token[0].name", ".token[0].sha256", ".token[0].rights"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
}

// Whatever the body: an answer below 500 but for a panic of the judge, and always JSON.
func FuzzJudgeSMS(f *testing.F) {
	f.Add([]byte(`{"text":"hello"}`))
	f.Add([]byte(`[{"text":"hello"},{}]`))
	f.Add([]byte(`[`))
	r := newRig(f, func(c *Config) { c.OnError = gateway.OnErrorAccept })
	f.Fuzz(func(t *testing.T, b []byte) {
		req, _ := http.NewRequest("POST", r.url+"/v1/judge/sms", bytes.NewReader(b))
		req.Header.Set("Authorization", "Bearer judge-token")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		got, _ := io.ReadAll(resp.Body)
		if resp.StatusCode >= 500 || !json.Valid(got) {
			t.Fatalf("%d %s", resp.StatusCode, got)
		}
	})
}
