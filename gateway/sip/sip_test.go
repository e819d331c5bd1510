package sip

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"rempart/config"
	"rempart/gateway"
	"rempart/message"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a front door, a next hop behind it and a switch before it, each with a socket of its own.
type rig struct {
	t      testing.TB
	server *Server
	addr   netip.AddrPort
	hop    *net.UDPConn
	client *net.UDPConn
	stop   func()
	reg    *prometheus.Registry
}

func newRig(t testing.TB, judge gateway.Judge, change func(*Config)) *rig {
	t.Helper()
	r := &rig{t: t, hop: socket(t), client: socket(t), reg: prometheus.NewRegistry()}
	c := Config{Door: gateway.Door{Name: "sbc", Listen: []string{"127.0.0.1:0"}}, NextHops: []string{r.hop.LocalAddr().String()}}
	if change != nil {
		change(&c)
	}
	host := &gateway.Host{Judge: judge, Log: slog.New(slog.DiscardHandler), Metrics: gateway.NewMetrics(r.reg)}
	s, err := New(c, host)
	if err != nil {
		t.Fatal(err)
	}
	ls, ps, err := gateway.ListenBoth(t.Context(), c.Listen)
	if err != nil {
		t.Fatal(err)
	}
	r.server, r.addr = s, ps[0].LocalAddr().(*net.UDPAddr).AddrPort()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- s.Run(ctx, ls, ps) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(r.stop)
	return r
}

func socket(t testing.TB) *net.UDPConn {
	t.Helper()
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	return c
}

func always(a message.Action) gateway.Judge {
	return func(_ context.Context, m *message.Message) gateway.Answer {
		v := &message.Verdict{Probability: 0.9123}
		return gateway.Answer{Judgement: message.Judgement{Verdicts: []*message.Verdict{v}},
			Decisions: []message.Decision{{Action: a, Mode: m.Mode}}}
	}
}

func (r *rig) send(msg string) {
	r.t.Helper()
	if _, err := r.client.WriteToUDPAddrPort([]byte(msg), r.addr); err != nil {
		r.t.Fatal(err)
	}
}

func receive(t testing.TB, c *net.UDPConn) string {
	t.Helper()
	b := make([]byte, 65535)
	n, _, err := c.ReadFromUDPAddrPort(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n])
}

// ask sends a request and returns the answer.
func (r *rig) ask(msg string) string {
	r.t.Helper()
	r.send(msg)
	return receive(r.t, r.client)
}

var serial atomic.Int64

// request is one of a new transaction.
func request(method, more string) string {
	n := serial.Add(1)
	return fmt.Sprintf("%s sip:+442079460001@203.0.113.9;user=phone SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.4:5070;branch=z9hG4bK%d;rport\r\n"+
		"Via: SIP/2.0/TCP 198.51.100.7;branch=z9hG4bKx\r\nFrom: <sip:+442079460123@example.com>;tag=f%d\r\nTo: <sip:+442079460001@example.com>\r\n"+
		"Call-ID: c%d\r\nCSeq: 7 %s\r\n%s", method, n, n, n, method, more)
}

const sdp = "Max-Forwards: 70\r\nContent-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n"

func status(s string) string {
	line, _, _ := strings.Cut(s, "\r\n")
	return strings.TrimPrefix(line, "SIP/2.0 ")
}

