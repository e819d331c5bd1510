// Package smtp is the front door for mail servers that hand their mail through a content filter: a proxy for SMTP (RFC 5321)
// and LMTP (RFC 2033) between a client, which is a mail server, and the next hop.
//
// One transaction of the client is one of the next hop's, in step: MAIL and RCPT are relayed as they come and the next hop's
// answers passed back. The content is held in memory and judged whole; until then the next hop has not seen a byte of it, so
// that nothing is committed when the client leaves or the mail is refused. The client's end of DATA is answered 250 only
// after the next hop's 250, or for a mail that policy discards.
//
// If the connection to the next hop breaks after the last byte was sent and before the answer came, nobody knows whether
// the mail was taken: the client is told 451 and will send it again, and the case is counted (unsure). The same holds where the
// next hop's 250 cannot be passed on (unanswered). Nothing else makes duplicates, and nothing loses mail.
//
// By SMTP a mail has one answer; policy unites the recipients' decisions (message.OneAnswer). By LMTP each recipient has its
// own, and recipients whose copies differ get a transaction of their own. Connections are independent; nothing is shared but
// settings and the bound on memory.
package smtp

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"rempart/gateway"
)

// Proxy is one SMTP or LMTP front door.
type Proxy struct {
	live    atomic.Pointer[settings]
	host    *gateway.Host
	patient patience
	held    memory
}

// settings is a checked configuration.
type settings struct {
	Config
	relays []netip.Prefix
	speak  []netip.Prefix // who may use XCLIENT and XFORWARD
	tls    *tls.Config    // nil: no STARTTLS
}

// patience is how long is waited. For the client the times of RFC 5321 section 4.5.3.2, and a bound on the whole
// transaction, which a sender of one byte a minute would otherwise draw out for ever.
type patience struct {
	command     time.Duration // for a whole command line
	block       time.Duration // for any part of the content
	transaction time.Duration // from MAIL to the end of the content
	goodbye     time.Duration // for a write to a client
	dial        time.Duration // for a next hop to connect, greet and list its extensions
	hop         time.Duration // for its answers
	commit      time.Duration // for its answer to the end of the content
	keep        time.Duration // silence to the next hop after which a NOOP keeps its side open
}

var usual = patience{
	command: 5 * time.Minute, block: 3 * time.Minute, transaction: 30 * time.Minute, goodbye: time.Minute,
	dial: 10 * time.Second, hop: 5 * time.Minute, commit: 10 * time.Minute, keep: time.Minute,
}

// maxHeld bounds the content of all mails in hand together; who comes beyond is told 452 4.3.1 and tries again.
const maxHeld = 1 << 30

// New checks cfg and makes the proxy; it starts nothing.
func New(cfg Config, host *gateway.Host) (*Proxy, error) {
	p := &Proxy{host: host, patient: usual, held: memory{limit: maxHeld}}
	return p, p.Reconfigure(cfg)
}

// Reconfigure checks cfg and takes it over, reading the certificate anew, from the next mail on and without touching a
// connection. Name, listen and max_connections stay as they were.
func (p *Proxy) Reconfigure(cfg Config) error {
	s, err := cfg.settle("gateway.smtp")
	if err != nil {
		return err
	}
	p.live.Store(&s)
	return nil
}

func (p *Proxy) cfg() *settings { return p.live.Load() }

// Run serves until ctx is done; mails in hand are answered, then their connections are closed.
func (p *Proxy) Run(ctx context.Context, listeners []net.Listener) error {
	return p.host.Serve(ctx, &p.cfg().Door, listeners, p.handle)
}

func (p *Proxy) handle(ctx context.Context, conn net.Conn) {
	s := newSession(p, conn, ctx.Done())
	defer s.leaveHop()
	stop := context.AfterFunc(ctx, s.drain)
	defer stop()
	s.run()
}
