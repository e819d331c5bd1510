package send

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"rempart/gateway/smpp/pdu"
)

// Centre is a small message centre (SMSC): it takes any bind and every text, and sends a delivery receipt where one was
// asked for. What comes under TagSender was tagged on the way; the id that the text gets says so, since the client of a
// proxy sees nothing else of it.
type Centre struct {
	TagSender string

	taken atomic.Uint64
	mu    sync.Mutex
	conns map[net.Conn]struct{}
}

// Taken is how many texts it accepted.
func (c *Centre) Taken() uint64 { return c.taken.Load() }

const (
	taggedID  = "tagged-" // begins the id of a text that came tagged
	relayedID = "as-it-came-"
)

// centreAnswer reads what an id says. Ids of other making are the proxy's own: a text accepted and thrown away.
func centreAnswer(id string) Answer {
	switch {
	case strings.HasPrefix(id, taggedID):
		return Tagged
	case strings.HasPrefix(id, relayedID):
		return Accepted
	}
	return Dropped
}

// Run serves binds on l until ctx is done, then cuts them; it returns when all have ended.
func (c *Centre) Run(ctx context.Context, l net.Listener) error {
	c.mu.Lock()
	c.conns = map[net.Conn]struct{}{}
	c.mu.Unlock()
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	var binds sync.WaitGroup
	var err error
	for {
		var conn net.Conn
		if conn, err = l.Accept(); err != nil {
			break
		}
		c.add(conn)
		binds.Go(func() {
			c.serve(conn)
			c.drop(conn)
		})
	}
	c.mu.Lock()
	for conn := range c.conns {
		_ = conn.Close()
	}
	c.mu.Unlock()
	binds.Wait()
	if errors.Is(err, net.ErrClosed) && ctx.Err() != nil {
		return nil
	}
	return err
}

func (c *Centre) add(conn net.Conn) {
	c.mu.Lock()
	c.conns[conn] = struct{}{}
	c.mu.Unlock()
}

func (c *Centre) drop(conn net.Conn) {
	_ = conn.Close()
	c.mu.Lock()
	delete(c.conns, conn)
	c.mu.Unlock()
}

// serve answers one bind until it ends. Answers are gathered while more requests wait.
func (c *Centre) serve(conn net.Conn) {
	r := pdu.NewReader(conn)
	var out []byte
	var seq uint32 // of our own requests
	for {
		u, err := r.Next()
		if err != nil {
			return
		}
		out = c.reply(out, u, &seq)
		if r.Buffered() && len(out) < pdu.MaxSize {
			continue
		}
		if _, err := conn.Write(out); err != nil {
			return
		}
		out = out[:0]
		if u.ID() == pdu.Unbind {
			return
		}
	}
}

func (c *Centre) reply(out []byte, u pdu.PDU, own *uint32) []byte {
	id, seq := u.ID(), u.Sequence()
	switch {
	case id.IsBind():
		return pdu.AppendResp(out, id, seq, "centre")
	case id == pdu.EnquireLink, id == pdu.Unbind:
		return pdu.AppendHeader(out, id.Resp(), pdu.OK, seq)
	case id.IsResp():
		return out
	case !pdu.CarriesText(id):
		return pdu.AppendHeader(out, pdu.GenericNack, pdu.InvalidCmdID, seq)
	}
	m, err := pdu.Parse(u)
	if err != nil {
		return pdu.AppendHeader(out, id.Resp(), pdu.SystemError, seq)
	}
	name := relayedID
	if c.TagSender != "" && bytes.Equal(m.Source.Addr, []byte(c.TagSender)) {
		name = taggedID
	}
	name += fmt.Sprint(c.taken.Add(1))
	out = pdu.AppendResp(out, id, seq, name)
	if m.RegisteredDelivery&1 == 0 {
		return out
	}
	*own++
	return pdu.AppendMessage(out, pdu.DeliverSM, *own, receipt(&m, name, time.Now()))
}

// receipt is a delivery receipt as Appendix B of SMPP 3.4 writes it.
func receipt(m *pdu.Message, name string, at time.Time) *pdu.Message {
	const receiptClass, stamp = 0x04, "0601021504"
	text := fmt.Sprintf("id:%s sub:001 dlvrd:001 submit date:%s done date:%s stat:DELIVRD err:000 text:", name, at.Format(stamp), at.Format(stamp))
	return &pdu.Message{Source: m.Dest, Dest: m.Source, ESMClass: receiptClass, Text: []byte(text),
		TLVs: pdu.AppendTLV(nil, pdu.ReceiptedMessageID, append([]byte(name), 0))}
}
