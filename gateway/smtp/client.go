package smtp

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"net"
	"syscall"
	"time"

	"rempart/gateway"
)

// client is the connection of a client. Answers are gathered until it has to be waited for, so that those to a group of
// commands (PIPELINING, RFC 2920) go out together.
type client struct {
	conn  net.Conn // TLS once that was begun
	under net.Conn // what it runs on
	r     *bufio.Reader
	out   []byte
}

// clientBuffer is what a connection costs that does nothing.
const clientBuffer = 4096

func newClient(conn net.Conn) *client {
	return &client{conn: conn, under: conn, r: bufio.NewReaderSize(conn, clientBuffer)}
}

// Faults of a command line. After them the next one can be read.
var (
	errLong = errors.New("500 5.5.2 the line is too long")
	errLine = errors.New("500 5.5.2 a line ends in CR LF and has no control characters")
)

// line reads a command line without its end, until the deadline that was set; what is gathered of answers is sent before it
// waits. The line is valid until the next read.
func (c *client) line() ([]byte, error) {
	long := false
	for {
		if waiting, _ := c.r.Peek(c.r.Buffered()); bytes.IndexByte(waiting, '\n') < 0 {
			if err := c.flush(); err != nil {
				return nil, err
			}
		}
		b, err := c.r.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			long = true
			continue
		case err != nil:
			return nil, err
		case long || len(b) > maxLine:
			return nil, errLong
		case len(b) < 2 || b[len(b)-2] != '\r':
			return nil, errLine
		}
		b = b[:len(b)-2]
		if bytes.ContainsFunc(b, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return nil, errLine
		}
		return b, nil
	}
}

// more returns what is there of the content, waiting for some; [client.use] says how much of it was taken.
func (c *client) more(until time.Time) ([]byte, error) {
	if c.r.Buffered() == 0 {
		_ = c.conn.SetReadDeadline(until)
		if _, err := c.r.Peek(1); err != nil {
			return nil, err
		}
	}
	return c.r.Peek(c.r.Buffered())
}

func (c *client) use(n int) { _, _ = c.r.Discard(n) }

func (c *client) say(r reply) { c.out = r.append(c.out) }

func (c *client) flush() error {
	if len(c.out) == 0 {
		return nil
	}
	_ = c.conn.SetWriteDeadline(time.Now().Add(usual.goodbye))
	_, err := c.conn.Write(c.out)
	c.out = c.out[:0]
	return err
}

// secureWith begins TLS.
func (c *client) secureWith(cfg *tls.Config, timeout time.Duration) error {
	conn := tls.Server(c.under, cfg)
	_ = conn.SetDeadline(time.Now().Add(timeout))
	if err := conn.Handshake(); err != nil {
		return err
	}
	_ = conn.SetDeadline(time.Time{})
	c.conn = conn
	c.r.Reset(conn)
	return nil
}

// tlsVersion is the version of TLS that the client speaks; empty without.
func (c *client) tlsVersion() string {
	conn, ok := c.conn.(*tls.Conn)
	if !ok {
		return ""
	}
	return gateway.TLSVersion(tls.VersionName(conn.ConnectionState().Version))
}

// left reports whether the client has closed the connection: what was judged meanwhile is then better not sent on, since
// nobody hears the answer.
func (c *client) left() bool {
	_, open := peek(c.under)
	return c.r.Buffered() == 0 && !open
}

// peek reports, without reading and without waiting, whether bytes wait on a connection, and whether the other side may still
// send some.
func peek(conn net.Conn) (waiting, open bool) {
	sys, ok := conn.(syscall.Conn)
	if !ok {
		return false, true
	}
	raw, err := sys.SyscallConn()
	if err != nil {
		return false, false
	}
	err = raw.Read(func(fd uintptr) bool {
		var b [1]byte
		n, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		waiting = n > 0
		open = waiting || errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EINTR)
		return true
	})
	return waiting, open && err == nil
}
