package smtp

import (
	"strings"

	"rempart/gateway"
)

// hello asks the next hop what it can do, so that the client is told what holds all the way.
func (s *session) hello(verb, arg string) reply {
	name, _, _ := strings.Cut(arg, " ")
	if name == "" {
		return say(501, "5.5.4 give your name")
	}
	s.reset()
	cfg := s.proxy.cfg()
	s.greeted, s.name = "", ascii(name)
	s.leaveHop()
	h := s.connect(cfg, verb == "HELO")
	if h == nil {
		return hopDown
	}
	s.greeted, s.told = verb, offers{}
	if verb == "HELO" {
		return say(250, s.local)
	}
	s.told = h.offers.forClient(cfg.MaxSize)
	lines := append([]string{s.local}, s.told.keywords()...)
	if cfg.tls != nil && !s.secure {
		lines = append(lines, "STARTTLS")
	}
	if gateway.Contains(cfg.speak, s.peer) {
		lines = append(lines, "XFORWARD "+xforwardAttributes, "XCLIENT "+xclientAttributes)
	}
	return reply{code: 250, lines: lines}
}

// connect opens the connection to the next hop; nil if that cannot be.
func (s *session) connect(cfg *settings, plain bool) *hop {
	h, err := s.proxy.dialHop(cfg, s.name, plain)
	if err != nil {
		return nil
	}
	s.mu.Lock()
	s.hop = h
	s.mu.Unlock()
	return h
}

// loseHop notes that the connection to the next hop is of no more use.
func (s *session) loseHop(err error) {
	s.mu.Lock()
	h := s.hop
	s.hop = nil
	s.mu.Unlock()
	if h != nil {
		h.close()
	}
	cfg := s.proxy.cfg()
	s.proxy.host.Metrics.Error(cfg.Name, "next_hop")
	s.proxy.host.Log.Warn("connection to next hop lost", "door", cfg.Name, "error", err)
}

// leaveHop ends the next hop's side.
func (s *session) leaveHop() {
	s.mu.Lock()
	h := s.hop
	s.hop = nil
	if s.cut != nil {
		s.cut.Stop()
	}
	s.mu.Unlock()
	if h != nil {
		h.leave()
	}
}

// maySpeak reports whether the client may say for whom it speaks, and the reply if not.
func (s *session) maySpeak() (reply, bool) {
	switch {
	case !gateway.Contains(s.proxy.cfg().speak, s.peer):
		return say(550, "5.7.0 insufficient authorization"), false
	case s.mail != nil:
		return inMail, false
	}
	return reply{}, true
}

func (s *session) xforward(arg string) reply {
	if r, ok := s.maySpeak(); !ok {
		return r
	}
	from := origin{login: s.own.login}
	if s.sender != nil {
		from = *s.sender
	}
	from, err := from.apply(arg, xforwardAttributes)
	if err != nil {
		return asReply(err)
	}
	s.sender = &from
	return say(250, "2.0.0 Ok")
}

func (s *session) xclient(arg string) reply {
	if r, ok := s.maySpeak(); !ok {
		return r
	}
	own, err := s.own.apply(arg, xclientAttributes)
	if err != nil {
		return asReply(err)
	}
	s.own, s.greeted = own, ""
	return s.greeting()
}

// startTLS begins TLS (RFC 3207). What came in clear behind the command would be taken for encrypted: then there is none.
func (s *session) startTLS(arg string) reply {
	cfg := s.proxy.cfg()
	switch {
	case cfg.tls == nil || s.secure:
		return unknownCommand
	case arg != "" || s.r.Buffered() > 0:
		s.over = true
		return say(501, "5.5.4 nothing may follow STARTTLS")
	case s.mail != nil:
		return inMail
	}
	s.say(say(220, "2.0.0 go ahead"))
	if err := s.flush(); err != nil {
		s.over = true
		return reply{}
	}
	if err := s.secureWith(cfg.tls, s.proxy.patient.command); err != nil {
		s.proxy.host.Metrics.Error(cfg.Name, "protocol")
		s.proxy.host.Log.Info("STARTTLS failed", "door", cfg.Name, "client", s.peer.String(), "error", err)
		s.over = true
	}
	s.secure, s.greeted, s.own, s.sender = true, "", origin{address: s.peer}, nil
	return reply{}
}
