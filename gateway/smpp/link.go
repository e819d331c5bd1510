package smpp

import (
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"rempart/gateway/smpp/pdu"
)

// link is one side of a session: a connection whose reads notice silence and whose writes are gathered. All methods but
// next are safe for concurrent use.
type link struct {
	conn    net.Conn
	r       *pdu.Reader
	limit   atomic.Int64 // of a read, nanoseconds; 0 leaves the deadline to others
	leaving atomic.Bool  // silence ends the link
	asked   bool         // an enquire_link of ours is out and nothing has come since

	mu      sync.Mutex
	changed sync.Cond
	out     []byte // to be written
	seq     uint32 // of our own requests
	closing bool
	written chan struct{} // closed when write has returned
}

const (
	// silence is how long a side may say nothing before it is asked, and again before it is given up. Message centres
	// drop a silent client after one to five minutes.
	silence = 60 * time.Second
	// maxQueued bounds what waits for a slow reader; then its senders wait.
	maxQueued    = 1 << 20
	writeTimeout = 30 * time.Second
)

func newLink(conn net.Conn) *link {
	l := &link{conn: conn, written: make(chan struct{})}
	l.r = pdu.NewReader(l)
	l.changed.L = &l.mu
	return l
}

// Read lets no read wait longer than limit.
func (l *link) Read(b []byte) (int, error) {
	if limit := time.Duration(l.limit.Load()); limit > 0 {
		_ = l.conn.SetReadDeadline(time.Now().Add(limit))
	}
	return l.conn.Read(b)
}

// leave bounds what is still read: the answer to our unbind.
func (l *link) leave() {
	l.leaving.Store(true)
	l.limit.Store(int64(unbindTimeout))
	_ = l.conn.SetReadDeadline(time.Now().Add(unbindTimeout))
}

// next returns the next PDU, valid until the next call. A silent side is asked by enquire_link; one that stays silent is
// an error.
func (l *link) next() (pdu.PDU, error) {
	for {
		u, err := l.r.Next()
		if err == nil {
			l.asked = false
			return u, nil
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) || l.asked || l.leaving.Load() {
			return nil, err
		}
		l.asked = true
		l.request(pdu.EnquireLink)
	}
}

// send queues the bytes of a PDU. What is sent after close is dropped.
func (l *link) send(u []byte) {
	l.append(func(b []byte) []byte { return append(b, u...) })
}

// header queues a PDU without body.
func (l *link) header(id pdu.ID, status pdu.Status, seq uint32) {
	l.append(func(b []byte) []byte { return pdu.AppendHeader(b, id, status, seq) })
}

// request queues a request of our own.
func (l *link) request(id pdu.ID) {
	l.append(func(b []byte) []byte {
		l.seq++
		return pdu.AppendHeader(b, id, pdu.OK, l.seq)
	})
}

func (l *link) append(add func([]byte) []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.out) > maxQueued && !l.closing {
		l.changed.Wait()
	}
	if l.closing {
		return
	}
	l.out = add(l.out)
	l.changed.Broadcast()
}

// write writes what is queued until close; then what is left, and closes the connection.
func (l *link) write() {
	defer close(l.written)
	defer l.conn.Close()
	var spare []byte
	for {
		l.mu.Lock()
		for len(l.out) == 0 && !l.closing {
			l.changed.Wait()
		}
		b := l.out
		l.out = spare[:0]
		l.changed.Broadcast()
		l.mu.Unlock()
		if len(b) == 0 {
			return
		}
		_ = l.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
		if _, err := l.conn.Write(b); err != nil {
			l.shut()
			return
		}
		spare = b
	}
}

func (l *link) shut() {
	l.mu.Lock()
	l.closing = true
	l.changed.Broadcast()
	l.mu.Unlock()
}

// close writes what is queued and closes the connection.
func (l *link) close() {
	l.shut()
	<-l.written
}
