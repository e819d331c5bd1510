package smpp

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"rempart/config"
	"rempart/gateway"
	"rempart/gateway/smpp/pdu"
	"rempart/message"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// smsc is a small message centre: it takes any bind but that of "nobody", answers texts with ids and, where asked to,
// with a receipt, and keeps what it got.
type smsc struct {
	t        testing.TB
	listener net.Listener
	silent   bool // leaves texts unanswered
	quiet    bool // keeps nothing

	mu    sync.Mutex
	got   []pdu.PDU // texts, commands it does not know
	conns []net.Conn
	group sync.WaitGroup
}

func newSMSC(t testing.TB) *smsc {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &smsc{t: t, listener: l}
	c.group.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			c.mu.Lock()
			c.conns = append(c.conns, conn)
			c.mu.Unlock()
			c.group.Go(func() { c.serve(conn) })
		}
	})
	t.Cleanup(c.stop)
	return c
}

func (c *smsc) stop() {
	c.listener.Close()
	c.drop()
	c.group.Wait()
}

// drop cuts all its connections, as a crash does.
func (c *smsc) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conns {
		conn.Close()
	}
}

func (c *smsc) serve(conn net.Conn) {
	defer conn.Close()
	r := pdu.NewReader(conn)
	var out []byte
	for n := 1; ; n++ {
		u, err := r.Next()
		if err != nil {
			return
		}
		out = c.reply(out, u, n)
		if !r.Buffered() {
			if _, err := conn.Write(out); err != nil {
				return
			}
			out = out[:0]
		}
		if u.ID() == pdu.Unbind {
			return
		}
	}
}

func (c *smsc) reply(out []byte, u pdu.PDU, n int) []byte {
	id, seq := u.ID(), u.Sequence()
	switch {
	case id.IsBind():
		if b, _ := pdu.ParseBind(u); b.SystemID == "nobody" {
			return pdu.AppendHeader(out, id.Resp(), 0x0E, seq) // ESME_RINVPASWD
		}
		return pdu.AppendResp(out, id, seq, "smsc")
	case id == pdu.EnquireLink, id == pdu.Unbind:
		return pdu.AppendHeader(out, id.Resp(), pdu.OK, seq)
	case pdu.CarriesText(id):
		c.keep(u)
		if c.silent {
			return out
		}
		name := fmt.Sprintf("id%d", n)
		out = pdu.AppendResp(out, id, seq, name)
		if m, err := pdu.Parse(u); err == nil && m.RegisteredDelivery&1 != 0 {
			out = pdu.AppendMessage(out, pdu.DeliverSM, uint32(n), &pdu.Message{Source: m.Dest, Dest: m.Source, ESMClass: 0x04,
				Text: []byte("id:" + name + " sub:001 dlvrd:001 submit date:2611231200 done date:2611231201 stat:DELIVRD err:000 text:"),
				TLVs: pdu.AppendTLV(nil, pdu.ReceiptedMessageID, append([]byte(name), 0))})
		}
		return out
	case id.IsResp():
		c.keep(u)
		return out
	case id == 0x112: // broadcast_sm of 5.0
		c.keep(u)
		return pdu.AppendResp(out, id, seq, "b1")
	}
	c.keep(u)
	return pdu.AppendHeader(out, pdu.GenericNack, pdu.InvalidCmdID, seq)
}

func (c *smsc) keep(u pdu.PDU) {
	if !c.quiet {
		c.mu.Lock()
		c.got = append(c.got, bytes.Clone(u))
		c.mu.Unlock()
	}
}

// received are the PDUs kept so far.
func (c *smsc) received() []pdu.PDU {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]pdu.PDU(nil), c.got...)
}

// deliver sends a PDU to the client last bound.
func (c *smsc) deliver(u []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := c.conns[len(c.conns)-1].Write(u); err != nil {
		c.t.Error(err)
	}
}

// rig is a proxy before a message centre.
type rig struct {
	t    testing.TB
	smsc *smsc
	addr string
	stop context.CancelFunc
	done chan error
}

func newRig(t testing.TB, judge gateway.Judge, change func(*Config)) *rig {
	c := newSMSC(t)
	cfg := Config{Door: gateway.Door{Name: "esme", Listen: []string{"127.0.0.1:0"}, Budget: config.Duration(time.Second)}, NextHops: []string{c.listener.Addr().String()}}
	if change != nil {
		change(&cfg)
	}
	host := &gateway.Host{Judge: judge, Log: slog.New(slog.DiscardHandler), Metrics: gateway.NewMetrics(prometheus.NewRegistry())}
	p, err := New(cfg, host)
	if err != nil {
		t.Fatal(err)
	}
	l, err := gateway.ListenAll(t.Context(), cfg.Listen)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	r := &rig{t: t, smsc: c, addr: l[0].Addr().String(), stop: stop, done: make(chan error, 1)}
	go func() { r.done <- p.Run(ctx, l) }()
	t.Cleanup(func() {
		stop()
		select {
		case err := <-r.done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(20 * time.Second):
			t.Error("the proxy did not drain")
		}
	})
	return r
}

// client is an ESME.
type client struct {
	t    testing.TB
	conn net.Conn
	r    *pdu.Reader
}

func (r *rig) dial() *client {
	conn, err := net.Dial("tcp", r.addr)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(15 * time.Second))
	return &client{r.t, conn, pdu.NewReader(conn)}
}

var credentials = pdu.Bind{SystemID: "esme1", Password: "secret", Version: 0x34}

func (r *rig) bind() *client {
	r.t.Helper()
	c := r.dial()
	c.send(pdu.AppendBind(nil, pdu.BindTransceiver, 1, credentials))
	c.want(pdu.BindTransceiver.Resp(), pdu.OK, 1)
	return c
}

func (c *client) send(u []byte) {
	c.t.Helper()
	if _, err := c.conn.Write(u); err != nil {
		c.t.Fatal(err)
	}
}

// want reads one PDU and compares its header.
func (c *client) want(id pdu.ID, status pdu.Status, seq uint32) pdu.PDU {
	c.t.Helper()
	u, err := c.r.Next()
	if err != nil {
		c.t.Fatalf("waiting for %#x: %v", uint32(id), err)
	}
	if u.ID() != id || u.Status() != status || u.Sequence() != seq {
		c.t.Fatalf("got %#x status %#x sequence %d, want %#x %#x %d", uint32(u.ID()), u.Status(), u.Sequence(), uint32(id), status, seq)
	}
	return bytes.Clone(u)
}

func (c *client) wantClosed() {
	c.t.Helper()
	if u, err := c.r.Next(); err == nil {
		c.t.Fatalf("got %#x, want the connection closed", uint32(u.ID()))
	} else if err != io.EOF && err != io.ErrUnexpectedEOF {
		if ne, ok := err.(net.Error); ok && ne.Timeout() {
			c.t.Fatal("the connection stayed open")
		}
	}
}

// always decides the same for every text.
func always(a message.Action) gateway.Judge {
	return func(_ context.Context, m *message.Message) gateway.Answer {
		d := make([]message.Decision, max(1, len(m.Recipients)))
		for i := range d {
			d[i] = message.Decision{Action: a, Mode: m.Mode}
		}
		return gateway.Answer{Decisions: d}
	}
}

func text(seq uint32, s string) []byte {
	return pdu.AppendMessage(nil, pdu.SubmitSM, seq, &pdu.Message{Source: pdu.Address{TON: 5, Addr: []byte("ACME")},
		Dest: pdu.Address{TON: 1, NPI: 1, Addr: []byte("447700900001")}, Text: []byte(s)})
}
