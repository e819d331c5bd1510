// Package smpp is the front door for texts: a proxy for SMPP 3.4 that stands before a message centre. Clients bind to it
// as to the message centre; each bind becomes one bind behind, with the same credentials. What carries a text is judged,
// then relayed or answered; all else is relayed byte for byte, what the proxy does not know included.
//
// Sequence numbers are kept: the proxy's own requests are enquire_link and unbind alone, and it relays neither side's
// enquire_link, so that their responses are always its own. A text is answered by the message centre if it was relayed,
// by the proxy if not. Texts are judged side by side and may overtake each other, as SMPP allows; a client that needs
// an order uses a window of one.
//
// Receipts and intermediate notifications of the message centre are never judged. Parts of a long text are judged as
// they come, each with what was seen of the text before it.
package smpp

import (
	"context"
	"net"
	"sync/atomic"
	"time"

	"rempart/gateway"
	"rempart/gateway/smpp/pdu"
)

// Proxy is one SMPP front door.
type Proxy struct {
	live  atomic.Pointer[Config]
	host  *gateway.Host
	parts *assembly
}

// New checks cfg and makes the proxy; it starts nothing.
func New(cfg Config, host *gateway.Host) (*Proxy, error) {
	p := &Proxy{host: host, parts: newAssembly()}
	return p, p.Reconfigure(cfg)
}

// Reconfigure checks cfg and takes it over, from the next text on and without touching a bind. Name, listen and
// max_connections stay as they were.
func (p *Proxy) Reconfigure(cfg Config) error {
	if err := cfg.Check("gateway.smpp"); err != nil {
		return err
	}
	cfg = cfg.withDefaults()
	p.live.Store(&cfg)
	return nil
}

func (p *Proxy) cfg() *Config { return p.live.Load() }

// Run serves binds until ctx is done. Then new texts are answered ESME_RTHROTTLED, those in hand are finished, and both
// sides are unbound.
func (p *Proxy) Run(ctx context.Context, listeners []net.Listener) error {
	return p.host.Serve(ctx, &p.cfg().Door, listeners, p.handle)
}

// Limits of a session before it is bound, and of saying goodbye.
const (
	bindTimeout   = 10 * time.Second // session_init_timer (7.2)
	unbindTimeout = 5 * time.Second
)

func (p *Proxy) handle(ctx context.Context, conn net.Conn) {
	client := newLink(conn)
	defer client.close()
	go client.write()

	_ = conn.SetReadDeadline(time.Now().Add(bindTimeout))
	interrupt := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Now()) })
	bind, raw := p.awaitBind(client)
	if !interrupt() || raw == nil {
		return
	}
	upstream := p.dial(ctx, client)
	if upstream == nil {
		client.header(raw.ID().Resp(), pdu.BindFailed, raw.Sequence())
		return
	}
	defer upstream.close()
	go upstream.write()

	upstream.send(raw)
	if !p.awaitBound(client, upstream) {
		return
	}
	s := &session{proxy: p, client: client, upstream: upstream, bind: bind, inflight: make(map[uint32]request)}
	s.idle.L = &s.mu
	p.host.Log.Info("bound", "door", p.cfg().Name, "system_id", bind.SystemID, "client", conn.RemoteAddr().String())
	s.run(ctx)
	p.host.Log.Info("unbound", "door", p.cfg().Name, "system_id", bind.SystemID)
}

// awaitBind answers what may come before a bind and returns the bind, nil if there is none.
func (p *Proxy) awaitBind(client *link) (pdu.Bind, pdu.PDU) {
	for {
		u, err := client.r.Next()
		if err != nil {
			return pdu.Bind{}, nil
		}
		id, seq := u.ID(), u.Sequence()
		switch {
		case id.IsBind():
			bind, err := pdu.ParseBind(u)
			if err != nil {
				p.host.Metrics.Error(p.cfg().Name, "protocol")
				client.header(id.Resp(), pdu.SystemError, seq)
				return pdu.Bind{}, nil
			}
			return bind, append(pdu.PDU(nil), u...)
		case id == pdu.EnquireLink:
			client.header(id.Resp(), pdu.OK, seq)
		case id == pdu.Unbind:
			client.header(id.Resp(), pdu.OK, seq)
			return pdu.Bind{}, nil
		case id.IsResp():
		case pdu.CarriesText(id) || id == pdu.QuerySM || id == pdu.CancelSM:
			client.header(id.Resp(), pdu.InvalidBind, seq)
		default:
			client.header(pdu.GenericNack, pdu.InvalidCmdID, seq)
		}
	}
}

// dial connects to the first message centre that answers.
func (p *Proxy) dial(ctx context.Context, client *link) *link {
	hops := p.cfg().NextHops
	d := net.Dialer{Timeout: bindTimeout / time.Duration(len(hops))}
	for _, hop := range hops {
		conn, err := d.DialContext(ctx, "tcp", hop)
		if err == nil {
			return newLink(conn)
		}
		p.host.Metrics.Error(p.cfg().Name, "next_hop")
		p.host.Log.Error("connect to message centre", "door", p.cfg().Name, "next_hop", hop, "error", err)
	}
	return nil
}

// awaitBound relays the message centre's answer to the bind and reports whether it is yes.
func (p *Proxy) awaitBound(client, upstream *link) bool {
	_ = upstream.conn.SetReadDeadline(time.Now().Add(bindTimeout))
	for {
		u, err := upstream.r.Next()
		if err != nil {
			p.host.Metrics.Error(p.cfg().Name, "next_hop")
			p.host.Log.Error("bind at message centre", "door", p.cfg().Name, "error", err)
			return false
		}
		if u.ID() == pdu.EnquireLink {
			upstream.header(pdu.EnquireLink.Resp(), pdu.OK, u.Sequence())
			continue
		}
		client.send(u)
		if u.ID().IsResp() {
			return u.Status() == pdu.OK && u.ID() != pdu.GenericNack
		}
	}
}
