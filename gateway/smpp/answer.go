package smpp

import (
	"context"
	"time"

	"rempart/gateway"
	"rempart/gateway/smpp/pdu"
	"rempart/message"
)

// An answer is how an action is carried out on a text.
type answer struct {
	action  message.Action
	relay   bool       // it goes on
	tag     bool       // with tag_sender, if that is set
	status  pdu.Status // of the response to a client, if it does not go on
	deliver pdu.Status // of the response to the message centre
}

// answers is what docs/frontdoor-smpp.md prints. There is no store for held texts yet, and a text that was answered
// "accepted" must not vanish: what asks for one is relayed as tagged.
var answers = []answer{
	{action: message.Accept, relay: true},
	{action: message.Tag, relay: true, tag: true},
	{action: message.Rewrite, relay: true, tag: true},
	{action: message.Redirect, relay: true, tag: true},
	{action: message.Hold, relay: true, tag: true},
	{action: message.Quarantine, relay: true, tag: true},
	{action: message.Challenge, relay: true, tag: true},
	{action: message.Greylist, status: pdu.Throttled, deliver: pdu.ReceiverRetry},
	{action: message.Tempfail, status: pdu.Throttled, deliver: pdu.ReceiverRetry},
	{action: message.Throttle, status: pdu.Throttled, deliver: pdu.ReceiverRetry},
	{action: message.Reject, status: pdu.SubmitFailed, deliver: pdu.ReceiverNever},
	{action: message.Remove, status: pdu.SubmitFailed, deliver: pdu.ReceiverNever},
	{action: message.Discard, status: pdu.OK, deliver: pdu.OK},
}

// answerTo finds the row; an action of a newer build is relayed.
func answerTo(a message.Action) answer {
	for _, row := range answers {
		if row.action == a {
			return row
		}
	}
	return answer{action: a, relay: true}
}

func (s *session) judgeSubmitted(ctx context.Context, u pdu.PDU) {
	view, _ := pdu.Parse(u) // it was well formed when it was taken
	m := s.text(&view, s.proxy.cfg().Direction, s.bind.SystemID)
	s.carryOut(u, &view, s.decide(ctx, m))
}

func (s *session) judgeDelivered(ctx context.Context, u pdu.PDU) {
	view, _ := pdu.Parse(u)
	s.handOver(u, s.decide(ctx, s.text(&view, message.In, "")))
}

// decide asks for one action for the text: the one all recipients agree on, else the mildest, since one answer is for
// all (submit_multi).
func (s *session) decide(ctx context.Context, m *message.Message) message.Action {
	door := &s.proxy.cfg().Door
	ans, err := s.proxy.host.Ask(ctx, door, m)
	if err != nil {
		return door.OnError.Action()
	}
	action := ans.Decisions[0].Effective()
	for _, d := range ans.Decisions[1:] {
		action = min(action, d.Effective())
	}
	return action
}

// carryOut relays or answers a client's text. view may be nil: then it is relayed as it is.
func (s *session) carryOut(u pdu.PDU, view *pdu.Message, action message.Action) {
	seq := u.Sequence()
	a := answerTo(action)
	if s.proxy.cfg().Mode != message.ModeJudge {
		a = answer{action: message.Accept, relay: true}
	}
	s.proxy.host.Metrics.Message(s.proxy.cfg().Name, a.action)
	switch {
	case a.relay && a.tag && view != nil && s.proxy.cfg().TagSender != "":
		tagged := pdu.Address{TON: pdu.Alphanumeric, Addr: []byte(s.proxy.cfg().TagSender)}
		s.relay(pdu.AppendWithSource(nil, u, view, tagged), seq)
	case a.relay:
		s.relay(u, seq)
	case a.status == pdu.OK:
		s.answer(seq, func(b []byte) []byte {
			return pdu.AppendResp(b, u.ID(), seq, gateway.NewID(time.Now()))
		})
	default:
		s.answer(seq, func(b []byte) []byte { return pdu.AppendHeader(b, u.ID().Resp(), a.status, seq) })
	}
}

// handOver relays or answers a text of the message centre.
func (s *session) handOver(u pdu.PDU, action message.Action) {
	a := answerTo(action)
	if s.proxy.cfg().Mode != message.ModeJudge {
		a = answer{action: message.Accept, relay: true}
	}
	s.proxy.host.Metrics.Message(s.proxy.cfg().Name, a.action)
	switch {
	case a.relay:
		s.client.send(u)
	case a.deliver == pdu.OK:
		s.upstream.append(func(b []byte) []byte { return pdu.AppendResp(b, u.ID(), u.Sequence(), "") })
	default:
		s.upstream.header(u.ID().Resp(), a.deliver, u.Sequence())
	}
}
