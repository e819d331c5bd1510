package smtp

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"rempart/config"
	"rempart/gateway"
	"rempart/message"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a front door on a port of its own, before a next hop.
type rig struct {
	t        testing.TB
	proxy    *Proxy
	addr     string
	hop      *nextHop
	registry *prometheus.Registry
	stop     context.CancelFunc
}

// newRig starts a front door; change may alter its configuration, hurry its patience.
func newRig(t testing.TB, judge gateway.Judge, change func(*Config), hurry ...func(*Proxy)) *rig {
	t.Helper()
	r := &rig{t: t, hop: newNextHop(t), registry: prometheus.NewRegistry()}
	cfg := Config{MailDoor: gateway.MailDoor{Door: gateway.Door{Name: "relay", Listen: []string{"127.0.0.1:0"}, Budget: config.Duration(5 * time.Second)}}}
	cfg.NextHops = []string{r.hop.listener.Addr().String()}
	if change != nil {
		change(&cfg)
	}
	r.hop.lmtp = cfg.NextHopProtocol == protocolLMTP || cfg.NextHopProtocol == "" && cfg.Protocol == protocolLMTP
	host := &gateway.Host{Judge: judge, Log: slog.New(slog.DiscardHandler), Metrics: gateway.NewMetrics(r.registry)}
	p, err := New(cfg, host)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range hurry {
		f(p)
	}
	l, err := gateway.ListenAll(t.Context(), cfg.Listen)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx, l) }()
	t.Cleanup(func() {
		stop()
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(20 * time.Second):
			t.Error("the proxy did not drain")
		}
		if n := p.held.used.Load(); n != 0 {
			t.Errorf("%d bytes are held when nothing is in hand", n)
		}
	})
	r.proxy, r.addr, r.stop = p, l[0].Addr().String(), stop
	return r
}

// errors is how often a fault was counted.
func (r *rig) errors(kind string) (n int) {
	families, err := r.registry.Gather()
	if err != nil {
		r.t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if f.GetName() == "rempart_gateway_errors_total" && l.GetName() == "kind" && l.GetValue() == kind {
					n += int(m.GetCounter().GetValue())
				}
			}
		}
	}
	return n
}

// verdict is what the tests' judge says of every mail.
var verdict = &message.Verdict{Score: message.Odds(3.25), Probability: 0.9627, Contributions: []message.Contribution{
	{Name: "date_ahead", State: message.StatePresent, Input: message.FixedOne, Coefficient: message.Odds(1.25)},
	{Name: "link_host", State: message.StatePresent, Input: message.FixedOne, Coefficient: message.Odds(2)},
}}

// by decides by the local part of each recipient: "tag@..." is tagged, "accept1@..." accepted. Who asked gets the message.
func by(asked chan<- *message.Message) gateway.Judge {
	return func(_ context.Context, m *message.Message) gateway.Answer {
		if asked != nil {
			asked <- m
		}
		var ans gateway.Answer
		for _, r := range m.Recipients {
			name, _, _ := strings.Cut(r.Address, "@")
			name = strings.TrimRight(name, "0123456789")
			d := message.Decision{Mode: m.Mode, Text: "no, " + name, Action: message.Accept}
			if name == "panic" {
				panic("broken")
			}
			if rest, ok := strings.CutPrefix(name, "united-"); ok {
				name, d.United = rest, true
			}
			if err := d.Action.UnmarshalText([]byte(name)); err != nil {
				d.Action = message.Accept
			}
			ans.Decisions = append(ans.Decisions, d)
			ans.Judgement.Verdicts = append(ans.Judgement.Verdicts, verdict)
		}
		return ans
	}
}

// dialogue is a connection of a client that writes what it likes.
type dialogue struct {
	t    testing.TB
	conn net.Conn
	r    *bufio.Reader
}

func (r *rig) dial() *dialogue {
	r.t.Helper()
	c, err := net.Dial("tcp", r.addr)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { c.Close() })
	d := &dialogue{r.t, c, bufio.NewReader(c)}
	d.want("220 ")
	return d
}

// hello is a connection after EHLO or LHLO.
func (r *rig) hello() *dialogue {
	r.t.Helper()
	d := r.dial()
	verb := "EHLO"
	if r.proxy.cfg().Protocol == protocolLMTP {
		verb = "LHLO"
	}
	d.do(verb+" client.example", "250")
	return d
}

func (d *dialogue) write(s string) {
	d.t.Helper()
	_ = d.conn.SetWriteDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(d.conn, s); err != nil {
		d.t.Fatal(err)
	}
}

// read is one reply.
func (d *dialogue) read() string {
	d.t.Helper()
	_ = d.conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	r, err := readReply(d.r)
	if err != nil {
		d.t.Fatalf("no reply: %v", err)
	}
	return fmt.Sprint(r.code, " ", strings.Join(r.lines, "\n"))
}

func (d *dialogue) want(prefix string) string {
	d.t.Helper()
	got := d.read()
	if !strings.HasPrefix(got, prefix) {
		d.t.Fatalf("answered %q, want %q", got, prefix)
	}
	return got
}

func (d *dialogue) do(line, prefix string) string {
	d.t.Helper()
	d.write(line + "\r\n")
	return d.want(prefix)
}

// ended waits for the end of the connection.
func (d *dialogue) ended() {
	d.t.Helper()
	_ = d.conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.Copy(io.Discard, d.r); err != nil && strings.Contains(err.Error(), "timeout") {
		d.t.Fatal("the connection stays open")
	}
}

// begin is MAIL and RCPT for each.
func (d *dialogue) begin(to ...string) {
	d.t.Helper()
	d.do("MAIL FROM:<a@example.com>", "250")
	for _, name := range to {
		d.do("RCPT TO:<"+name+"@example.net>", "250")
	}
}

