// Package sip is the front door for calls and instant messages: a server for SIP (RFC 3261) that judges INVITE and
// MESSAGE and keeps no transactions. What may not go on is refused; what may is redirected, left to the asking switch,
// or relayed as a stateless proxy does (section 16.11).
//
// A request that comes again within half a minute gets the same answer and is not judged again. Requests without a
// readable Via, and what is no SIP, are dropped and counted. Answers go to the address that the request came from,
// whatever it says, and are no longer than they must be.
package sip

import (
	"context"
	"crypto/rand"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"rempart/gateway"
)

// Server is one SIP front door.
type Server struct {
	live   atomic.Pointer[settings]
	host   *gateway.Host
	recent *recent
	secret [32]byte // of tags, branches and keys

	mu      sync.Mutex
	sockets []*net.UDPConn             // of Run
	streams map[netip.AddrPort]*stream // open ones, by their other end
}

// New checks cfg and makes the front door; it starts nothing.
func New(cfg Config, host *gateway.Host) (*Server, error) {
	s := &Server{host: host, recent: newRecent(), streams: map[netip.AddrPort]*stream{}}
	_, _ = rand.Read(s.secret[:])
	return s, s.Reconfigure(cfg)
}

// Reconfigure checks cfg and takes it over, from the next request on. Name, listen and max_connections stay as they were.
func (s *Server) Reconfigure(cfg Config) error {
	set, err := cfg.settle("gateway.sip")
	if err != nil {
		return err
	}
	s.live.Store(&set)
	return nil
}

func (s *Server) cfg() *settings { return s.live.Load() }

// Run serves until ctx is done; what is in hand is answered. It closes the sockets.
func (s *Server) Run(ctx context.Context, listeners []net.Listener, packets []*net.UDPConn) error {
	s.mu.Lock()
	s.sockets = packets
	s.mu.Unlock()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.host.Serve(ctx, &s.cfg().Door, listeners, s.serveStream) })
	for _, p := range packets {
		g.Go(func() error { return s.servePackets(ctx, p) })
	}
	return g.Wait()
}

// dropped counts what cannot be answered.
func (s *Server) dropped() { s.host.Metrics.Error(s.cfg().Name, "protocol") }

// socket is one to send a relayed request by, if it did not come by one.
func (s *Server) socket() *net.UDPConn {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.sockets) == 0 {
		return nil
	}
	return s.sockets[0]
}

func (s *Server) streamTo(addr netip.AddrPort) *stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.streams[addr]
}

// origin is where a message came from.
type origin struct {
	peer   netip.AddrPort
	socket *net.UDPConn // by datagram
	stream *stream      // or by stream
}

// send answers by the way the request came. port is where a datagram goes.
func (o origin) send(b []byte, port uint16) error {
	if o.stream != nil {
		return o.stream.send(b)
	}
	_, err := o.socket.WriteToUDPAddrPort(b, netip.AddrPortFrom(o.peer.Addr(), port))
	return err
}
