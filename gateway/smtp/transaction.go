package smtp

import (
	"slices"
	"strings"
	"time"
)

// mail is a transaction in hand: what the next hop took of it so far.
type mail struct {
	cfg        *settings
	from       string
	line       string // MAIL as relayed
	open       bool   // at the next hop
	utf8       bool
	recipients []recipient // that the next hop took
	until      time.Time   // when the content must be whole
	content    *content    // once BDAT began it
	failed     reply       // the next hop was lost: all further commands are answered so
}

// recipient is one that the next hop took.
type recipient struct {
	address string
	line    string // RCPT as relayed
}

// maxRecipients of one mail; the client sends the rest in another one (RFC 5321 section 4.5.3.1.10).
const maxRecipients = 1000

// reset gives up the mail in hand, with the next hop too.
func (s *session) reset() {
	s.sender = nil
	m := s.mail
	if m == nil {
		return
	}
	s.mail = nil
	if m.content != nil {
		m.content.free()
	}
	if !m.open || s.hop == nil {
		return
	}
	if err := s.hop.must("RSET"); err != nil {
		s.loseHop(err)
	}
}

func (s *session) mailFrom(arg string) reply {
	switch {
	case s.greeted == "":
		return helloFirst
	case s.mail != nil:
		return inMail
	}
	p, err := parsePath(arg, "FROM:")
	if err != nil {
		return asReply(err)
	}
	cfg := s.proxy.cfg()
	params, utf8, fault := mailParams(&p, s.told, cfg.MaxSize)
	if !fault.none() {
		return fault
	}
	if r := s.reach(cfg); !r.none() {
		return r
	}
	m := &mail{cfg: cfg, from: p.address, line: "MAIL FROM:" + p.written + params, utf8: utf8, until: time.Now().Add(s.proxy.patient.transaction)}
	r, err := s.begin(m)
	if err == nil && r.ok() {
		s.mail, m.open = m, true
	}
	return s.relayed(r, err)
}

// reach makes sure of a connection to a next hop that can do what the client was told.
func (s *session) reach(cfg *settings) reply {
	switch {
	case s.hop == nil:
	case s.hop.stale(): // it may do so between two mails
		s.loseHop(errClosed)
	case !slices.Contains(cfg.NextHops, s.hop.address) || s.hop.lmtp != (cfg.NextHopProtocol == protocolLMTP):
		s.loseHop(errMoved)
	default:
		return reply{}
	}
	h := s.connect(cfg, s.greeted == "HELO")
	switch {
	case h == nil:
		return hopDown
	case !h.offers.covers(s.told):
		s.over = true
		return hopChanged
	}
	return reply{}
}

// begin tells the next hop for whom we speak, and begins the mail there.
func (s *session) begin(m *mail) (reply, error) {
	for _, line := range s.speaker().xforward(s.hop.offers) {
		if _, err := s.hop.ask(line); err != nil {
			return reply{}, err
		}
	}
	return s.hop.ask(m.line)
}

// speaker is for whom the client speaks.
func (s *session) speaker() origin {
	o := s.own
	if s.sender != nil {
		o = *s.sender
	}
	if o.helo == "" && s.sender == nil {
		o.helo = s.name
	}
	return o
}

// relayed is the next hop's answer as the client gets it. A next hop that closes leaves the client's connection open.
func (s *session) relayed(r reply, err error) reply {
	r.fromHop = true
	switch {
	case err != nil:
		s.loseHop(err)
		if s.mail != nil {
			s.mail.failed = hopLost
		}
		return hopLost
	case r.code/100 == 3: // nobody asked for it
		return s.relayed(r, errReply)
	case r.code == 421:
		s.loseHop(errAnswer)
		r.code = 451
		if s.mail != nil {
			s.mail.failed = r
		}
	}
	return r
}

func (s *session) rcptTo(arg string) reply {
	m := s.mail
	switch {
	case m == nil:
		return mailFirst
	case m.content != nil:
		return inMail
	case !m.failed.none():
		return m.failed
	}
	p, err := parsePath(arg, "TO:")
	if err != nil {
		return asReply(err)
	}
	params, fault := rcptParams(&p, s.told, m.utf8)
	switch {
	case !fault.none():
		return fault
	case len(m.recipients) >= maxRecipients:
		return say(452, "4.5.3 too many recipients, send the mail to the rest once more")
	case len(m.recipients) > 0 && !s.lmtp && s.hop.lmtp:
		return say(452, "4.5.3 one recipient at a time")
	}
	to := recipient{strings.ToLower(p.address), "RCPT TO:" + p.written + params}
	r, err := s.hop.ask(to.line)
	if err == nil && r.ok() {
		m.recipients = append(m.recipients, to)
	}
	return s.relayed(r, err)
}
