package sip

import (
	"context"
	"encoding/hex"
	"strings"
	"time"

	"github.com/minio/highwayhash"

	"rempart/gateway"
	"rempart/message"
	"rempart/message/call"
	"rempart/message/im"
	"rempart/message/sip"
)

// worker handles one message at a time; what it holds is used again.
type worker struct {
	server *Server
	m      sip.Message
	from   origin
	key    key
	out    []byte
	names  []byte // what the key is made of
}

// handle answers, relays or drops one message. It reports whether that is left to [worker.finish], which judges it first.
func (w *worker) handle(raw string, from origin) (unfinished bool) {
	w.server.host.Guard(w.server.cfg().Name, func() { unfinished = w.message(raw, from) })
	return unfinished
}

// finish judges what handle left, and carries it out.
func (w *worker) finish() {
	cfg := w.server.cfg()
	w.server.host.Guard(cfg.Name, func() {
		v := w.server.recent.end(w.key, w.judge(cfg))
		w.server.host.Metrics.Message(cfg.Name, v.action)
		w.carryOut(cfg, v)
	})
}

func (w *worker) message(raw string, from origin) (unfinished bool) {
	w.from = from
	if err := w.m.Read(raw); err != nil {
		w.server.dropped()
		return false
	}
	cfg := w.server.cfg()
	if w.m.Status != 0 {
		if cfg.relaying() {
			w.relayBack(cfg)
		}
		return false
	}
	if w.m.Top.Host == "" { // nobody to answer
		w.server.dropped()
		return false
	}
	w.key = w.keyOf(w.m.Top, w.m.Method)
	if w.m.Method == "ACK" {
		w.ack(cfg)
		return false
	}
	if code := w.refusal(cfg); code != 0 {
		w.answer(code, nil)
		return false
	}
	return w.request(cfg)
}

// request goes by the method.
func (w *worker) request(cfg *settings) (unfinished bool) {
	switch w.m.Method {
	case "INVITE":
		switch {
		case !w.inDialog():
			return w.screen(cfg)
		case cfg.relaying(): // within a call that was let through
			w.relay(cfg, verdict{})
		default:
			w.answer(481, nil)
		}
	case "MESSAGE":
		return w.screen(cfg)
	case "CANCEL":
		w.cancel(cfg)
	case "OPTIONS":
		if u, _ := sip.ReadURI(w.m.URI); cfg.relaying() && u.User != "" && w.m.MaxForwards != 0 {
			w.relay(cfg, verdict{})
			return false
		}
		w.answer(200, allow)
	default:
		if cfg.relaying() {
			w.relay(cfg, verdict{})
			return false
		}
		w.answer(405, allow)
	}
	return false
}

var allow = []byte("Allow: INVITE, ACK, CANCEL, OPTIONS, MESSAGE\r\n")

// refusal is the status of a request that is refused whatever it wants; 0 if it is not. A redirecting server leaves
// Require and Max-Forwards aside (RFC 3261 section 8.3).
func (w *worker) refusal(cfg *settings) int {
	switch w.m.Fault {
	case "":
	case sip.Version:
		return 505
	case sip.Scheme:
		return 416
	default:
		return 400
	}
	if !cfg.relaying() {
		if w.m.Method == "OPTIONS" && (w.m.Has(sip.Require) || w.m.Has(sip.ProxyRequire)) {
			return 420
		}
		return 0
	}
	switch {
	case w.m.Method == "CANCEL":
		return 0
	case w.m.Has(sip.ProxyRequire):
		return 420
	case w.m.MaxForwards == 0 && w.m.Method != "OPTIONS":
		return 483
	}
	return 0
}

// screen leaves a call or message to be judged, or carries out again what was decided on it.
func (w *worker) screen(cfg *settings) (unfinished bool) {
	v, known := w.server.recent.begin(w.key, time.Now())
	switch {
	case !known:
		return true
	case v.action != 0:
		w.carryOut(cfg, v)
	case w.m.Method == "INVITE" && !cfg.relaying(): // a stateless proxy says nothing of its own (16.11)
		w.answer(100, nil)
	}
	return false
}

