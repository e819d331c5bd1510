package smtp

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"time"
)

// hop is a connection to the next hop. Its methods are one goroutine's; close is anybody's. After an error it is lost.
type hop struct {
	conn    net.Conn
	address string // as configured
	r       *bufio.Reader
	lmtp    bool
	patient patience
	offers  offers
	used    time.Time // of the last answer
	out     []byte
	closed  atomic.Bool
}

var (
	errAnswer = errors.New("smtp: the next hop does not want to be spoken to")
	errMoved  = errors.New("smtp: another next hop is configured now")
	errClosed = errors.New("smtp: the next hop has closed the connection")
)

// dialHop connects to the first next hop that wants to be spoken to, by the name that the client gave; plain means that it did so by
// HELO, without extensions.
func (p *Proxy) dialHop(cfg *settings, name string, plain bool) (*hop, error) {
	var errs []error
	for _, address := range cfg.NextHops {
		h, err := dialOne(address, p.patient)
		if err == nil {
			h.lmtp = cfg.NextHopProtocol == protocolLMTP
			if err = h.greet(name, plain); err == nil {
				return h, nil
			}
			h.close()
		}
		p.host.Metrics.Error(cfg.Name, "next_hop")
		p.host.Log.Error("connect to next hop", "door", cfg.Name, "next_hop", address, "error", err)
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

func dialOne(address string, patient patience) (*hop, error) {
	network, place := "tcp", address
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		network, place = "unix", path
	}
	conn, err := net.DialTimeout(network, place, patient.dial)
	if err != nil {
		return nil, err
	}
	return &hop{conn: conn, address: address, r: bufio.NewReaderSize(conn, hopBuffer), patient: patient}, nil
}

// greet waits for the greeting and asks for the extensions.
func (h *hop) greet(name string, plain bool) error {
	_ = h.conn.SetDeadline(time.Now().Add(h.patient.dial))
	r, err := readReply(h.r)
	if err != nil {
		return err
	}
	if r.code != 220 {
		return fmt.Errorf("%w: %s", errAnswer, r)
	}
	verb := "EHLO "
	if h.lmtp {
		verb = "LHLO "
	}
	if r, err = h.command(verb+name, h.patient.dial); err != nil {
		return err
	}
	if r.ok() && !plain {
		h.offers = readOffers(r)
	}
	if r.code/100 == 5 && !h.lmtp {
		r, err = h.command("HELO "+name, h.patient.dial)
	}
	if err == nil && !r.ok() {
		err = fmt.Errorf("%w: %s", errAnswer, r)
	}
	return err
}

// command writes a line and reads the answer.
func (h *hop) command(line string, timeout time.Duration) (reply, error) {
	h.out = append(append(h.out[:0], line...), '\r', '\n')
	_ = h.conn.SetDeadline(time.Now().Add(timeout))
	if _, err := h.conn.Write(h.out); err != nil {
		return reply{}, err
	}
	return h.answer(timeout)
}

// ask is a command that is answered as fast as most.
func (h *hop) ask(line string) (reply, error) { return h.command(line, h.patient.hop) }

func (h *hop) answer(timeout time.Duration) (reply, error) {
	_ = h.conn.SetReadDeadline(time.Now().Add(timeout))
	r, err := readReply(h.r)
	h.used = time.Now()
	return r, err
}

// stay keeps the next hop from giving us up while a slow client sends.
func (h *hop) stay() error {
	if time.Since(h.used) < h.patient.keep {
		return nil
	}
	return h.must("NOOP")
}

// must is a command that only a next hop refuses which does not go on.
func (h *hop) must(line string) error {
	r, err := h.ask(line)
	if err == nil && !r.ok() {
		err = fmt.Errorf("%w: %s", errAnswer, r)
	}
	return err
}

// stale reports whether the next hop has given us up: it has closed, or said so before it was asked anything.
func (h *hop) stale() bool {
	waiting, open := peek(h.conn)
	return waiting || !open || h.r.Buffered() > 0
}

// content sends a mail's content, by BDAT where that is offered: it is taken as it is. Where the next hop refuses to have
// it, that is its answer. whole reports that all was written, so that the next hop may have taken it; the answers are then
// still to be read.
func (h *hop) content(pieces [][]byte) (refused reply, whole bool, err error) {
	size := 0
	for _, p := range pieces {
		size += len(p)
	}
	if h.offers.chunking {
		h.out = fmt.Appendf(h.out[:0], "BDAT %d LAST\r\n", size)
		_ = h.conn.SetWriteDeadline(time.Now().Add(h.patient.commit))
		all := append(net.Buffers{h.out}, pieces...)
		_, err := all.WriteTo(h.conn)
		return reply{}, err == nil, err
	}
	r, err := h.ask("DATA")
	if err != nil || r.code != 354 {
		return r, false, err
	}
	err = h.stuffed(pieces, size)
	return reply{}, err == nil, err
}

// writeSize is how much is written at a time.
const writeSize = 32 << 10

func (h *hop) stuffed(pieces [][]byte, size int) error {
	_ = h.conn.SetWriteDeadline(time.Now().Add(h.patient.commit))
	out, atStart := make([]byte, 0, min(size+size/64+64, writeSize+writeSize/8)), true
	for _, p := range pieces {
		for len(p) > 0 {
			n := min(len(p), writeSize)
			out, atStart = appendStuffed(out, p[:n], atStart)
			p = p[n:]
			if len(out) >= writeSize {
				if _, err := h.conn.Write(out); err != nil {
					return err
				}
				out = out[:0]
			}
		}
	}
	_, err := h.conn.Write(append(out, ".\r\n"...))
	return err
}

// leave says goodbye without waiting for the answer.
func (h *hop) leave() {
	_ = h.conn.SetWriteDeadline(time.Now().Add(time.Second))
	_, _ = h.conn.Write([]byte("QUIT\r\n"))
	h.close()
}

func (h *hop) close() {
	if !h.closed.Swap(true) {
		_ = h.conn.Close()
	}
}
