package sip

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"rempart/message/sip"
)

const (
	// readers bounds the requests of one socket that are judged at one time; what comes meanwhile waits in the socket.
	readers = 64
	// socketBuffer is asked of the system, which may give less: half a second of 10,000 INVITEs a second.
	socketBuffer = 8 << 20
)

// servePackets reads from a socket until ctx is done. Each reader answers what it read before it reads again.
func (s *Server) servePackets(ctx context.Context, p *net.UDPConn) error {
	_ = p.SetReadBuffer(socketBuffer)
	stop := context.AfterFunc(ctx, func() { _ = p.SetReadDeadline(time.Now()) })
	defer stop()
	var group sync.WaitGroup
	errs := make([]error, readers)
	for i := range errs {
		group.Go(func() {
			errs[i] = s.readPackets(ctx, p)
			_ = p.SetReadDeadline(time.Now()) // one stops, all do
		})
	}
	group.Wait()
	return errors.Join(errors.Join(errs...), p.Close())
}

func (s *Server) readPackets(ctx context.Context, p *net.UDPConn) error {
	w := &worker{server: s}
	buf := make([]byte, sip.MaxBytes)
	for {
		n, peer, err := p.ReadFromUDPAddrPort(buf)
		var timeout net.Error
		switch {
		case ctx.Err() != nil || errors.As(err, &timeout) && timeout.Timeout():
			return nil
		case err != nil:
			return fmt.Errorf("read datagrams: %w", err)
		case n < minBytes: // a keep-alive
			continue
		}
		from := origin{peer: netip.AddrPortFrom(peer.Addr().Unmap(), peer.Port()), socket: p}
		s.host.Guard(s.cfg().Name, func() { w.handle(string(buf[:n]), from) })
	}
}

// minBytes: no SIP message is as short. Keep-alives of SIP and STUN are at most that long.
const minBytes = 24
