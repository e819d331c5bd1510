package milter

import (
	"context"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	lib "github.com/d--j/go-milter"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"rempart/config"
	"rempart/gateway"
	"rempart/message"
	"rempart/message/email"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a front door on a port of its own.
type rig struct {
	t    testing.TB
	addr string
	stop context.CancelFunc
}

func newRig(t testing.TB, judge gateway.Judge, change func(*Config), sign ...gateway.Sign) *rig {
	cfg := Config{MailDoor: gateway.MailDoor{Door: gateway.Door{Name: "mx", Listen: []string{"127.0.0.1:0"}, Budget: config.Duration(time.Second)}}}
	if change != nil {
		change(&cfg)
	}
	host := &gateway.Host{Judge: judge, Log: slog.New(slog.DiscardHandler), Metrics: gateway.NewMetrics(prometheus.NewRegistry())}
	if len(sign) > 0 {
		host.Sign = sign[0]
	}
	f, err := New(cfg, host)
	if err != nil {
		t.Fatal(err)
	}
	l, err := gateway.ListenAll(t.Context(), cfg.Listen)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx, l) }()
	t.Cleanup(func() {
		stop()
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(20 * time.Second):
			t.Error("the milter did not drain")
		}
	})
	return &rig{t, l[0].Addr().String(), stop}
}

// verdict is what the tests' judge says of every mail.
var verdict = &message.Verdict{Score: message.Odds(3.25), Probability: 0.9627, Contributions: []message.Contribution{
	{Name: "date_ahead", State: message.StatePresent, Input: message.FixedOne, Coefficient: message.Odds(1.25)},
	{Name: "link_host", State: message.StatePresent, Input: message.FixedOne, Coefficient: message.Odds(2)},
}}

// by decides by the local part of each recipient: "tag@..." is tagged, "accept1@..." accepted.
func by(asked chan<- *message.Message) gateway.Judge {
	return func(_ context.Context, m *message.Message) gateway.Answer {
		if asked != nil {
			asked <- m
		}
		var ans gateway.Answer
		for _, r := range m.Recipients {
			name, _, _ := strings.Cut(r.Address, "@")
			name = strings.TrimRight(name, "0123456789")
			d := message.Decision{Mode: m.Mode, Text: "no, " + name}
			if name == "panic" {
				panic("broken")
			}
			if rest, ok := strings.CutPrefix(name, "united-"); ok {
				name, d.United = rest, true
			}
			if name == "kept" {
				name, ans.Kept = "quarantine", true
			}
			if err := d.Action.UnmarshalText([]byte(name)); err != nil {
				panic(err)
			}
			ans.Decisions = append(ans.Decisions, d)
			ans.Judgement.Verdicts = append(ans.Judgement.Verdicts, verdict)
		}
		return ans
	}
}

// inShadow decides as the judge does in a node that was switched to shadow.
func inShadow(judge gateway.Judge) gateway.Judge {
	return func(ctx context.Context, m *message.Message) gateway.Answer {
		ans := judge(ctx, m)
		for i := range ans.Decisions {
			ans.Decisions[i].Mode = message.ModeShadow
		}
		return ans
	}
}

// envelope is a mail as the server's events; headers are "Name: value".
type envelope struct {
	client  string
	from    string
	to      []string
	headers []string
	body    string
	macros  map[string]string
}

