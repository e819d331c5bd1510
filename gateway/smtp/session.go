package smtp

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// session is one connection of a client.
type session struct {
	*client
	proxy   *Proxy
	stop    <-chan struct{} // closed when the node stops
	lmtp    bool
	peer    netip.Addr
	local   string // how we call ourselves
	secure  bool
	greeted string // EHLO, HELO or LHLO, once it was said
	name    string // that came with it
	told    offers
	own     origin  // the client, or for whom it speaks by XCLIENT
	sender  *origin // for whom it speaks by XFORWARD in the next transaction
	mail    *mail   // the transaction in hand
	bad     int     // commands that made no sense
	over    bool

	mu      sync.Mutex
	hop     *hop
	waiting bool        // for a command, with no mail in hand
	cut     *time.Timer // ends the next hop's side of a drain
}

// maxBad is how many commands may make no sense.
const maxBad = 20

func newSession(p *Proxy, conn net.Conn, stop <-chan struct{}) *session {
	s := &session{client: newClient(conn), proxy: p, stop: stop, lmtp: p.cfg().Protocol == protocolLMTP, local: "localhost"}
	s.peer = netip.AddrFrom4([4]byte{127, 0, 0, 1}) // by a UNIX socket
	if a, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		s.peer = a.AddrPort().Addr().WithZone("").Unmap()
	}
	if a, ok := conn.LocalAddr().(*net.TCPAddr); ok {
		// No name: a mail server that is greeted by its own takes it for a loop.
		if s.local = "[" + a.IP.String() + "]"; a.IP.To4() == nil {
			s.local = "[IPv6:" + a.IP.String() + "]"
		}
	}
	s.own = origin{address: s.peer}
	return s
}

// run answers commands until the client leaves.
func (s *session) run() {
	defer s.reset()
	s.say(s.greeting())
	for !s.over {
		line, err := s.await()
		switch {
		case errors.Is(err, errLong), errors.Is(err, errLine):
			s.protest(asReply(err))
		case errors.Is(err, os.ErrDeadlineExceeded):
			s.say(s.farewell())
			s.over = true
		case err != nil:
			return
		default:
			s.obey(string(line))
		}
	}
	_ = s.flush()
	_ = s.conn.Close() // with TLS: says so
}

func (s *session) greeting() reply {
	if s.lmtp {
		return say(220, s.local+" LMTP Rempart")
	}
	return say(220, s.local+" ESMTP Rempart")
}

// farewell is said to a client that was too slow, or has to go because the node stops.
func (s *session) farewell() reply {
	if s.stopping() {
		return say(421, "4.3.2 "+s.local+" is being stopped")
	}
	return say(421, "4.4.2 "+s.local+" has waited too long")
}

func (s *session) stopping() bool {
	select {
	case <-s.stop:
		return true
	default:
		return false
	}
}

// await reads the next command. When the node stops it takes none that begins another mail.
func (s *session) await() ([]byte, error) {
	timeout := s.proxy.patient.command
	if s.mail != nil {
		timeout = min(timeout, time.Until(s.mail.until))
	}
	s.mu.Lock()
	s.waiting = s.mail == nil
	stop := s.waiting && s.stopping()
	_ = s.conn.SetReadDeadline(time.Now().Add(timeout)) // before drain may set its own
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.waiting = false
		s.mu.Unlock()
	}()
	if stop {
		return nil, os.ErrDeadlineExceeded
	}
	return s.line()
}

// drain ends the session before the next mail; what is in hand has the time of door.Drain, with the next hop too.
func (s *session) drain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting {
		_ = s.under.SetReadDeadline(time.Now())
	}
	s.cut = time.AfterFunc(time.Duration(s.proxy.cfg().Drain), func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.hop != nil {
			s.hop.close()
		}
	})
}

// A command is a row of what a client may say.
type command struct {
	verb string
	lmtp bool // said by LMTP
	smtp bool // said by SMTP
	run  func(*session, string) reply
}

// commands are all that is known. An empty reply means that the answer was given.
var commands = []command{
	{"MAIL", true, true, (*session).mailFrom},
	{"RCPT", true, true, (*session).rcptTo},
	{"DATA", true, true, (*session).data},
	{"BDAT", true, true, (*session).bdat},
	{"EHLO", false, true, func(s *session, arg string) reply { return s.hello("EHLO", arg) }},
	{"HELO", false, true, func(s *session, arg string) reply { return s.hello("HELO", arg) }},
	{"LHLO", true, false, func(s *session, arg string) reply { return s.hello("LHLO", arg) }},
	{"RSET", true, true, (*session).rset},
	{"NOOP", true, true, func(*session, string) reply { return say(250, "2.0.0 Ok") }},
	{"VRFY", true, true, func(*session, string) reply { return say(252, "2.5.2 send a mail and see") }},
	{"XFORWARD", true, true, (*session).xforward},
	{"XCLIENT", true, true, (*session).xclient},
	{"STARTTLS", true, true, (*session).startTLS},
	{"QUIT", true, true, (*session).quit},
}

var (
	unknownCommand = say(502, "5.5.2 this command is not known here")
	helloFirst     = say(503, "5.5.1 say hello first")
	mailFirst      = say(503, "5.5.1 a mail begins with MAIL")
	inMail         = say(503, "5.5.1 not within a mail")
	hopLost        = say(451, "4.4.2 the connection to the next mail server is lost, try again")
	hopDown        = say(451, "4.4.1 the next mail server cannot be reached, try again")
	hopChanged     = say(421, "4.3.2 the next mail server has changed, connect again")
)

func (s *session) obey(line string) {
	verb, arg := splitVerb(line)
	i := slices.IndexFunc(commands, func(c command) bool { return c.verb == verb && (s.lmtp && c.lmtp || !s.lmtp && c.smtp) })
	if i < 0 {
		s.protest(unknownCommand)
		return
	}
	switch r := commands[i].run(s, arg); {
	case r.none():
	case r.code >= 500 && r.code <= 504 && !r.fromHop:
		s.protest(r)
	default:
		s.say(r)
	}
}

// protest answers what makes no sense; who goes on so is sent away.
func (s *session) protest(r reply) {
	if s.bad++; s.bad >= maxBad {
		r, s.over = say(421, "4.7.0 too many commands make no sense"), true
	}
	if s.proxy.host.Metrics.Error(s.proxy.cfg().Name, "protocol"); s.mail != nil && s.over {
		s.reset()
	}
	s.say(r)
}

// asReply is the reply that an error of ours says.
func asReply(err error) reply {
	code, rest, _ := strings.Cut(err.Error(), " ")
	return say(int(code[0]-'0')*100+int(code[1]-'0')*10+int(code[2]-'0'), rest)
}

func (s *session) rset(string) reply {
	s.reset()
	return say(250, "2.0.0 Ok")
}

func (s *session) quit(string) reply {
	s.reset()
	s.over = true
	return say(221, "2.0.0 "+s.local+" closes the connection")
}