// Every action, as the switch sees it.
func TestActions(t *testing.T) {
	for _, tt := range []struct {
		action                  message.Action
		redirect, carryOn, text string
	}{
		{message.Accept, "302 Moved Temporarily", "404 Not Found", "302 Moved Temporarily"},
		{message.Tag, "302 Moved Temporarily", "404 Not Found", "302 Moved Temporarily"},
		{message.Quarantine, "302 Moved Temporarily", "404 Not Found", "302 Moved Temporarily"},
		{message.Greylist, "480 Temporarily Unavailable", "480 Temporarily Unavailable", "480 Temporarily Unavailable"},
		{message.Tempfail, "480 Temporarily Unavailable", "480 Temporarily Unavailable", "480 Temporarily Unavailable"},
		{message.Reject, "603 Decline", "603 Decline", "603 Decline"},
		{message.Discard, "603 Decline", "603 Decline", "202 Accepted"},
		{message.Action(99), "302 Moved Temporarily", "404 Not Found", "302 Moved Temporarily"},
	} {
		r := newRig(t, always(tt.action), func(c *Config) { c.TagName = "Likely spam" })
		got := r.ask(request("INVITE", sdp))
		if status(got) != tt.redirect {
			t.Errorf("%s: redirect %s", tt.action, got)
		}
		labelled := tt.action == message.Tag || tt.action == message.Quarantine
		contact := "Contact: <sip:+442079460001@" + r.hop.LocalAddr().String() + ";user=phone>;q=1.0\r\n"
		if labelled {
			contact = strings.Replace(contact, "<", `"Likely spam" <`, 1)
		}
		if passes := strings.HasPrefix(tt.redirect, "302"); strings.Contains(got, contact) != passes ||
			strings.Contains(got, "X-Rempart-Action: "+tt.action.String()+"\r\nX-Rempart-Probability: 0.912\r\n") != labelled {
			t.Errorf("%s: %s", tt.action, got)
		}
		if strings.HasPrefix(tt.redirect, "480") != strings.Contains(got, "\r\nRetry-After: 30\r\n") ||
			strings.HasPrefix(tt.redirect, "603") != strings.Contains(got, "\r\nReason: SIP;cause=603;text=\"") {
			t.Errorf("%s: %s", tt.action, got)
		}
		if got := r.ask(request("MESSAGE", "Content-Type: text/plain\r\n\r\nhello")); status(got) != tt.text {
			t.Errorf("%s: text %s", tt.action, got)
		}
		r = newRig(t, always(tt.action), func(c *Config) { c.OnAccept = onAcceptContinue })
		if got := r.ask(request("INVITE", sdp)); status(got) != tt.carryOn {
			t.Errorf("%s: continue %s", tt.action, got)
		}
	}
}

// The answer has all Via fields with what was seen of the sender, and a tag; nothing else that was not asked for.
func TestAnswer(t *testing.T) {
	r := newRig(t, always(message.Reject), func(c *Config) { c.RejectCode = 608 })
	req := request("INVITE", sdp)
	got := r.ask(req)
	port := r.client.LocalAddr().(*net.UDPAddr).Port
	want := strings.Replace(req[strings.Index(req, "Via"):strings.Index(req, "Max-")], ";rport", fmt.Sprintf(";received=127.0.0.1;rport=%d", port), 1)
	want = strings.Replace(want, "@example.com>\r\nCall-ID", "@example.com>;tag=TAG\r\nCall-ID", 1)
	head, rest, _ := strings.Cut(want, "TAG")
	if !strings.HasPrefix(got, "SIP/2.0 608 Rejected\r\n"+head) || !strings.Contains(got, rest+"Reason: ") || !strings.HasSuffix(got, "\r\nContent-Length: 0\r\n\r\n") {
		t.Errorf("%s\nwant %s", got, want)
	}
	if len(got) > len(req)+250 {
		t.Errorf("%d bytes asked, %d answered", len(req), len(got))
	}
}

// Without rport the answer goes to the port of sent-by, of the address that the request came from.
func TestAnswerPort(t *testing.T) {
	r := newRig(t, always(message.Reject), nil)
	other := socket(t)
	req := strings.Replace(request("INVITE", sdp), "192.0.2.4:5070", fmt.Sprintf("192.0.2.4:%d", other.LocalAddr().(*net.UDPAddr).Port), 1)
	r.send(strings.Replace(req, ";rport", "", 1))
	if got := receive(t, other); status(got) != "603 Decline" || !strings.Contains(got, ";received=127.0.0.1\r\n") {
		t.Error(got)
	}
}

