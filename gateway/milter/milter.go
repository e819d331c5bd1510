// Package milter is the front door for mail servers that speak the milter protocol: Postfix, Sendmail and those that do
// as they do. It puts the mail together from the events, byte for byte as the server has it, asks for the judgement at
// the end of the message and applies it.
//
// A milter gives one answer for all recipients; policy unites their decisions (message.OneAnswer) and a header says so.
// What asks for quarantine is discarded at the mail server once the node has kept it; a node without a quarantine has it held in
// the mail server's queue. In shadow and tap mode nothing about the mail changes.
//
// One connection is one client of the mail server and carries its mails one after another. Connections are independent;
// nothing is shared but settings.
package milter

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	lib "github.com/d--j/go-milter"

	"rempart/gateway"
)

// Milter is one milter front door.
type Milter struct {
	live atomic.Pointer[settings]
	host *gateway.Host
}

// settings is a checked configuration.
type settings struct {
	Config
	relays []netip.Prefix
}

// libraryLog is set once for all: the library has one for the process.
var libraryLog sync.Once

// New checks cfg and makes the front door; it starts nothing. What the library warns of is logged for debugging: mostly that a
// mail server went away, and a packet that is malformed the guard tells.
func New(cfg Config, host *gateway.Host) (*Milter, error) {
	libraryLog.Do(func() {
		lib.LogWarning = func(format string, args ...any) { host.Log.Debug("milter", "warning", fmt.Sprintf(format, args...)) }
	})
	f := &Milter{host: host}
	return f, f.Reconfigure(cfg)
}

// Reconfigure checks cfg and takes it over, from the next mail on and without touching a connection. Name, listen and
// max_connections stay as they were.
func (f *Milter) Reconfigure(cfg Config) error {
	s, err := cfg.settle("gateway.milter")
	if err != nil {
		return err
	}
	f.live.Store(&s)
	return nil
}

func (f *Milter) cfg() *settings { return f.live.Load() }

// wantedActions and wantedProtocol are asked for as far as the server offers them. No answer is given before the end of
// the message, so that none is waited for.
const (
	wantedActions  = lib.OptAddHeader | lib.OptChangeHeader | lib.OptQuarantine | lib.OptRemoveRcpt
	wantedProtocol = lib.OptHeaderLeadingSpace | lib.OptNoUnknown | lib.OptNoData | lib.OptNoConnReply | lib.OptNoHeloReply |
		lib.OptNoMailReply | lib.OptNoRcptReply | lib.OptNoHeaderReply | lib.OptNoEOHReply | lib.OptNoBodyReply
)

// idle is how long a mail server may be silent. Postfix waits five minutes for its own client at every step.
const idle = 15 * time.Minute

// Run serves until ctx is done; mails in hand are answered, then their connections are closed.
func (f *Milter) Run(ctx context.Context, listeners []net.Listener) error {
	conns := &feed{conns: make(chan net.Conn), closed: make(chan struct{})}
	server := lib.NewServer(lib.WithDynamicMilter(f.session), lib.WithReadTimeout(idle), lib.WithNegotiationCallback(negotiate))
	var served error
	var library sync.WaitGroup
	library.Go(func() { served = server.Serve(conns) })
	err := f.host.Serve(ctx, &f.cfg().Door, listeners, func(ctx context.Context, conn net.Conn) {
		f.handle(ctx, conns, conn)
	})
	// All connections are closed; what remains is the library's way out.
	err = errors.Join(err, server.Shutdown(context.WithoutCancel(ctx)))
	library.Wait()
	if errors.Is(served, net.ErrClosed) || errors.Is(served, lib.ErrServerClosed) {
		served = nil
	}
	return errors.Join(err, served)
}

// handle gives the connection to the library and waits for its end. When ctx is done it is closed between two mails.
func (f *Milter) handle(ctx context.Context, conns *feed, conn net.Conn) {
	g := newGuarded(conn, f.host.Log)
	select {
	case conns.conns <- g:
	case <-ctx.Done():
		return
	}
	select {
	case <-g.closed:
	case <-ctx.Done():
		g.closeWhenIdle()
		<-g.closed
	}
}

// negotiate takes what both sides can do, where the library would insist on all it asked for.
func negotiate(mtaVersion, version uint32, mtaActions, _ lib.OptAction, mtaProtocol, _ lib.OptProtocol, _ lib.DataSize) (uint32, lib.OptAction, lib.OptProtocol, lib.DataSize, error) {
	return min(mtaVersion, version), wantedActions & mtaActions, wantedProtocol & mtaProtocol, lib.DataSize64K, nil
}

// feed is a listener that hands the library connections that were accepted and wrapped elsewhere.
type feed struct {
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func (f *feed) Accept() (net.Conn, error) {
	select {
	case c := <-f.conns:
		return c, nil
	case <-f.closed:
		return nil, net.ErrClosed
	}
}

func (f *feed) Close() error {
	f.once.Do(func() { close(f.closed) })
	return nil
}

func (f *feed) Addr() net.Addr { return &net.TCPAddr{} }
