package smpp

import (
	"context"
	"sync"
	"sync/atomic"

	"rempart/gateway/smpp/pdu"
	"rempart/message"
)

// session is one bind: a client, the message centre, and the client's texts between them.
type session struct {
	proxy            *Proxy
	client, upstream *link
	bind             pdu.Bind
	unbinding        atomic.Bool // one side asked for the end
	drained          chan struct{}

	mu         sync.Mutex
	idle       sync.Cond          // inflight, judging or delivering has shrunk, or the session ends
	inflight   map[uint32]request // the client's unanswered texts by sequence number
	judging    int                // texts of either side being judged
	delivering int                // of them, those of the message centre
	draining   bool               // take no new texts
	lost       bool               // the message centre is gone
}

// request is a text that the client has no answer to yet.
type request struct {
	id      pdu.ID
	relayed bool // the message centre has to answer
}

// run relays until either side is gone or ctx is done and all is answered.
func (s *session) run(ctx context.Context) {
	s.client.limit.Store(int64(silence))
	s.upstream.limit.Store(int64(silence))
	s.drained = make(chan struct{})
	stop := context.AfterFunc(ctx, s.drain)
	judge := context.WithoutCancel(ctx) // what is in hand is finished

	var up sync.WaitGroup
	up.Go(func() {
		// A panic here must end this session like a lost message centre, not the node.
		s.proxy.host.Guard(s.proxy.cfg().Name, func() { s.fromUpstream(judge) })
		s.upstreamLost()
	})
	defer func() {
		s.client.shut() // what is queued is written; nobody waits to queue more
		s.clientLost()
		up.Wait()
		if !stop() {
			<-s.drained
		}
		s.waitJudged()
	}()
	s.fromClient(judge)
}

// fromClient reads the client's side until it ends.
func (s *session) fromClient(ctx context.Context) {
	for {
		u, err := s.client.next()
		if err != nil {
			s.note("client", err)
			return
		}
		id, seq := u.ID(), u.Sequence()
		switch {
		case id == pdu.EnquireLink:
			s.client.header(id.Resp(), pdu.OK, seq)
		case id == pdu.EnquireLink.Resp(): // to our own: we relay none
		case id.IsBind():
			s.client.header(id.Resp(), pdu.AlreadyBound, seq)
		case id == pdu.Unbind:
			s.waitJudged() // so that the answers to what came before go before
			s.unbinding.Store(true)
			s.upstream.send(u)
		case id == pdu.Unbind.Resp() && s.client.leaving.Load():
			return
		case pdu.CarriesText(id):
			s.submitted(ctx, u)
		default:
			s.upstream.send(u)
		}
	}
}

// submitted takes a text from the client.
func (s *session) submitted(ctx context.Context, u pdu.PDU) {
	id, seq := u.ID(), u.Sequence()
	if _, err := pdu.Parse(u); err != nil {
		s.proxy.host.Metrics.Error(s.proxy.cfg().Name, "protocol")
		if s.proxy.cfg().Mode == message.ModeJudge {
			s.client.header(id.Resp(), pdu.SystemError, seq)
		} else {
			s.upstream.send(u) // in shadow the message centre answers, as it would without us
		}
		return
	}
	s.mu.Lock()
	full := len(s.inflight) >= s.proxy.cfg().Window
	refuse := s.draining || s.lost || full && s.proxy.cfg().Mode == message.ModeJudge
	if !refuse && !full {
		s.inflight[seq] = request{id: id}
		s.judging++
	}
	s.mu.Unlock()
	switch {
	case refuse:
		s.proxy.host.Metrics.Message(s.proxy.cfg().Name, message.Throttle)
		s.client.header(id.Resp(), pdu.Throttled, seq)
		return
	case full: // in shadow the window is the message centre's matter
		s.proxy.host.Metrics.Error(s.proxy.cfg().Name, "window")
		s.upstream.send(u)
		return
	}
	own := append(pdu.PDU(nil), u...)
	go func() {
		defer s.judged(false)
		if !s.proxy.host.Guard(s.proxy.cfg().Name, func() { s.judgeSubmitted(ctx, own) }) {
			s.carryOut(own, nil, s.proxy.cfg().OnError.Action())
		}
	}()
}

// judged notes that a text is out of the judge's hands.
func (s *session) judged(delivered bool) {
	s.mu.Lock()
	s.judging--
	if delivered {
		s.delivering--
	}
	s.idle.Broadcast()
	s.mu.Unlock()
}

func (s *session) waitJudged() {
	s.mu.Lock()
	for s.judging > 0 {
		s.idle.Wait()
	}
	s.mu.Unlock()
}