func TestMethodsAndRefusals(t *testing.T) {
	redirect, relay := newRig(t, always(message.Accept), nil), newRig(t, always(message.Accept), func(c *Config) { c.OnAccept = onAcceptRelay })
	inDialog := strings.Replace(request("INVITE", sdp), "0001@example.com>", "0001@example.com>;tag=x", 1)
	for _, tt := range []struct {
		r                 *rig
		req, status, with string
	}{
		{redirect, request("OPTIONS", "\r\n"), "200 OK", "Allow: INVITE, ACK, CANCEL, OPTIONS, MESSAGE\r\n"},
		{redirect, request("REGISTER", "\r\n"), "405 Method Not Allowed", "Allow: "},
		{redirect, request("invite", "\r\n"), "405 Method Not Allowed", "Allow: "},
		{redirect, request("OPTIONS", "Require: a\r\nRequire: b, c\r\n\r\n"), "420 Bad Extension", "Unsupported: a\r\nUnsupported: b, c\r\n"},
		{redirect, request("INVITE", "Require: 100rel\r\nMax-Forwards: 0\r\n\r\n"), "302 Moved Temporarily", ""}, // section 8.3
		{redirect, inDialog, "481 Call/Transaction Does Not Exist", ""},
		{redirect, request("CANCEL", "\r\n"), "481 Call/Transaction Does Not Exist", ""},
		{redirect, strings.Replace(request("INVITE", sdp), "SIP/2.0", "SIP/7.0", 1), "505 Version Not Supported", ""},
		{redirect, strings.Replace(request("INVITE", sdp), "sip:+", "http://", 1), "416 Unsupported URI Scheme", ""},
		{redirect, strings.Replace(request("INVITE", sdp), "sip:+442079460001@203.0.113.9", "sip:::@@", 1), "400 Bad Request", ""},
		{redirect, request("INVITE", "CSeq: 8 INVITE\r\n\r\n"), "400 Bad Request", ""},
		{relay, request("INVITE", "Max-Forwards: 0\r\n\r\n"), "483 Too Many Hops", ""},
		{relay, request("INVITE", "Proxy-Require: x\r\n\r\n"), "420 Bad Extension", "Unsupported: x\r\n"},
		{relay, strings.Replace(request("OPTIONS", "\r\n"), "sip:+442079460001@", "sip:", 1), "200 OK", "Allow: "},
		{relay, request("OPTIONS", "Max-Forwards: 0\r\n\r\n"), "200 OK", "Allow: "},
	} {
		if got := tt.r.ask(tt.req); status(got) != tt.status || !strings.Contains(got, tt.with) {
			t.Errorf("%s\nanswered %s", tt.req, got)
		}
	}
}

// RFC 4475: what each of its messages is answered; none is a message without an answer.
func TestTorture(t *testing.T) {
	const none = ""
	want := map[string]string{"wsinv": "481", "intmeth": "405", "esc01": "302", "escnull": "405", "esc02": "405", "lwsdisp": "200", "longreq": "302",
		"dblreq": "405", "semiuri": "200", "transports": "200", "mpart01": "302", "unreason": none, "noreason": none, "badinv01": "400", "clerr": "400",
		"ncl": "400", "scalar02": "400", "scalarlg": none, "quotbal": "400", "ltgtruri": "400", "lwsruri": "400", "lwsstart": "400", "trws": "400",
		"escruri": "400", "baddate": "302", "regbadct": "405", "badaspec": "200", "baddn": "200", "badvers": "505", "mismatch01": "400",
		"mismatch02": "400", "bigcode": none, "badbranch": "200", "insuf": "400", "unkscm": "416", "novelsc": "416", "unksm2": "405", "bext01": "420",
		"invut": "302", "regaut01": "405", "multi01": "400", "mcl01": "400", "bcast": none, "zeromf": "200", "cparam01": "405", "cparam02": "405",
		"regescrt": "405", "sdp01": "302", "inv2543": "302"}
	r := newRig(t, always(message.Accept), nil)
	if len(want) != 49 {
		t.Errorf("%d messages", len(want))
	}
	for name, code := range want {
		b, err := os.ReadFile(filepath.Join("../../message/sip/testdata/rfc4475", name+".dat"))
		if err != nil {
			t.Fatal(err)
		}
		got := answerOf(r, string(b))
		if !strings.HasPrefix(status(got), code) || code == none && got != "" {
			t.Errorf("%s: %q, want %s", name, got, code)
		}
	}
}