// judge asks for the action, in shadow accept.
func (w *worker) judge(cfg *settings) verdict {
	now := time.Now()
	var m *message.Message
	if w.m.Method == "MESSAGE" {
		m = im.Parse(&w.m)
	} else {
		m = call.Parse(&w.m)
	}
	m.ID, m.Arrived, m.Door, m.Mode, m.Direction = gateway.NewID(now), now, cfg.Name, cfg.Mode, cfg.Direction
	sip.Hop{Peer: w.from.peer.Addr(), Door: cfg.Name, Relays: cfg.relays, At: now}.Trace(m, &w.m)
	ans, err := w.server.host.Ask(context.Background(), &cfg.Door, m) // what is in hand is finished when the node stops
	if err != nil {
		return verdict{action: cfg.OnError.Action()}
	}
	v := verdict{action: ans.Decisions[0].Effective()}
	if !cfg.judging() {
		v.action = message.Accept
	}
	if len(ans.Judgement.Verdicts) > 0 {
		v.permille = uint16(1000*ans.Judgement.Verdicts[0].Probability + 0.5)
	}
	return v
}

func (w *worker) carryOut(cfg *settings, v verdict) {
	a := answerTo(v.action)
	code := a.call
	if w.m.Method == "MESSAGE" {
		code = a.text
	}
	switch {
	case bool(v.cancelled):
		w.answer(487, nil)
	case a.pass:
		w.pass(cfg, v, a.label)
	case code == 0:
		w.answer(cfg.RejectCode, reason(cfg.RejectCode))
	case code == 480:
		w.answer(code, retryAfter)
	default:
		w.answer(code, nil)
	}
}

// pass lets it go on. A label says what was decided.
func (w *worker) pass(cfg *settings, v verdict, label bool) {
	if !label {
		v.permille = unlabelled
	}
	switch cfg.OnAccept {
	case onAcceptRelay:
		w.relay(cfg, v)
	case onAcceptContinue:
		w.answer(404, appendLabel(nil, v))
	default:
		w.answer(302, w.contacts(cfg, appendLabel(nil, v), label))
	}
}

// ack ends here if it is for an answer of our own, which its tag tells; there is no answer to an ACK.
func (w *worker) ack(cfg *settings) {
	if to, _ := sip.ReadAddress(w.m.Get(sip.To)); to.Tag() == w.tag() || !cfg.relaying() || w.m.Fault != "" || w.m.MaxForwards == 0 {
		return
	}
	w.relay(cfg, verdict{})
}

// cancel answers as section 9.2 says, and relays the cancelling of what was relayed.
func (w *worker) cancel(cfg *settings) {
	v, known := w.server.recent.cancel(w.key)
	switch {
	case known && v.action == 0:
		w.answer(200, nil)
	case cfg.relaying() && (!known || answerTo(v.action).pass):
		w.relay(cfg, verdict{})
	case known:
		w.answer(200, nil)
	default:
		w.answer(481, nil)
	}
}

// inDialog reports a request within a call (section 12.2).
func (w *worker) inDialog() bool {
	to, _ := sip.ReadAddress(w.m.Get(sip.To))
	return to.Tag() != ""
}

// keyOf names the transaction of a request that via belongs to (section 17.2.3). ACK and CANCEL have that of their
// INVITE. Call-ID, CSeq and the caller's tag are for those who send no proper branch, and against those who would have
// another's branch answered for.
func (w *worker) keyOf(via sip.Via, method string) key {
	if method == "ACK" || method == "CANCEL" {
		method = "INVITE"
	}
	from, _ := sip.ReadAddress(w.m.Get(sip.From))
	number, _, _ := strings.Cut(w.m.Get(sip.CSeq), " ")
	b := w.names[:0]
	for _, s := range []string{via.Branch(), via.Host, via.Port, w.m.Get(sip.CallID), number, from.Tag(), method} {
		b = append(append(b, s...), 0)
	}
	w.names = b
	return highwayhash.Sum128(b, w.server.secret[:])
}

// tag is the To tag of our answers, the same for each answer of a transaction (section 8.2.6.2).
func (w *worker) tag() string { return hex.EncodeToString(w.key[:8]) }