func (r *rig) session(macros map[string]string) *lib.ClientSession {
	r.t.Helper()
	client := lib.NewClient("tcp", r.addr)
	bag := lib.NewMacroBag()
	for k, v := range macros {
		bag.Set(k, v)
	}
	s, err := client.Session(bag)
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

// send sends one mail and returns what the server is told to change and to answer.
func (r *rig) send(e envelope) ([]lib.ModifyAction, *lib.Action) {
	r.t.Helper()
	s := r.session(e.macros)
	defer s.Close()
	client := e.client
	if client == "" {
		client = "192.0.2.7"
	}
	if _, err := s.Conn("mx.example.org", lib.FamilyInet, 25, client); err != nil {
		r.t.Fatal(err)
	}
	if _, err := s.Helo("mx.example.org"); err != nil {
		r.t.Fatal(err)
	}
	return r.mail(s, e)
}

func (r *rig) mail(s *lib.ClientSession, e envelope) ([]lib.ModifyAction, *lib.Action) {
	r.t.Helper()
	check := func(_ *lib.Action, err error) {
		r.t.Helper()
		if err != nil {
			r.t.Fatal(err)
		}
	}
	check(s.Mail(e.from, ""))
	for _, to := range e.to {
		check(s.Rcpt(to, ""))
	}
	check(s.DataStart())
	for _, h := range e.headers {
		name, value, _ := strings.Cut(h, ":")
		check(s.HeaderField(name, value, nil))
	}
	check(s.HeaderEnd())
	for body := range slices.Chunk([]byte(e.body), 65535) {
		check(s.BodyChunk(body))
	}
	acts, act, err := s.End()
	if err != nil {
		r.t.Fatal(err)
	}
	return acts, act
}

func to(names ...string) envelope {
	e := envelope{from: "a@example.com", headers: []string{"Subject: hello", "From: a@example.com"}, body: "hello\r\n"}
	for _, n := range names {
		e.to = append(e.to, n+"@example.net")
	}
	return e
}

func added(acts []lib.ModifyAction) map[string]string {
	out := map[string]string{}
	for _, a := range acts {
		if a.Type == lib.ActionAddHeader {
			out[a.HeaderName] = a.HeaderValue
		}
	}
	return out
}

// The library's one second for the negotiation is too short for a busy machine; later deadlines are its own.
func TestNegotiationHasTime(t *testing.T) {
	client, server := net.Pipe()
	defer client.Close()
	c := &deadlines{Conn: server}
	g := newGuarded(c, slog.New(slog.DiscardHandler))
	defer g.Close()
	soon := time.Now().Add(time.Second)
	if err := g.SetReadDeadline(soon); err != nil || c.last.Before(soon.Add(10*time.Second)) {
		t.Errorf("deadline of the negotiation %v: %v", c.last, err)
	}
	go func() { _, _ = client.Write([]byte("\x00\x00\x00\x0dO" + strings.Repeat("\x00", 12))) }()
	if _, err := g.Read(make([]byte, 17)); err != nil {
		t.Fatal(err)
	}
	if err := g.SetReadDeadline(soon); err != nil || !c.last.Equal(soon) {
		t.Errorf("deadline of what follows %v, want %v: %v", c.last, soon, err)
	}
}

// deadlines remembers the last one set.
type deadlines struct {
	net.Conn
	last time.Time
}

func (d *deadlines) SetReadDeadline(t time.Time) error {
	d.last = t
	return d.Conn.SetReadDeadline(t)
}

// The mail is put together byte for byte, with its envelope.
func TestMessage(t *testing.T) {
	asked := make(chan *message.Message, 1)
	r := newRig(t, by(asked), nil)
	r.send(envelope{from: "Sender@example.com", to: []string{"accept@Example.NET"}, body: "line\r\n.\r\nend",
		headers: []string{"Subject:no space", "X-Fold: one\n\ttwo", "From: Anna <anna@example.com>"},
		macros:  map[string]string{"i": "4F2A1"}})
	m := <-asked
	const want = "Subject:no space\r\nX-Fold: one\r\n\ttwo\r\nFrom: Anna <anna@example.com>\r\n\r\nline\r\n.\r\nend"
	if string(m.Raw) != want || m.Size != len(want) {
		t.Errorf("put together as %q", m.Raw)
	}
	if m.Source.Address.String() != "192.0.2.7" || m.Source.Name != "mx.example.org" || m.Helo != "mx.example.org" || m.MailFrom != "Sender@example.com" ||
		m.Recipients[0] != (message.Recipient{Address: "accept@example.net", Domain: "example.net"}) || m.QueueID != "4F2A1" ||
		m.From.String() != "anna@example.com" || m.Direction != message.In || m.Door != "mx" || m.ID == "" || !m.OneAnswer || m.Subject != "no space" {
		t.Errorf("%+v", m)
	}
	e := to("accept")
	e.macros = map[string]string{"{auth_authen}": "anna", "{tls_version}": "TLSv1.2"}
	r.send(e)
	if m := <-asked; m.Account != "anna" || m.Source.TLS != "TLSv1.2" || m.Direction != message.Out || !m.Source.Trusted {
		t.Errorf("logged in: account %q, direction %s", m.Account, m.Direction)
	}
}

func TestSourceBehindRelay(t *testing.T) {
	asked := make(chan *message.Message, 1)
	r := newRig(t, by(asked), func(c *Config) { c.Relays = []string{"192.0.2.0/24"} })
	e := to("accept")
	e.headers = append([]string{"Received: from evil.example (evil.example [198.51.100.9])\n\tby relay.example.net; Mon, 23 Nov 2026 12:00:00 +0000"}, e.headers...)
	r.send(e)
	if m := <-asked; m.Source.Address.String() != "198.51.100.9" || m.Helo != "evil.example" {
		t.Errorf("source %v, helo %q", m.Source, m.Helo)
	}
}

func TestActions(t *testing.T) {
	r := newRig(t, by(nil), nil)
	for _, tt := range []struct {
		to     []string
		reply  string // as the client of the mail server sees it
		action lib.ActionType
		marked string // X-Rempart-Action
		other  []lib.ModifyActionType
	}{
		{[]string{"accept"}, "", lib.ActionAccept, "", nil},
		{[]string{"tag"}, "", lib.ActionAccept, "tag", nil},
		{[]string{"rewrite"}, "", lib.ActionAccept, "rewrite", []lib.ModifyActionType{lib.ActionChangeHeader}},
		{[]string{"hold"}, "", lib.ActionAccept, "hold", []lib.ModifyActionType{lib.ActionQuarantine}},
		{[]string{"quarantine"}, "", lib.ActionAccept, "hold", []lib.ModifyActionType{lib.ActionQuarantine}},
		{[]string{"reject"}, "550 5.7.1 no, reject", lib.ActionRejectWithCode, "", nil},
		{[]string{"tempfail"}, "451 4.7.1 no, tempfail", lib.ActionRejectWithCode, "", nil},
		{[]string{"greylist"}, "451 4.7.1 no, greylist", lib.ActionRejectWithCode, "", nil},
		{[]string{"discard"}, "", lib.ActionDiscard, "", nil},
		{[]string{"remove"}, "", lib.ActionDiscard, "", nil},
		{[]string{"tag1", "remove", "tag2"}, "", lib.ActionAccept, "tag", []lib.ModifyActionType{lib.ActionDelRcpt}},
		{[]string{"kept1", "kept2"}, "", lib.ActionDiscard, "", nil},
		{[]string{"kept", "remove"}, "", lib.ActionDiscard, "", nil},
		{[]string{"accept", "kept"}, "", lib.ActionAccept, "", []lib.ModifyActionType{lib.ActionDelRcpt}},
		{[]string{"reject1", "reject2"}, "550 5.7.1 no, reject", lib.ActionRejectWithCode, "", nil},
	} {
		acts, act := r.send(to(tt.to...))
		if act.Type != tt.action || tt.reply != "" && act.SMTPReply != tt.reply {
			t.Errorf("%v: %s", tt.to, act)
		}
		if got := strings.TrimSpace(added(acts)[gateway.HeaderAction]); got != tt.marked {
			t.Errorf("%v: marked %q", tt.to, got)
		}
		var other []lib.ModifyActionType
		for _, a := range acts {
			if a.Type != lib.ActionAddHeader {
				other = append(other, a.Type)
			}
			if a.Type == lib.ActionChangeHeader && a.HeaderValue != " [SPAM] hello" {
				t.Errorf("%v: subject becomes %q", tt.to, a.HeaderValue)
			}
			if a.Type == lib.ActionDelRcpt && !slices.Contains([]string{"remove@example.net", "kept@example.net"}, strings.Trim(a.Rcpt, "<>")) {
				t.Errorf("%v: removed %q", tt.to, a.Rcpt)
			}
		}
		if !slices.Equal(other, tt.other) {
			t.Errorf("%v: changes %v", tt.to, acts)
		}
	}
}

func TestHeaders(t *testing.T) {
	r := newRig(t, by(nil), nil)
	acts, _ := r.send(to("united-tag1", "united-tag2"))
	got := added(acts)
	for name, want := range map[string]string{gateway.HeaderAction: " tag", gateway.HeaderScore: " 3.250", gateway.HeaderProbability: " 0.9627",
		gateway.HeaderReasons: " link_host=+2.00 date_ahead=+1.25", gateway.HeaderRecipients: " majority"} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
	if len(got[gateway.HeaderID]) != 27 {
		t.Errorf("%s is %q", gateway.HeaderID, got[gateway.HeaderID])
	}
}

// All headers in our name go, whatever their case, and those of a relay stay.
func TestForgedHeaders(t *testing.T) {
	r := newRig(t, by(nil), func(c *Config) { c.Relays = []string{"192.0.2.99"} })
	e := to("accept")
	e.headers = append(e.headers, "X-Rempart-Action: accept", "x-rempart-ACTION: accept", "X-Rempart-Score: -9", "X-Rempart-Actions: not ours")
	acts, _ := r.send(e)
	var removed []string
	for _, a := range acts {
		if a.Type == lib.ActionChangeHeader && a.HeaderValue == "" {
			removed = append(removed, a.HeaderName+string(rune('0'+a.HeaderIndex)))
		}
	}
	if want := []string{gateway.HeaderAction + "2", gateway.HeaderAction + "1", gateway.HeaderScore + "1"}; !slices.Equal(removed, want) || len(acts) != 3 {
		t.Errorf("removed %v, want %v", removed, want)
	}
	e.client = "192.0.2.99"
	if acts, _ := r.send(e); len(acts) != 0 {
		t.Errorf("of a relay: %v", acts)
	}
}

// In shadow and tap nothing changes, not even a forged header or a mail without a decision.
func TestShadow(t *testing.T) {
	for _, mode := range []message.Mode{message.ModeShadow, message.ModeTap} {
		r := newRig(t, by(nil), func(c *Config) { c.Mode = mode })
		for _, name := range []string{"accept", "tag", "hold", "reject", "discard", "panic"} {
			e := to(name)
			e.headers = append(e.headers, "X-Rempart-Action: accept")
			if acts, act := r.send(e); len(acts) != 0 || act.Type != lib.ActionAccept {
				t.Errorf("%s, %s: %v %s", mode, name, acts, act)
			}
		}
	}
}

// A node that was put to shadow changes nothing either, whatever its front doors are set to.
func TestNodeInShadow(t *testing.T) {
	r := newRig(t, inShadow(by(nil)), nil)
	for _, name := range []string{"accept", "tag", "hold", "reject", "discard"} {
		e := to(name)
		e.headers = append(e.headers, "X-Rempart-Action: accept")
		if acts, act := r.send(e); len(acts) != 0 || act.Type != lib.ActionAccept {
			t.Errorf("%s: %v %s", name, acts, act)
		}
	}
}

func TestOnError(t *testing.T) {
	r := newRig(t, by(nil), nil)
	if _, act := r.send(to("panic")); act.SMTPCode != 451 || !strings.Contains(act.SMTPReply, "4.7.1 this message cannot be taken now") {
		t.Errorf("%s", act)
	}
	slow := func(context.Context, *message.Message) gateway.Answer {
		time.Sleep(200 * time.Millisecond)
		return gateway.Answer{}
	}
	r = newRig(t, slow, func(c *Config) { c.OnError, c.Budget = gateway.OnErrorAccept, config.Duration(10*time.Millisecond) })
	if acts, act := r.send(to("reject")); act.Type != lib.ActionAccept || len(acts) != 0 {
		t.Errorf("%v %s", acts, act)
	}
	forged := to("reject")
	forged.headers = append(forged.headers, "X-Rempart-Action: accept")
	if acts, act := r.send(forged); act.Type != lib.ActionAccept || len(acts) != 1 || acts[0].Type != lib.ActionChangeHeader {
		t.Errorf("forged: %v %s", acts, act)
	}
}

// Several mails on one connection, one of them given up, do not mix.
func TestOneConnection(t *testing.T) {
	asked := make(chan *message.Message, 1)
	r := newRig(t, by(asked), nil)
	s := r.session(nil)
	defer s.Close()
	if _, err := s.Conn("mx.example.org", lib.FamilyInet, 25, "192.0.2.7"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Helo("mx.example.org"); err != nil {
		t.Fatal(err)
	}
	r.mail(s, to("tag"))
	if m := <-asked; len(m.Recipients) != 1 {
		t.Errorf("%v", m.Recipients)
	}
	if _, err := s.Mail("given@up.example", ""); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Rcpt("reject@example.net", ""); err != nil {
		t.Fatal(err)
	}
	if err := s.Abort(nil); err != nil {
		t.Fatal(err)
	}
	if _, act := r.mail(s, to("accept")); act.Type != lib.ActionAccept {
		t.Errorf("%s", act)
	}
	if m := <-asked; len(m.Recipients) != 1 || m.MailFrom != "a@example.com" || m.Source.Address.String() != "192.0.2.7" {
		t.Errorf("%+v", m)
	}
}

// A mail beyond the cap is judged on what was read, and says so.
func TestMaxSize(t *testing.T) {
	asked := make(chan *message.Message, 1)
	const size = 64 << 10
	r := newRig(t, by(asked), func(c *Config) { c.MaxSize = size })
	e := to("accept")
	e.body = strings.Repeat("0123456789abcde\n", 5000)
	r.send(e)
	if m := <-asked; len(m.Raw) != size || m.Size <= 80000 || !m.HasAnomaly(email.CutBytes) {
		t.Errorf("%d bytes kept of %d, %v", len(m.Raw), m.Size, m.Anomalies)
	}
}

// Told to stop, the front door answers the mail in hand and closes idle connections at once.
func TestDrain(t *testing.T) {
	judging, release := make(chan struct{}), make(chan struct{})
	r := newRig(t, func(ctx context.Context, m *message.Message) gateway.Answer {
		close(judging)
		<-release
		return by(nil)(ctx, m)
	}, nil)
	idle, err := net.Dial("tcp", r.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	answered := make(chan *lib.Action)
	go func() {
		_, act := r.send(to("tag"))
		answered <- act
	}()
	<-judging
	r.stop()
	_ = idle.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.ReadAll(idle); err != nil {
		t.Errorf("the idle connection: %v", err)
	}
	close(release)
	if act := <-answered; act.Type != lib.ActionAccept {
		t.Errorf("%s", act)
	}
}

func TestCheckNamesTheKey(t *testing.T) {
	err := Config{MailDoor: gateway.MailDoor{Relays: []string{"here"}, RewriteSubject: "a\nb"}, MaxSize: 1}.Check("gateway.milter[0]")
	for _, want := range []string{"gateway.milter[0].name", ".relays", ".max_size", ".rewrite_subject"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
}
