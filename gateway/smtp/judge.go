package smtp

import (
	"context"
	"slices"

	"rempart/catalogue"
	"rempart/gateway"
	"rempart/message"
	"rempart/message/email"
)

// An answer is how an action is carried out on a mail.
type answer struct {
	action message.Action
	relay  bool // it goes on
	mark   bool // with our headers
	code   int  // of the reply, if it does not go on
	status string
}

// answers is what docs/frontdoor-smtp.md prints. There is no hold queue, and a mail that was answered 250 must not vanish: what asks
// for one goes on, marked, and so does what our own quarantine does not keep.
var answers = []answer{
	{action: message.Accept, relay: true},
	{action: message.Tag, relay: true, mark: true},
	{action: message.Rewrite, relay: true, mark: true},
	{action: message.Redirect, relay: true, mark: true},
	{action: message.Hold, relay: true, mark: true},
	{action: message.Quarantine, relay: true, mark: true},
	{action: message.Greylist, code: 451, status: "4.7.1"},
	{action: message.Tempfail, code: 451, status: "4.7.1"},
	{action: message.Throttle, code: 451, status: "4.7.1"},
	{action: message.Challenge, code: 451, status: "4.7.1"},
	{action: message.Reject, code: 550, status: "5.7.1"},
	{action: message.Discard, code: 250, status: "2.0.0"},
	{action: message.Remove, code: 250, status: "2.0.0"},
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

// message is what is judged.
func (s *session) message(m *mail) *message.Message {
	who := s.speaker()
	msg := m.cfg.Mail(m.content.raw, len(m.content.raw))
	msg.QueueID, msg.MailFrom, msg.Helo, msg.OneAnswer = who.queueID, m.from, who.helo, !s.lmtp
	msg.Handover = true
	if m.content.bare { // made good since, but it says something about the sender
		msg.Anomalies = append(msg.Anomalies, message.Anomaly{Name: email.MixedLineEnds})
	}
	msg.Source.Name = who.name
	if s.sender == nil {
		msg.Source.TLS = s.tlsVersion() // else it is the mail server's that hands on
	}
	email.Trust(msg, m.cfg.relays, who.address)
	if who.login != "" {
		msg.Account, msg.Direction, msg.Source.Trusted = who.login, message.Out, true
	}
	msg.Recipients = make([]message.Recipient, len(m.recipients))
	for i, to := range m.recipients {
		msg.Recipients[i] = gateway.Recipient(to.address)
	}
	return msg
}

// plan is what becomes of a mail: who is answered at once, and the copies that go on.
type plan struct {
	unjudged bool    // no judgement came in time, and the mail goes on without
	replies  []reply // by recipient; none for those of copies
	copies   []parcel
}

// parcel is a copy of the mail and who gets it.
type parcel struct {
	edit edit
	to   []int // places of recipients
}

// add plans for recipient i.
func (p *plan) add(i int, r reply, e edit) {
	if !r.none() {
		p.replies[i] = r
		return
	}
	at := slices.IndexFunc(p.copies, func(c parcel) bool { return c.edit == e })
	if at < 0 {
		at = len(p.copies)
		p.copies = append(p.copies, parcel{edit: e})
	}
	p.copies[at].to = append(p.copies[at].to, i)
}

// plan asks for the judgement.
func (s *session) plan(m *mail, msg *message.Message) plan {
	p := plan{replies: make([]reply, len(m.recipients))}
	metrics, cfg := s.proxy.host.Metrics, m.cfg
	same := func(a message.Action, r reply, e edit) plan {
		metrics.Message(cfg.Name, a)
		for i := range m.recipients {
			p.add(i, r, e)
		}
		return p
	}
	ans, err := s.proxy.host.Ask(context.Background(), &cfg.Door, msg) // a mail in hand is finished when the node stops
	switch {
	case err != nil && cfg.OnError != gateway.OnErrorAccept:
		return same(message.Tempfail, refusal(451, "4.7.1", catalogue.English().Say("answer.tempfail")), edit{})
	case cfg.Mode != message.ModeJudge:
		return same(message.Accept, reply{}, edit{})
	case err != nil:
		p.unjudged = true
		return same(message.Accept, reply{}, edit{clean: s.stranger(), sign: true})
	}
	if s.lmtp {
		for i := range m.recipients {
			d, verdict := ans.Decisions[i], ans.Judgement.Worst()
			if i < len(ans.Judgement.Verdicts) {
				verdict = ans.Judgement.Verdicts[i]
			}
			metrics.Message(cfg.Name, d.Effective())
			r, e := s.carryOut(d, ans.Kept, verdict, d.Mode == message.ModeJudge)
			p.add(i, r, e)
		}
		return p
	}
	d, removed := ans.One()
	metrics.Message(cfg.Name, d.Effective())
	judged := slices.ContainsFunc(ans.Decisions, func(d message.Decision) bool { return d.Mode == message.ModeJudge })
	r, e := s.carryOut(d, ans.Kept, ans.Judgement.Worst(), judged)
	for i := range m.recipients {
		if r.none() && slices.Contains(removed, i) {
			p.add(i, say(250, "2.0.0 Ok"), edit{})
			continue
		}
		p.add(i, r, e)
	}
	return p
}

// carryOut is a decision as a reply, or as what is changed of a mail that goes on: where nobody is judged it is signed alone. Kept says
// that copies in quarantine are in our own store.
func (s *session) carryOut(d message.Decision, kept bool, v *message.Verdict, judged bool) (reply, edit) {
	a := answerTo(d.Effective())
	switch {
	case kept && a.action == message.Quarantine:
		return say(250, "2.0.0 Ok"), edit{}
	case a.relay && !judged:
		return reply{}, edit{sign: true}
	case a.relay && a.mark:
		return reply{}, edit{clean: s.stranger(), action: a.action, verdict: v, united: d.United, sign: true}
	case a.relay:
		return reply{}, edit{clean: s.stranger(), sign: true}
	case a.code == 250:
		return say(250, a.status+" Ok"), edit{}
	}
	return refusal(a.code, a.status, d.Text), edit{}
}

// stranger reports whether headers in our name are forged: a relay of the operator's may have added its own.
func (s *session) stranger() bool {
	return !gateway.Contains(s.mail.cfg.relays, s.speaker().address)
}
