package send

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"rempart/message/sip"
	"rempart/world"
)

// Timers of RFC 3261 section 17.1.1.1. A request that nobody answers is sent again after timerT1, then after twice as long
// each time, for a message at most timerT2; it is given up after answerTimeout.
const (
	timerT1 = 500 * time.Millisecond
	timerT2 = 4 * time.Second
)

// callers is how many calls and messages the exchange asks about at one time.
const callers = 24

// exchange is the operator's session border controller: it asks the front door about every call and message by UDP and waits
// for the final answer. Transactions are told apart by the branch of its Via field.
type exchange struct {
	player *Player
	conn   *net.UDPConn
	done   chan struct{} // the reader has ended

	mu      sync.Mutex
	pending map[string]chan reply
}

// reply is what matters of a response.
type reply struct {
	status int
	branch string // of the top Via
	to     string // the To field, with its tag
	tagged bool
}

// startExchange opens the socket and reads from it until end.
func (p *Player) startExchange(ctx context.Context) (*exchange, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "udp", p.cfg.SIP)
	if err != nil {
		return nil, fmt.Errorf("send: SIP: %w", err)
	}
	x := &exchange{player: p, conn: conn.(*net.UDPConn), done: make(chan struct{}), pending: map[string]chan reply{}}
	go x.read()
	return x, nil
}

func (x *exchange) end() {
	_ = x.conn.Close()
	<-x.done
}

// caller asks about calls and messages until the queue ends.
func (x *exchange) caller(queue <-chan world.Sent) {
	for s := range queue {
		branch := "z9hG4bK" + strconv.FormatUint(s.Number, 36) + "." + strconv.FormatInt(x.player.began.UnixNano(), 36)
		via := fmt.Sprintf("SIP/2.0/UDP %s;branch=%s;rport", x.conn.LocalAddr(), branch)
		a, err := x.ask(&s, branch, via)
		if err != nil {
			x.player.cfg.Log.Warn("call or message without an answer", "error", err)
		}
		if s.Call != nil && x.player.cfg.API != "" && (a == Accepted || a == Tagged) {
			x.player.records <- ended{s.At, s.Call.Records}
		}
		x.player.answered(s, 0, a)
	}
}

// ask plays one client transaction (RFC 3261 section 17.1).
func (x *exchange) ask(s *world.Sent, branch, via string) (Answer, error) {
	var request []byte
	head, again := &world.SIP{}, timerT2
	switch {
	case s.Call != nil:
		request, head, again = s.Call.Request(via), &s.Call.SIP, answerTimeout
	default:
		request = s.IM.Request(via)
	}
	replies := make(chan reply, 4)
	x.mu.Lock()
	x.pending[branch] = replies
	x.mu.Unlock()
	defer func() {
		x.mu.Lock()
		delete(x.pending, branch)
		x.mu.Unlock()
	}()
	r, err := x.final(request, replies, again)
	if err != nil {
		return Error, err
	}
	if s.Call != nil {
		_, _ = x.conn.Write(head.Ack(via, r.to)) // a door that misses it asks for it again
	}
	return sipAnswer(r), nil
}

// Requests without an answer: nobody listens there, or says nothing.
var (
	errNobody  = errors.New("nobody listens there")
	errTimeout = errors.New("no answer")
)

// final sends a request until there is a final response. again is the longest pause between two attempts.
func (x *exchange) final(request []byte, replies <-chan reply, again time.Duration) (reply, error) {
	over := time.NewTimer(answerTimeout)
	defer over.Stop()
	pause := timerT1
	retry := time.NewTimer(0)
	defer retry.Stop()
	for {
		select {
		case <-retry.C:
			if _, err := x.conn.Write(request); err != nil {
				return reply{}, err
			}
			retry.Reset(pause)
			pause = min(2*pause, again)
		case r := <-replies:
			switch {
			case r.status >= 200:
				return r, nil
			case r.status == 0:
				return reply{}, errNobody
			}
			retry.Reset(answerTimeout) // it is being worked on
		case <-over.C:
			return reply{}, errTimeout
		case <-x.done:
			return reply{}, net.ErrClosed
		}
	}
}

// sipAnswer says what a response means: a redirection, "not found" (go on with the next route) and success let a call pass.
func sipAnswer(r reply) Answer {
	switch {
	case r.status == 603, r.status == 607, r.status == 608:
		return Rejected
	case r.status == 404, r.status < 400:
		if r.tagged {
			return Tagged
		}
		return Accepted
	case r.status == 480, r.status == 503:
		return Refused
	}
	return Error
}

// read takes responses until the socket is closed.
func (x *exchange) read() {
	defer close(x.done)
	buf := make([]byte, 65535)
	for {
		n, err := x.conn.Read(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		x.mu.Lock()
		if err != nil { // an ICMP message says that nobody listens (RFC 3261 section 18.4); it does not say for which
			for _, replies := range x.pending {
				hand(replies, reply{})
			}
		} else if r, ok := readReply(string(buf[:n])); ok {
			hand(x.pending[r.branch], r)
		}
		x.mu.Unlock()
	}
}

// hand gives a reply to who waits for it. One that is repeated, or of a request that was given up, goes nowhere.
func hand(replies chan<- reply, r reply) {
	select {
	case replies <- r:
	default:
	}
}

// readReply reads a response; ok is false for what is none.
func readReply(text string) (r reply, ok bool) {
	var m sip.Message
	if err := m.Read(text); err != nil || m.Status == 0 {
		return reply{}, false
	}
	via, ok := sip.ReadVia(m.Get(sip.ViaField))
	r = reply{status: m.Status, branch: via.Branch(), to: m.Get(sip.To)}
	for _, f := range m.Fields { // what passes with a label has fields of the front door's own
		r.tagged = r.tagged || len(f.Name) >= len(labels) && strings.EqualFold(f.Name[:len(labels)], labels)
	}
	return r, ok && r.branch != ""
}

// labels begins the names of the fields by which the front door labels what passes.
const labels = "X-Rempart"
