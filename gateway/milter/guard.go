package milter

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"
)

// guarded stands between the network and the library. It lets no packet through that the library would panic at (it
// runs in goroutines of its own, where that would end the process) or for which it would allocate without measure. And
// it knows when a mail is in hand, so that a drain cuts none.
//
// A packet is a length of four bytes, a code, and data of that length less one.
type guarded struct {
	net.Conn
	log    *slog.Logger
	packet []byte // what is left of a checked packet
	store  []byte
	begun  bool // a packet was read; of the goroutine that reads

	mu       sync.Mutex
	busy     bool // between MAIL and the answer to the end of the message
	answer   bool // the end of the message was read, its answer is due
	skip     int  // bytes of an outgoing packet still to be written
	draining bool

	once   sync.Once
	closed chan struct{}
}

// errPacket is a packet that no mail server sends.
var errPacket = errors.New("milter: malformed packet")

// maxPacket: body chunks are 64 KiB unless more is negotiated, which we do not; Postfix's header fields are 100 KiB by
// default.
const maxPacket = 1 << 20

const (
	ahead   = 16 << 10 // bounds the memory for a length that a packet names, before it has come
	maxKept = 96 << 10 // of memory is kept from packet to packet: that of a body chunk, as it grows
)

func newGuarded(c net.Conn, log *slog.Logger) *guarded {
	return &guarded{Conn: c, log: log, closed: make(chan struct{})}
}

func (g *guarded) Close() error {
	err := net.ErrClosed
	g.once.Do(func() {
		err = g.Conn.Close()
		close(g.closed)
	})
	return err
}

// closeWhenIdle closes the connection now or after the answer to the mail in hand.
func (g *guarded) closeWhenIdle() {
	g.mu.Lock()
	g.draining = true
	busy := g.busy
	g.mu.Unlock()
	if !busy {
		_ = g.Close()
	}
}

func (g *guarded) Read(b []byte) (int, error) {
	if len(g.packet) == 0 {
		if err := g.next(); err != nil {
			if errors.Is(err, errPacket) {
				g.log.Warn("a mail server's packet is malformed; its connection is closed", "peer", g.RemoteAddr())
			}
			return 0, err
		}
	}
	n := copy(b, g.packet)
	g.packet = g.packet[n:]
	return n, nil
}

// next reads one whole packet and checks it.
func (g *guarded) next() error {
	var head [4]byte
	if _, err := io.ReadFull(g.Conn, head[:]); err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n < 1 || n > maxPacket {
		return errPacket
	}
	if cap(g.store) > maxKept {
		g.store = nil
	}
	g.store = append(g.store[:0], head[:]...)
	for need := int(n) + 4; len(g.store) < need; {
		at := len(g.store)
		g.store = slices.Grow(g.store, min(need-at, ahead))
		g.store = g.store[:min(need, cap(g.store))]
		if _, err := io.ReadFull(g.Conn, g.store[at:]); err != nil {
			return err
		}
	}
	code, data := g.store[4], g.store[5:]
	if !wellFormed(code, data) {
		return errPacket
	}
	g.mu.Lock()
	switch code {
	case 'M':
		g.busy = true
	case 'E':
		g.answer = true
	case 'A', 'Q', 'K':
		g.busy, g.answer = false, false
	}
	stop := g.draining && !g.busy
	g.mu.Unlock()
	if stop {
		return net.ErrClosed
	}
	g.packet, g.begun = g.store, true
	return nil
}

// SetReadDeadline gives the negotiation more than the second that the library has for it: on a busy machine the server
// would see its connection reset, and its clients a tempfail.
func (g *guarded) SetReadDeadline(t time.Time) error {
	if !g.begun && !t.IsZero() {
		t = time.Now().Add(negotiation)
	}
	return g.Conn.SetReadDeadline(t)
}

// negotiation: Postfix waits 30 s for a milter to connect and answer (milter_connect_timeout).
const negotiation = 30 * time.Second

// wellFormed reports whether the library can take the packet apart: what it cuts at a zero byte has one, and what must
// follow is there.
func wellFormed(code byte, data []byte) bool {
	switch code {
	case 'C': // host, family, port, address
		i := bytes.IndexByte(data, 0)
		return i >= 0 && i+1 < len(data)
	case 'H', 'M', 'R':
		return bytes.IndexByte(data, 0) >= 0
	case 'D':
		return len(data) > 0
	}
	return true
}

// Write notes the last answer to a mail. The library writes a packet's head and its data one after the other.
func (g *guarded) Write(b []byte) (int, error) {
	n, err := g.Conn.Write(b)
	g.mu.Lock()
	done := g.wrote(b)
	g.mu.Unlock()
	if done {
		_ = g.Close()
	}
	return n, err
}

// wrote reports whether b ended the answer to the last mail of a draining connection.
func (g *guarded) wrote(b []byte) bool {
	for len(b) > 0 {
		if g.skip == 0 {
			if len(b) < 5 {
				return false // not how the library writes
			}
			g.skip = 4 + int(binary.BigEndian.Uint32(b))
			if g.answer && final(b[4]) {
				g.answer, g.busy = false, false
			}
		}
		n := min(g.skip, len(b))
		g.skip -= n
		b = b[n:]
	}
	return g.draining && !g.busy && g.skip == 0
}

// final reports whether an answer ends a message: accept, continue, discard, reject, tempfail, reply code.
func final(code byte) bool { return bytes.IndexByte([]byte("acdrty"), code) >= 0 }