// relay hands a judged text on; without a message centre it is answered with a code that may be retried.
func (s *session) relay(u pdu.PDU, seq uint32) {
	s.mu.Lock()
	r, known := s.inflight[seq]
	gone := s.lost || !known
	if !gone {
		r.relayed = true
		s.inflight[seq] = r
	}
	s.mu.Unlock()
	if gone {
		s.answer(seq, func(b []byte) []byte {
			return pdu.AppendHeader(b, u.ID().Resp(), pdu.Throttled, seq)
		})
		return
	}
	s.upstream.send(u)
}

// answer answers a text of the client in the message centre's stead.
func (s *session) answer(seq uint32, resp func([]byte) []byte) {
	s.forget(seq)
	s.client.append(resp)
}

func (s *session) forget(seq uint32) {
	s.mu.Lock()
	delete(s.inflight, seq)
	s.idle.Broadcast()
	s.mu.Unlock()
}

// fromUpstream reads the message centre's side until it ends.
func (s *session) fromUpstream(ctx context.Context) {
	for {
		u, err := s.upstream.next()
		if err != nil {
			s.note("next_hop", err)
			return
		}
		id, seq := u.ID(), u.Sequence()
		switch {
		case id == pdu.EnquireLink:
			s.upstream.header(id.Resp(), pdu.OK, seq)
		case id == pdu.EnquireLink.Resp():
		case id == pdu.Unbind.Resp() && s.upstream.leaving.Load():
			return
		case (id == pdu.DeliverSM || id == pdu.DataSM) && s.proxy.cfg().Direction == message.In:
			s.delivered(ctx, u)
		case id == pdu.Unbind:
			s.unbinding.Store(true)
			s.client.send(u)
		case id.IsResp():
			s.client.send(u)
			s.forget(seq)
		default:
			s.client.send(u)
		}
	}
}

// delivered takes a text from the message centre. Receipts are not judged.
func (s *session) delivered(ctx context.Context, u pdu.PDU) {
	m, err := pdu.Parse(u)
	if err != nil || m.IsReceipt() {
		s.client.send(u) // what is malformed is between the two of them
		return
	}
	s.mu.Lock()
	full := s.delivering >= s.proxy.cfg().Window
	if !full {
		s.delivering++
		s.judging++
	}
	s.mu.Unlock()
	if full {
		s.upstream.header(u.ID().Resp(), pdu.ReceiverRetry, u.Sequence())
		return
	}
	own := append(pdu.PDU(nil), u...)
	go func() {
		defer s.judged(true)
		if !s.proxy.host.Guard(s.proxy.cfg().Name, func() { s.judgeDelivered(ctx, own) }) {
			s.handOver(own, s.proxy.cfg().OnError.Action())
		}
	}()
}

// upstreamLost answers what the message centre has not, with a code that may be retried, and unbinds the client.
func (s *session) upstreamLost() {
	s.mu.Lock()
	s.lost = true
	unanswered := make(map[uint32]pdu.ID)
	for seq, r := range s.inflight {
		if r.relayed {
			unanswered[seq] = r.id
			delete(s.inflight, seq)
		}
	}
	s.idle.Broadcast()
	s.mu.Unlock()
	for seq, id := range unanswered {
		s.client.header(id.Resp(), pdu.Throttled, seq)
	}
	if n := len(unanswered); n > 0 {
		s.proxy.host.Log.Warn("message centre left texts unanswered", "door", s.proxy.cfg().Name, "system_id", s.bind.SystemID, "texts", n)
	}
	switch {
	case !s.unbinding.Swap(true):
		s.client.leave()
		s.client.request(pdu.Unbind)
	case !s.client.leaving.Load(): // it asked itself and has its answer
		s.client.shut()
	}
}

// clientLost ends the message centre's side.
func (s *session) clientLost() {
	s.mu.Lock()
	s.draining = true
	clear(s.inflight) // what is not relayed yet is not: without an answer the client sends it again
	s.idle.Broadcast()
	s.mu.Unlock()
	s.waitJudged()
	if !s.unbinding.Swap(true) {
		s.upstream.request(pdu.Unbind)
	}
	s.upstream.leave()
}

// drain ends the session after all texts in hand are answered.
func (s *session) drain() {
	defer close(s.drained)
	s.mu.Lock()
	s.draining = true
	for len(s.inflight) > 0 || s.judging > 0 {
		s.idle.Wait()
	}
	s.mu.Unlock()
	if s.unbinding.Swap(true) {
		return
	}
	s.client.leave()
	s.client.request(pdu.Unbind)
	s.upstream.leave()
	s.upstream.request(pdu.Unbind)
}

func (s *session) note(side string, err error) {
	if s.unbinding.Load() {
		return
	}
	if side == "next_hop" {
		s.proxy.host.Metrics.Error(s.proxy.cfg().Name, side)
	}
	s.proxy.host.Log.Info("connection ended", "door", s.proxy.cfg().Name, "system_id", s.bind.SystemID, "side", side, "error", err)
}
