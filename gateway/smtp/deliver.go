package smtp

import "slices"

var (
	bareNewline = say(550, "5.6.11 a CR or LF stands alone in the mail")
	unsure      = say(451, "4.4.2 the next mail server was lost before it answered; sent again, the mail may come twice")
)

// settle decides about the mail in hand, delivers what goes on, and returns the answers: one, or by LMTP one a recipient. None
// are returned to a client that has left.
func (s *session) settle(m *mail) []reply {
	c := m.content
	fault := c.fault
	if fault.none() && c.bare && m.cfg.BareNewlines == refuse {
		fault = bareNewline
	}
	if !fault.none() {
		return s.same(m, fault)
	}
	msg := s.message(m)
	early := *msg // msg is the judge's if it overruns
	p := s.plan(m, msg)
	if p.unjudged {
		msg = &early
	}
	if s.left() {
		s.over = true
		return nil
	}
	answered := slices.Clone(p.replies)
	for _, one := range p.copies {
		s.deliver(m, one.to, one.edit.apply(c.raw, msg, m.cfg, s.proxy.host.Signatures), p.replies)
	}
	if s.lmtp {
		return p.replies
	}
	for i, r := range p.replies { // who was removed or refused does not speak for those the mail went to
		if answered[i].none() {
			return []reply{r}
		}
	}
	return p.replies[:1]
}

// same is one answer for all.
func (s *session) same(m *mail, r reply) []reply {
	if !s.lmtp {
		return []reply{r}
	}
	return slices.Repeat([]reply{r}, len(m.recipients))
}

// deliver hands a copy to the next hop for those recipients and fills in their replies.
func (s *session) deliver(m *mail, to []int, pieces [][]byte, replies []reply) {
	rest := func(r reply) {
		for _, i := range to {
			if replies[i].none() {
				replies[i] = r
			}
		}
	}
	if s.hop != nil && s.hop.stale() { // it has seen nothing of the content: begin again
		s.loseHop(errClosed)
	}
	if s.hop == nil || !m.open || len(to) < len(m.recipients) {
		if to = s.again(m, to, replies); len(to) == 0 {
			return
		}
	}
	refused, whole, err := s.hop.content(pieces)
	switch {
	case err == nil && !whole && refused.code < 400:
		err = errReply
		fallthrough
	case err != nil: // it lacks the end
		m.open = false
		rest(s.relayed(refused, err))
		return
	case !whole:
		rest(s.relayed(refused, nil))
		return
	}
	m.open = false
	for k := range to {
		r, err := s.hop.answer(s.proxy.patient.commit)
		if err == nil && r.code < 400 && !r.ok() {
			err = errReply
		}
		if err != nil {
			s.proxy.host.Metrics.Error(m.cfg.Name, "unsure")
			s.relayed(reply{}, err)
			rest(unsure)
			return
		}
		if !s.hop.lmtp {
			rest(s.relayed(r, nil))
			return
		}
		if replies[to[k]] = s.relayed(r, nil); s.hop == nil {
			rest(unsure)
			return
		}
	}
}

// again begins the mail anew for some of its recipients and returns those that the next hop takes; the others have their
// replies. A client with one answer has it for all: one refusal refuses the mail.
func (s *session) again(m *mail, to []int, replies []reply) (taken []int) {
	all := func(r reply) []int {
		for _, i := range to {
			if replies[i].none() {
				replies[i] = r
			}
		}
		return nil
	}
	if m.open && s.hop != nil {
		if err := s.hop.must("RSET"); err != nil {
			s.loseHop(err)
		}
	}
	m.open = false
	if r := s.reach(m.cfg); !r.none() {
		return all(r)
	}
	r, err := s.begin(m)
	if r = s.relayed(r, err); !r.ok() {
		return all(r)
	}
	m.open = true
	for _, i := range to {
		r, err := s.hop.ask(m.recipients[i].line)
		switch r = s.relayed(r, err); {
		case r.ok():
			taken = append(taken, i)
		case s.hop == nil, !s.lmtp:
			return all(r)
		default:
			replies[i] = r
		}
	}
	return taken
}