// answerOf hands the message in as if a connection had brought it.
func answerOf(r *rig, msg string) string {
	st := newStream(nil)
	w := &worker{server: r.server}
	if w.handle(msg, origin{peer: netip.MustParseAddrPort("192.0.2.99:5060"), stream: st}) {
		w.finish()
	}
	select {
	case b := <-st.queue:
		return string(b)
	default:
		return ""
	}
}

// What comes again is answered the same and judged once, also while it is still being judged; a CANCEL then ends it.
func TestRepeated(t *testing.T) {
	var judged atomic.Int64
	hold, held := make(chan struct{}), make(chan struct{}, 10)
	r := newRig(t, func(ctx context.Context, m *message.Message) gateway.Answer {
		judged.Add(1)
		held <- struct{}{}
		<-hold
		return always(message.Reject)(ctx, m)
	}, func(c *Config) { c.Budget = config.Duration(time.Minute) })
	first, second := request("INVITE", sdp), request("INVITE", sdp)
	r.send(first)
	<-held
	if got := r.ask(first); status(got) != "100 Trying" || strings.Contains(got, ">;tag=00") {
		t.Error(got)
	}
	r.send(second)
	<-held
	if got := r.ask(strings.ReplaceAll(second, "INVITE", "CANCEL")); status(got) != "200 OK" {
		t.Error(got)
	}
	close(hold)
	answers := map[string]string{}
	for range 2 {
		got := receive(t, r.client)
		answers[status(got)] = got
	}
	again := r.ask(first)
	if status(again) != "603 Decline" || again != answers["603 Decline"] {
		t.Errorf("again: %s\nfirst: %v", again, answers)
	}
	if got := r.ask(second); status(got) != "487 Request Terminated" || got != answers["487 Request Terminated"] {
		t.Errorf("cancelled: %s", got)
	}
	if got := r.ask(strings.ReplaceAll(first, "INVITE", "CANCEL")); status(got) != "200 OK" {
		t.Error(got)
	}
	if judged.Load() != 2 {
		t.Errorf("judged %d times", judged.Load())
	}
	r.send(strings.ReplaceAll(first, "INVITE", "ACK")) // is answered by nothing
	if got := r.ask(request("OPTIONS", "\r\n")); !strings.HasPrefix(got, "SIP/2.0 200") {
		t.Error(got)
	}
}

func TestRecentForgets(t *testing.T) {
	r := newRecent()
	now := time.Unix(1_700_000_000, 0)
	k := func(i int) (k key) { k[0], k[1], k[2], k[3] = byte(i), byte(i>>8), byte(i>>16), 1; return k }
	r.begin(key{}, now)
	r.end(key{}, verdict{action: message.Reject})
	for _, tt := range []struct {
		after time.Duration
		known bool
	}{{31 * time.Second, true}, {49 * time.Second, false}} {
		if v, known := r.begin(key{}, now.Add(tt.after)); known != tt.known || known && v.action != message.Reject {
			t.Errorf("after %s: %v %v", tt.after, v, known)
		}
	}
	for i := range 3*maxRecent + 10 {
		r.begin(k(i), now.Add(time.Minute))
	}
	if n := len(r.maps[0]) + len(r.maps[1]) + len(r.maps[2]); n > 3*maxRecent {
		t.Errorf("%d entries", n)
	}
	if _, known := r.begin(k(3*maxRecent+9), now.Add(time.Minute)); !known {
		t.Error("the last one is forgotten")
	}
}

