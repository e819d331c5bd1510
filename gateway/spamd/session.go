package spamd

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"time"

	"rempart/gateway"
)

// Times of a connection. A request may take [gateway.BodyTimeout], as at other front doors.
const (
	firstTimeout  = 10 * time.Second       // until it begins
	stopTimeout   = 100 * time.Millisecond // the same when the node stops: what came already is read
	lingerTimeout = 2 * time.Second        // for what a refused client still sends, so that it reads why
	maxLinger     = 1 << 20
)

// serve answers the one request of a connection. When ctx is done, one of which nothing came yet ends.
func (f *Spamd) serve(ctx context.Context, conn net.Conn) {
	_ = conn.SetReadDeadline(time.Now().Add(firstTimeout))
	told := make(chan struct{})
	begun := context.AfterFunc(ctx, func() {
		_ = conn.SetReadDeadline(time.Now().Add(stopTimeout))
		close(told)
	})
	in := bufio.NewReaderSize(conn, maxLine)
	_, err := in.Peek(1)
	if !begun() {
		<-told
	}
	if err != nil {
		return // looked whether somebody listens, or said nothing for too long
	}
	_ = conn.SetReadDeadline(time.Now().Add(gateway.BodyTimeout))
	_ = conn.SetWriteDeadline(time.Now().Add(2*gateway.BodyTimeout + 2*time.Duration(f.cfg().Budget)))
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*gateway.BodyTimeout) // a lesson waits for its journal
	defer cancel()
	var answered bool
	if !f.host.Guard(f.cfg().Name, func() { answered = f.exchange(within, in, conn, address(conn)) }) {
		writeRefusal(conn, &refusal{statusSoftware, "(the request could not be answered)"})
	}
	if !answered {
		linger(conn, in)
	}
}

// linger lets a client read the answer before what it sends is no more read: closed with unread bytes, TCP drops it.
func linger(conn net.Conn, in io.Reader) {
	if c, ok := conn.(interface{ CloseWrite() error }); ok && c.CloseWrite() == nil {
		_ = conn.SetReadDeadline(time.Now().Add(lingerTimeout))
		_, _ = io.CopyN(io.Discard, in, maxLinger)
	}
}

// address is the client's; the zero address on a UNIX socket.
func address(conn net.Conn) netip.Addr {
	a, _ := netip.ParseAddrPort(conn.RemoteAddr().String())
	return a.Addr().Unmap().WithZone("")
}

// exchange reads a request and answers it; it reports whether it was answered as asked.
func (f *Spamd) exchange(ctx context.Context, in *bufio.Reader, out io.Writer, client netip.Addr) bool {
	cfg := f.cfg()
	err := f.answer(ctx, in, out, client, cfg)
	if err == nil {
		return true
	}
	var refused *refusal
	if !errors.As(err, &refused) {
		return false // the client left
	}
	if refused.status != statusTempfail { // that is on_error, and counted
		f.host.Metrics.Error(cfg.Name, "protocol")
		f.host.Log.Warn("request refused", "door", cfg.Name, "status", int(refused.status), "error", refused.Error())
	}
	writeRefusal(out, refused)
	return false
}

func (f *Spamd) answer(ctx context.Context, in *bufio.Reader, out io.Writer, client netip.Addr, cfg *settings) error {
	r, err := readRequest(in)
	if err != nil {
		return err
	}
	switch r.command {
	case "PING":
		return write(out, "SPAMD/1.5 0 PONG\r\n")
	case "SKIP": // the client thinks its mail too large, and wants no answer
		return nil
	case "TELL":
		return f.tell(ctx, in, out, client, &r, cfg)
	}
	b, err := readBody(in, &r, cfg.MaxSize)
	if err != nil {
		return err
	}
	return f.check(ctx, out, client, &r, b, cfg)
}