// send sends content by DATA and returns the reply.
func (d *dialogue) send(content string, to ...string) string {
	d.t.Helper()
	d.begin(to...)
	d.do("DATA", "354")
	d.write(content + ".\r\n")
	return d.read()
}

// mails are what a next hop took.
type taken struct {
	from, data string
	to         []string
	lines      []string // commands, with XFORWARD
}

// nextHop is a small mail server. What it answers can be set before it is used: by the verb, or the verb and the address.
type nextHop struct {
	t        testing.TB
	listener net.Listener
	group    sync.WaitGroup
	lmtp     bool

	mu      sync.Mutex
	offers  []string
	replies map[string]string // "RCPT TO:<x@example.net>" or "RCPT" to a reply
	dies    map[string]bool   // of commands at which it closes the connection; "." is the end of the content
	quiet   bool              // keeps nothing
	all     []taken
	said    []string
	conns   []net.Conn
}

func newNextHop(t testing.TB) *nextHop {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return nextHopOn(t, l)
}

func nextHopOn(t testing.TB, l net.Listener) *nextHop {
	h := &nextHop{t: t, listener: l, replies: map[string]string{}, dies: map[string]bool{},
		offers: []string{"PIPELINING", "SIZE 10000000", "8BITMIME", "SMTPUTF8", "DSN", "ENHANCEDSTATUSCODES", "CHUNKING",
			"XFORWARD NAME ADDR PROTO HELO SOURCE PORT IDENT"}}
	h.group.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			h.mu.Lock()
			h.conns = append(h.conns, c)
			h.mu.Unlock()
			h.group.Go(func() { h.serve(c) })
		}
	})
	t.Cleanup(h.stop)
	return h
}

func (h *nextHop) stop() {
	h.listener.Close()
	h.drop()
	h.group.Wait()
}

// drop cuts all connections, as a crash does.
func (h *nextHop) drop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.conns {
		c.Close()
	}
	h.conns = nil
}

// lacks takes extensions from what is offered.
func (h *nextHop) lacks(words ...string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.offers = slices.DeleteFunc(h.offers, func(o string) bool { return slices.Contains(words, strings.Fields(o)[0]) })
}

func (h *nextHop) set(command, reply string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.replies[command] = reply
}

func (h *nextHop) diesAt(command string, yes bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.dies[command] = yes
}

func (h *nextHop) mails() []taken {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.all)
}

// commands are all that were said to it.
func (h *nextHop) commands() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.said)
}

func (h *nextHop) serve(c net.Conn) {
	defer c.Close()
	r := bufio.NewReaderSize(c, 1<<16)
	say := func(s string) { fmt.Fprintf(c, "%s\r\n", strings.ReplaceAll(s, "\n", "\r\n")) }
	say("220 hop.example")
	var m taken
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimSuffix(line, "\r\n")
		verb := strings.ToUpper(strings.Fields(line + " x")[0])
		h.mu.Lock()
		if !h.quiet {
			h.said = append(h.said, line)
		}
		m.lines = append(m.lines, line)
		reply, set := h.replies[line]
		if !set {
			reply = h.replies[verb]
		}
		dies := h.dies[verb]
		offers := strings.Join(h.offers, "\n250-")
		h.mu.Unlock()
		if dies {
			return
		}
		switch {
		case verb == "BDAT" || verb == "DATA" && reply == "":
			if !h.content(c, r, line, &m) {
				return
			}
			m = taken{}
		case reply != "":
			say(reply)
		case verb == "EHLO" || verb == "LHLO":
			say("250-hop.example\n250-" + offers + "\n250 HELP")
		case verb == "MAIL":
			m.from = line
			say("250 2.1.0 Ok")
		case verb == "RCPT":
			m.to = append(m.to, line)
			say("250 2.1.5 Ok")
		case verb == "RSET":
			m = taken{}
			say("250 2.0.0 Ok")
		case verb == "QUIT":
			say("221 2.0.0 Bye")
			return
		default:
			say("250 2.0.0 Ok")
		}
	}
}

// content takes a mail and reports whether the connection goes on.
func (h *nextHop) content(c net.Conn, r *bufio.Reader, line string, m *taken) bool {
	var b strings.Builder
	if strings.HasPrefix(line, "BDAT") {
		var n int64
		fmt.Sscanf(line, "BDAT %d LAST", &n)
		if _, err := io.CopyN(&b, r, n); err != nil {
			return false
		}
	} else {
		fmt.Fprint(c, "354 go on\r\n")
		for {
			l, err := r.ReadString('\n')
			if err != nil {
				return false
			}
			if l == ".\r\n" {
				break
			}
			b.WriteString(strings.TrimPrefix(l, "."))
		}
	}
	h.mu.Lock()
	m.data = b.String()
	reply := h.replies["."]
	if dies := h.dies["."]; dies || reply == "" {
		if !h.quiet {
			h.all = append(h.all, *m)
		}
		if dies {
			h.mu.Unlock()
			return false
		}
	}
	replies := make([]string, len(m.to))
	for i, to := range m.to {
		if replies[i] = h.replies[". "+to]; replies[i] == "" {
			replies[i] = "250 2.0.0 Ok: queued as 1"
		}
	}
	h.mu.Unlock()
	switch {
	case reply != "":
		fmt.Fprintf(c, "%s\r\n", reply)
	case h.lmtp:
		fmt.Fprintf(c, "%s\r\n", strings.Join(replies, "\r\n"))
	default:
		fmt.Fprint(c, "250 2.0.0 Ok: queued as 1\r\n")
	}
	return true
}
