package milter

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	lib "github.com/d--j/go-milter"

	"rempart/catalogue"
	"rempart/gateway"
	"rempart/message"
	"rempart/message/email"
)

// session is one connection of the mail server: a client of it, and the mail in hand.
type session struct {
	lib.NoOpMilter
	door *Milter

	client netip.Addr
	name   string
	helo   string
	mail   mail
}

// mail is what came of the mail in hand.
type mail struct {
	from       string
	account    string
	tls        string // version, as the server told
	recipients []string
	header     []field
	raw        []byte // at most max_size
	size       int    // of the whole
}

// field is a header field that we may have to remove.
type field struct {
	name  string
	value string
}

// maxRecipients bounds one mail's list; Postfix stops at 1000. Who stands beyond gets what the others get.
const maxRecipients = 10_000

func (f *Milter) session(uint32, lib.OptAction, lib.OptProtocol, lib.DataSize) lib.Milter {
	return &session{door: f}
}

// NewConnection begins with another client.
func (s *session) NewConnection(lib.Modifier) error {
	s.client, s.name, s.helo, s.mail = netip.Addr{}, "", "", mail{}
	return nil
}

func (s *session) Connect(host, _ string, _ uint16, addr string, _ lib.Modifier) (*lib.Response, error) {
	s.client, _ = netip.ParseAddr(addr)
	s.client = s.client.Unmap()
	if host != "unknown" && !strings.HasPrefix(host, "[") {
		s.name = strings.ToLower(host)
	}
	return lib.RespContinue, nil
}

func (s *session) Helo(name string, _ lib.Modifier) (*lib.Response, error) {
	s.helo = name
	return lib.RespContinue, nil
}

func (s *session) MailFrom(from, _ string, m lib.Modifier) (*lib.Response, error) {
	s.mail = mail{from: from, account: m.Get(lib.MacroAuthAuthen), tls: m.Get(lib.MacroTlsVersion)}
	return lib.RespContinue, nil
}

func (s *session) RcptTo(to, _ string, _ lib.Modifier) (*lib.Response, error) {
	if len(s.mail.recipients) < maxRecipients {
		s.mail.recipients = append(s.mail.recipients, to)
	}
	return lib.RespContinue, nil
}

// Header comes with folds as LF, and with the space after the colon if the server can tell.
func (s *session) Header(name, value string, m lib.Modifier) (*lib.Response, error) {
	if m.Protocol()&lib.OptHeaderLeadingSpace == 0 {
		value = " " + value
	}
	if gateway.IsOurs(name) || strings.EqualFold(name, "Subject") {
		s.mail.header = append(s.mail.header, field{name, value})
	}
	s.mail.add(s.door.cfg().MaxSize, name, ":")
	if strings.IndexByte(value, '\n') >= 0 {
		value = strings.ReplaceAll(strings.ReplaceAll(value, "\r\n", "\n"), "\n", "\r\n")
	}
	s.mail.add(s.door.cfg().MaxSize, value, "\r\n")
	return lib.RespContinue, nil
}

func (s *session) Headers(lib.Modifier) (*lib.Response, error) {
	s.mail.add(s.door.cfg().MaxSize, "\r\n")
	return lib.RespContinue, nil
}

func (s *session) BodyChunk(chunk []byte, _ lib.Modifier) (*lib.Response, error) {
	room := max(0, s.door.cfg().MaxSize-len(s.mail.raw))
	s.mail.raw = append(s.mail.raw, chunk[:min(room, len(chunk))]...)
	s.mail.size += len(chunk)
	return lib.RespContinue, nil
}

func (m *mail) add(limit int, parts ...string) {
	for _, p := range parts {
		m.raw = append(m.raw, p[:min(max(0, limit-len(m.raw)), len(p))]...)
		m.size += len(p)
	}
}

func (s *session) Abort(lib.Modifier) error {
	s.mail = mail{}
	return nil
}

// EndOfMessage judges. Its panics end here: the goroutine is the library's.
func (s *session) EndOfMessage(m lib.Modifier) (resp *lib.Response, err error) {
	door := &s.door.cfg().Door
	if !s.door.host.Guard(door.Name, func() { resp, err = s.judge(m) }) {
		resp, err = s.onError(), nil
	}
	s.mail = mail{}
	return resp, err
}

func (s *session) judge(mod lib.Modifier) (*lib.Response, error) {
	m := s.message(mod)
	unjudged := *m // m is the judge's if it overruns
	door := &s.door.cfg().Door
	ans, err := s.door.host.Ask(context.Background(), door, m) // a mail in hand is finished when the node stops
	if err != nil {
		resp := s.onError()
		if resp != lib.RespAccept || door.Mode != message.ModeJudge {
			return resp, nil
		}
		if err := s.removeForged(mod); err != nil {
			return nil, fmt.Errorf("remove forged headers: %w", err)
		}
		return resp, s.sign(mod, &unjudged)
	}
	if door.Mode != message.ModeJudge {
		s.door.host.Metrics.Message(door.Name, message.Accept)
		return lib.RespAccept, nil
	}
	return s.apply(mod, m, ans)
}

func (s *session) message(mod lib.Modifier) *message.Message {
	m := s.door.cfg().Mail(s.mail.raw, s.mail.size)
	m.QueueID = mod.Get(lib.MacroQueueId)
	m.MailFrom, m.Helo, m.OneAnswer, m.Handover = s.mail.from, s.helo, true, true
	m.Source.Name, m.Source.TLS = s.name, gateway.TLSVersion(s.mail.tls)
	email.Trust(m, s.door.cfg().relays, s.client)
	if s.mail.account != "" {
		m.Account, m.Direction, m.Source.Trusted = s.mail.account, message.Out, true
	}
	m.Recipients = make([]message.Recipient, len(s.mail.recipients))
	for i, to := range s.mail.recipients {
		m.Recipients[i] = gateway.Recipient(strings.ToLower(to))
	}
	return m
}

// onError is the answer when there is no decision.
func (s *session) onError() *lib.Response {
	door := &s.door.cfg().Door
	s.door.host.Metrics.Message(door.Name, door.OnError.Action())
	if door.OnError == gateway.OnErrorAccept {
		return lib.RespAccept
	}
	return refusal(451, "4.7.1", catalogue.English().Say("answer.tempfail"))
}
