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
	// judging bounds the requests of one socket that are judged at one time; what comes meanwhile waits in the socket.
	judging = 64
	// socketBuffer is asked of the system, which may give less: half a second of 10,000 INVITEs a second.
	socketBuffer = 8 << 20
)

// servePackets reads from a socket until ctx is done. One goroutine reads and does at once what needs no judgement, so
// that responses keep their order; others judge.
func (s *Server) servePackets(ctx context.Context, p *net.UDPConn) error {
	_ = p.SetReadBuffer(socketBuffer)
	stop := context.AfterFunc(ctx, func() { _ = p.SetReadDeadline(time.Now()) })
	defer stop()
	free, jobs := make(chan *worker, judging), make(chan *worker)
	var judges sync.WaitGroup
	for range judging {
		free <- &worker{server: s}
		judges.Go(func() {
			for w := range jobs {
				w.finish()
				free <- w
			}
		})
	}
	err := s.readPackets(ctx, p, free, jobs)
	close(jobs)
	judges.Wait()
	return errors.Join(err, p.Close())
}

func (s *Server) readPackets(ctx context.Context, p *net.UDPConn, free, jobs chan *worker) error {
	buf := make([]byte, sip.MaxBytes)
	w := <-free
	for {
		n, peer, err := p.ReadFromUDPAddrPort(buf)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return fmt.Errorf("read datagrams: %w", err)
		case n < minBytes: // a keep-alive
			continue
		}
		if w.handle(string(buf[:n]), origin{peer: netip.AddrPortFrom(peer.Addr().Unmap(), peer.Port()), socket: p}) {
			jobs <- w
			w = <-free
		}
	}
}

// minBytes: no SIP message is as short. Keep-alives of SIP and STUN are at most that long.
const minBytes = 24