// In shadow nothing changes whatever is decided, and a broken judge lets calls pass: an emergency call is among them.
func TestShadowAndOnError(t *testing.T) {
	broken := func(context.Context, *message.Message) gateway.Answer { panic("broken") }
	for _, tt := range []struct {
		name   string
		judge  gateway.Judge
		change func(*Config)
		status string
	}{
		{"shadow", always(message.Reject), func(c *Config) { c.Mode = message.ModeShadow }, "302 Moved Temporarily"},
		{"tap", always(message.Tag), func(c *Config) { c.Mode = message.ModeTap }, "302 Moved Temporarily"},
		{"broken", broken, nil, "302 Moved Temporarily"},
		{"broken, tempfail", broken, func(c *Config) { c.OnError = gateway.OnErrorTempfail }, "480 Temporarily Unavailable"},
	} {
		if got := newRig(t, tt.judge, tt.change).ask(request("INVITE", sdp)); status(got) != tt.status || strings.Contains(got, "X-Rempart") {
			t.Errorf("%s: %s", tt.name, got)
		}
	}
}

// What the judge gets of a call.
func TestMessage(t *testing.T) {
	got := make(chan *message.Message, 1)
	r := newRig(t, func(ctx context.Context, m *message.Message) gateway.Answer {
		got <- m
		return always(message.Accept)(ctx, m)
	}, func(c *Config) { c.Relays, c.Direction = []string{"127.0.0.0/8"}, message.Out })
	r.ask(request("INVITE", sdp))
	m := <-got
	if m.Channel != message.Call || m.Source.ID != "+442079460123" || m.Recipients[0].Address != "+442079460001" || m.Door != "sbc" || m.Direction != message.Out ||
		m.ID == "" || m.Arrived.IsZero() || m.Source.Address.String() != "198.51.100.7" || len(m.Route) != 2 || !m.Route[1].Trusted {
		t.Errorf("%+v", m)
	}
	r.ask(request("MESSAGE", "Content-Type: text/plain\r\n\r\nsee http://a.example"))
	if m := <-got; m.Channel != message.IM || m.Text != "see http://a.example" || len(m.Links) != 1 {
		t.Errorf("%+v", m)
	}
}

func TestReconfigure(t *testing.T) {
	r := newRig(t, always(message.Reject), nil)
	c := r.server.cfg().Config
	c.RejectCode = 607
	if err := r.server.Reconfigure(c); err != nil {
		t.Fatal(err)
	}
	if got := r.ask(request("INVITE", sdp)); status(got) != "607 Unwanted" {
		t.Error(got)
	}
	c.RejectCode = 200
	if err := r.server.Reconfigure(c); err == nil {
		t.Error("reject_code 200 was taken")
	}
	for _, tt := range []struct {
		change func(*Config)
		key    string
	}{
		{func(c *Config) { c.OnAccept = "drop" }, "gateway.sip.on_accept"},
		{func(c *Config) { c.NextHops = nil }, "next_hops"},
		{func(c *Config) { c.NextHops = []string{"nowhere"} }, "next_hops"},
		{func(c *Config) { c.OnAccept, c.NextHops = "relay", []string{"proxy.example:5060"} }, "next_hops"},
		{func(c *Config) { c.OnAccept, c.Listen = "relay", []string{":5060"} }, "sent_by"},
		{func(c *Config) { c.OnAccept, c.RejectCode = "continue", 404 }, "reject_code"},
		{func(c *Config) { c.Listen = []string{"unix:/x"} }, "listen"},
		{func(c *Config) { c.Relays = []string{"x"} }, "relays"},
		{func(c *Config) { c.TagName = "a\"b" }, "tag_name"},
		{func(c *Config) { c.SentBy = "x" }, "sent_by"},
	} {
		c := Config{Door: gateway.Door{Name: "x", Listen: []string{"127.0.0.1:5060"}}, NextHops: []string{"192.0.2.1:5060"}}
		tt.change(&c)
		if err := c.Check("gateway.sip"); err == nil || !strings.Contains(err.Error(), tt.key) {
			t.Errorf("%v does not name %s", err, tt.key)
		}
	}
}
