package smtp

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

func (s *session) newContent(m *mail, chunk bool) *content {
	return &content{limit: m.cfg.MaxSize, held: &s.proxy.held, chunk: chunk}
}

// unready is the reply if no content can be taken now.
func (s *session) unready() reply {
	switch m := s.mail; {
	case m == nil:
		return mailFirst
	case !m.failed.none():
		return m.failed
	case len(m.recipients) == 0 && s.lmtp:
		return say(503, "5.5.1 no valid recipients") // RFC 2033 section 4.2
	case len(m.recipients) == 0:
		return say(554, "5.5.1 no valid recipients")
	}
	return reply{}
}

// data takes a mail's content by DATA.
func (s *session) data(arg string) reply {
	switch r := s.unready(); {
	case !r.none():
		return r
	case s.mail.content != nil:
		return inMail
	case arg != "":
		return say(501, "5.5.4 nothing follows DATA")
	}
	s.say(say(354, "end the mail with <CR><LF>.<CR><LF>"))
	c := s.newContent(s.mail, false)
	s.mail.content = c
	for {
		b, ok := s.block(s.mail.until)
		if !ok {
			return reply{}
		}
		n, done := c.feed(b)
		s.use(n)
		if done {
			break
		}
	}
	s.finish()
	return reply{}
}

// block waits for a part of the content. Where none comes the session is over.
func (s *session) block(until time.Time) ([]byte, bool) {
	err := s.flush()
	var b []byte
	if err == nil {
		if patient := time.Now().Add(s.proxy.patient.block); patient.Before(until) {
			until = patient
		}
		b, err = s.more(until)
	}
	if err != nil {
		s.reset()
		s.over = true
		if errors.Is(err, os.ErrDeadlineExceeded) {
			s.say(s.farewell())
		}
		return nil, false
	}
	if s.hop != nil {
		if err := s.hop.stay(); err != nil {
			s.loseHop(err)
		}
	}
	return b, true
}

// bdat takes a chunk of a mail's content (RFC 3030). Whatever the answer is, the chunk is read.
func (s *session) bdat(arg string) reply {
	size, last, ok := chunkSize(arg)
	if !ok {
		return say(501, "5.5.4 write BDAT size, or BDAT size LAST")
	}
	fault := s.unready()
	until := time.Now().Add(s.proxy.patient.transaction)
	var c *content
	if s.mail != nil {
		until = s.mail.until
		if c = s.mail.content; c == nil && fault.none() {
			c = s.newContent(s.mail, true)
			s.mail.content = c
		}
	}
	for left := size; left > 0; {
		b, ok := s.block(until)
		if !ok {
			return reply{}
		}
		b = b[:min(int64(len(b)), left)]
		if fault.none() {
			c.feed(b)
		}
		s.use(len(b))
		left -= int64(len(b))
	}
	switch {
	case !fault.none() && last && s.lmtp && s.mail != nil && len(s.mail.recipients) > 0:
		for _, r := range s.same(s.mail, fault) { // the last chunk is answered for each of them, whatever the answer is
			s.say(r)
		}
		s.reset()
		return reply{}
	case !fault.none():
		return fault
	case last:
		c.end()
		s.finish()
		return reply{}
	case !c.fault.none():
		return c.fault
	}
	return say(250, fmt.Sprintf("2.0.0 %d bytes taken", size))
}

func chunkSize(arg string) (size int64, last, ok bool) {
	number, rest, _ := strings.Cut(arg, " ")
	last = strings.EqualFold(rest, "LAST")
	if !digits(number) || rest != "" && !last {
		return 0, false, false
	}
	size, err := strconv.ParseInt(number, 10, 64)
	return size, last, err == nil
}

// finish answers the end of a mail's content: once, or by LMTP once for each recipient (RFC 2033 section 4.2).
func (s *session) finish() {
	m := s.mail
	replies := s.settle(m)
	s.reset()
	taken := false
	for _, r := range replies {
		s.say(r)
		taken = taken || r.ok()
	}
	if taken {
		s.bad = 0
	}
	if err := s.flush(); err != nil {
		s.over = true
		if taken {
			s.proxy.host.Metrics.Error(m.cfg.Name, "unanswered")
			s.proxy.host.Log.Warn("a mail was taken, and the client left before it was told so", "door", m.cfg.Name, "error", err)
		}
	}
}
