package send

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"rempart/gateway/smpp/pdu"
	"rempart/world"
)

// submission is one short message to submit.
type submission struct {
	sent world.Sent
	part int
}

// Timers of a bind, as message centres ask for (SMPP 3.4 section 7.2).
const (
	dialTimeout  = 10 * time.Second
	enquireEvery = 20 * time.Second
)

// bind submits texts under one name until the queue ends. A lost connection is bound again for the next text.
func (p *Player) bind(ctx context.Context, name string, queue <-chan submission) {
	var e *esme
	defer func() {
		if e != nil {
			e.end()
		}
	}()
	alive := time.NewTicker(enquireEvery)
	defer alive.Stop()
	for {
		select {
		case s, ok := <-queue:
			if !ok {
				return
			}
			if e != nil && e.lost() {
				e.end()
				e = nil
			}
			if e == nil {
				var err error
				if e, err = p.dial(ctx, name); err != nil {
					p.cfg.Log.Warn("bind", "system_id", name, "error", err)
					p.answered(s.sent, s.part, Error)
					continue
				}
			}
			e.submit(s)
		case <-alive.C:
			if e != nil {
				e.request(pdu.EnquireLink)
			}
		}
	}
}

// esme is one bind (bind_transceiver): submissions go out as long as the window has room, answers come as they come.
type esme struct {
	player *Player
	conn   net.Conn
	window chan struct{}
	done   chan struct{} // the reader has ended

	mu      sync.Mutex
	seq     uint32
	pending map[uint32]submission
	broken  bool
}

func (p *Player) dial(ctx context.Context, name string) (*esme, error) {
	d := net.Dialer{Timeout: dialTimeout}
	conn, err := d.DialContext(ctx, "tcp", p.cfg.SMPP)
	if err != nil {
		return nil, err
	}
	e := &esme{player: p, conn: conn, window: make(chan struct{}, windowSize), done: make(chan struct{}), seq: 1, pending: map[uint32]submission{}}
	r := pdu.NewReader(conn)
	_ = conn.SetDeadline(time.Now().Add(dialTimeout))
	_, err = conn.Write(pdu.AppendBind(nil, pdu.BindTransceiver, e.seq, pdu.Bind{SystemID: name, Password: "world", Version: 0x34}))
	var u pdu.PDU
	if err == nil {
		u, err = r.Next()
	}
	if err == nil && (u.ID() != pdu.BindTransceiver.Resp() || u.Status() != pdu.OK) {
		err = fmt.Errorf("refused with status %#x", uint32(u.Status()))
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	_ = conn.SetDeadline(time.Time{})
	go e.read(r)
	return e, nil
}

// submit sends one text as soon as the window has room.
func (e *esme) submit(s submission) {
	select {
	case e.window <- struct{}{}:
	case <-e.done:
		e.player.answered(s.sent, s.part, Error)
		return
	}
	e.mu.Lock()
	e.seq++
	seq := e.seq
	e.pending[seq] = s
	broken := e.broken
	e.mu.Unlock()
	if broken { // the reader has settled what was pending before
		e.settle(seq, Error)
		return
	}
	e.write(pdu.AppendMessage(nil, pdu.SubmitSM, seq, submitSM(s)))
}

func submitSM(s submission) *pdu.Message {
	t := s.sent.Text
	part := t.Parts[s.part]
	m := &pdu.Message{Source: pdu.Address{TON: t.SourceTON, Addr: []byte(t.Source)}, Dest: pdu.Address{TON: 1, NPI: 1, Addr: []byte(t.Destination)},
		RegisteredDelivery: 1, DataCoding: t.DataCoding, Text: part.UserData}
	if t.SourceTON == 1 {
		m.Source.NPI = 1
	}
	if part.UDHI {
		m.ESMClass = pdu.UDHI
	}
	return m
}

// write sends bytes; the reader notices if they did not go.
func (e *esme) write(b []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	_ = e.conn.SetWriteDeadline(time.Now().Add(answerTimeout))
	if _, err := e.conn.Write(b); err != nil {
		_ = e.conn.Close()
	}
}

func (e *esme) request(id pdu.ID) {
	e.mu.Lock()
	e.seq++
	seq := e.seq
	e.mu.Unlock()
	e.write(pdu.AppendHeader(nil, id, pdu.OK, seq))
}

// read takes what comes until the connection ends; then what is pending has no known fate.
func (e *esme) read(r *pdu.Reader) {
	defer close(e.done)
	for {
		_ = e.conn.SetReadDeadline(time.Now().Add(2*enquireEvery + answerTimeout))
		u, err := r.Next()
		if err != nil || !e.take(u) {
			break
		}
	}
	_ = e.conn.Close()
	e.mu.Lock()
	e.broken = true
	left := make([]uint32, 0, len(e.pending))
	for seq := range e.pending {
		left = append(left, seq)
	}
	e.mu.Unlock()
	if len(left) > 0 {
		e.player.cfg.Log.Warn("connection lost", "unanswered", len(left))
	}
	for _, seq := range left {
		e.settle(seq, Error)
	}
}

// take handles one PDU and reports whether more may come.
func (e *esme) take(u pdu.PDU) bool {
	id, seq := u.ID(), u.Sequence()
	switch id {
	case pdu.SubmitSM.Resp():
		e.settle(seq, e.answerOf(u))
	case pdu.DeliverSM:
		if m, err := pdu.Parse(u); err == nil && m.IsReceipt() {
			e.player.set(func() { e.player.receipts++ })
		}
		e.write(pdu.AppendResp(nil, pdu.DeliverSM, seq, ""))
	case pdu.EnquireLink:
		e.write(pdu.AppendHeader(nil, id.Resp(), pdu.OK, seq))
	case pdu.Unbind:
		e.write(pdu.AppendHeader(nil, id.Resp(), pdu.OK, seq))
		return false
	case pdu.Unbind.Resp():
		return false
	}
	return true
}

func (e *esme) answerOf(u pdu.PDU) Answer {
	switch u.Status() {
	case pdu.OK:
		id, _, _ := strings.Cut(string(u.Body()), "\x00")
		return centreAnswer(id)
	case pdu.SubmitFailed:
		return Rejected
	}
	return Refused
}

func (e *esme) settle(seq uint32, a Answer) {
	e.mu.Lock()
	s, ok := e.pending[seq]
	delete(e.pending, seq)
	e.mu.Unlock()
	if ok {
		<-e.window
		e.player.answered(s.sent, s.part, a)
	}
}

func (e *esme) lost() bool {
	select {
	case <-e.done:
		return true
	default:
		return false
	}
}

// end waits for the answers that are due, unbinds, and waits for the reader.
func (e *esme) end() {
	timeout := time.NewTimer(answerTimeout)
	defer timeout.Stop()
	for range windowSize { // all of the window is free when nothing is pending
		select {
		case e.window <- struct{}{}:
			continue
		case <-timeout.C:
		case <-e.done:
		}
		break
	}
	e.request(pdu.Unbind)
	select {
	case <-e.done:
	case <-timeout.C:
		_ = e.conn.Close()
		<-e.done
	}
}
