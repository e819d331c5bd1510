package sip

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"rempart/message/sip"
)

// stream is one connection. What is sent on it waits in a queue, since the one who sends may be the reader of a socket,
// whom nobody may hold up.
type stream struct {
	conn  net.Conn
	queue chan []byte
	done  chan struct{} // closed when no more is to come
}

// Limits of a connection.
const (
	streamIdle    = 10 * time.Minute
	streamWrite   = 5 * time.Second
	streamJudging = 32  // requests of one connection that are judged at one time
	streamQueue   = 128 // messages that the other end has not taken; one more closes the connection
)

var (
	errFraming = errors.New("where the next message begins is not known")
	errSlow    = errors.New("the other end takes nothing")
)

func newStream(conn net.Conn) *stream {
	return &stream{conn, make(chan []byte, streamQueue), make(chan struct{})}
}

func (st *stream) send(b []byte) error {
	select {
	case st.queue <- bytes.Clone(b):
		return nil
	default:
		return errors.Join(errSlow, st.conn.Close())
	}
}

// write sends what is queued until done is closed and the queue empty.
func (st *stream) write() {
	for {
		var b []byte
		select {
		case b = <-st.queue:
		case <-st.done:
			select {
			case b = <-st.queue:
			default:
				return
			}
		}
		_ = st.conn.SetWriteDeadline(time.Now().Add(streamWrite))
		if _, err := st.conn.Write(b); err != nil {
			_ = st.conn.Close() // its reader sees it; what is queued has nowhere to go
		}
	}
}

// serveStream judges the requests of one connection side by side and does all else in order; when ctx is done it reads no
// more and returns when those in hand are answered.
func (s *Server) serveStream(ctx context.Context, conn net.Conn) {
	st := newStream(conn)
	peer := conn.RemoteAddr().(*net.TCPAddr).AddrPort()
	from := origin{peer: netip.AddrPortFrom(peer.Addr().Unmap(), peer.Port()), stream: st}
	s.mu.Lock()
	s.streams[from.peer] = st
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.streams, from.peer)
		s.mu.Unlock()
	}()
	defer context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Now()) })()
	workers := make(chan *worker, streamJudging)
	for range streamJudging {
		workers <- &worker{server: s}
	}
	var group, writer sync.WaitGroup
	writer.Go(st.write)
	defer func() {
		group.Wait()
		close(st.done)
		writer.Wait()
	}()
	r := bufio.NewReaderSize(conn, 4096)
	w := <-workers
	for {
		_ = conn.SetReadDeadline(time.Now().Add(streamIdle))
		if ctx.Err() != nil {
			return
		}
		raw, err := readFrame(r, st)
		if raw != "" && w.handle(raw, from) {
			judging := w
			group.Go(func() {
				judging.finish()
				workers <- judging
			})
			w = <-workers
		}
		if err != nil {
			if errors.Is(err, errFraming) {
				s.dropped()
			}
			return
		}
	}
}

// readFrame reads one message by its Content-Length (RFC 3261 section 18.3); without one it has no body. A message whose
// end cannot be told is returned with errFraming: it gets its answer, and the connection ends.
func readFrame(r *bufio.Reader, st *stream) (string, error) {
	if err := skipKeepAlives(r, st); err != nil {
		return "", err
	}
	var head bytes.Buffer
	for whole := true; ; {
		line, err := r.ReadSlice('\n')
		head.Write(line)
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return "", err
		}
		if head.Len() > sip.MaxBytes {
			return "", errFraming
		}
		if whole && err == nil && len(bytes.TrimRight(line, "\r\n")) == 0 {
			break
		}
		whole = err == nil
	}
	var m sip.Message
	if err := m.Read(head.String()); err != nil {
		return "", errFraming
	}
	size := 0
	if v := m.Get(sip.ContentLength); v != "" {
		n, err := strconv.ParseUint(v, 10, 31)
		if err != nil || head.Len()+int(n) > sip.MaxBytes {
			return head.String(), errFraming
		}
		size = int(n)
	}
	if _, err := io.CopyN(&head, r, int64(size)); err != nil {
		return "", err
	}
	return head.String(), nil
}

// skipKeepAlives passes over empty lines between messages. Two of them ask for one back (RFC 5626 section 3.5.1).
func skipKeepAlives(r *bufio.Reader, st *stream) error {
	for lines := 0; ; {
		b, err := r.ReadByte()
		switch {
		case err != nil:
			return err
		case b == '\r':
			continue
		case b != '\n':
			return r.UnreadByte()
		}
		if lines++; lines == 2 {
			lines = 0
			if err := st.send([]byte("\r\n")); err != nil {
				return err
			}
		}
	}
}
