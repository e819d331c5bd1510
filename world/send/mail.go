package send

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"time"

	lib "github.com/d--j/go-milter"

	"rempart/world"
)

// answerTimeout is how long a front door may take: three times its default budget, and less than Postfix waits.
const answerTimeout = 30 * time.Second

// bodyChunk is the most that a milter takes at a time unless more was agreed on.
const bodyChunk = 65535

// mailer sends mails until the queue ends. As Postfix does, it opens a connection for each client of its own.
func (p *Player) mailer() {
	client := lib.NewClient("tcp", p.cfg.Milter, lib.WithReadTimeout(answerTimeout), lib.WithWriteTimeout(answerTimeout))
	for s := range p.mails {
		a, err := deliver(client, s.Mail)
		if err != nil {
			p.cfg.Log.Warn("mail without an answer", "error", err)
		}
		p.answered(s, 0, a)
	}
}

// deliver plays one SMTP session to the front door.
func deliver(client *lib.Client, m *world.Mail) (a Answer, err error) {
	macros := lib.NewMacroBag()
	macros.Set(lib.MacroQueueId, m.QueueID)
	s, err := client.Session(macros)
	if err != nil {
		return Error, err
	}
	defer func() {
		if e := s.Close(); e != nil && err == nil && a == Error {
			err = e
		}
	}()
	acts, act, err := transact(s, m)
	if err != nil {
		return Error, err
	}
	return answerOf(acts, act), nil
}

// errEarly is an answer before the end of the message, which ends it; ours gives none.
var errEarly = errors.New("answered before the end of the message")

func transact(s *lib.ClientSession, m *world.Mail) ([]lib.ModifyAction, *lib.Action, error) {
	name, family := m.Name, lib.FamilyInet
	if name == "" {
		name = "unknown" // what Postfix says
	}
	if m.Client.Is6() {
		family = lib.FamilyInet6
	}
	header, body, _ := bytes.Cut(m.Raw, []byte("\r\n\r\n"))
	steps := []func() (*lib.Action, error){
		func() (*lib.Action, error) { return s.Conn(name, family, 40000, m.Client.String()) },
		func() (*lib.Action, error) { return s.Helo(m.Helo) },
		func() (*lib.Action, error) { return s.Mail(m.From, "") },
	}
	for _, to := range m.To {
		steps = append(steps, func() (*lib.Action, error) { return s.Rcpt(to, "") })
	}
	steps = append(steps, s.DataStart)
	for _, f := range fields(header) {
		steps = append(steps, func() (*lib.Action, error) { return s.HeaderField(f[0], f[1], nil) })
	}
	steps = append(steps, s.HeaderEnd)
	for chunk := range slices.Chunk(body, bodyChunk) {
		steps = append(steps, func() (*lib.Action, error) { return s.BodyChunk(chunk) })
	}
	if len(body) == 0 {
		steps = append(steps, func() (*lib.Action, error) { return s.BodyChunk(nil) })
	}
	for _, step := range steps {
		act, err := step()
		if err != nil {
			return nil, nil, err
		}
		if act.Type != lib.ActionContinue {
			return nil, nil, errEarly
		}
	}
	return s.End()
}

// fields cuts a header section at the lines that begin a field. The front door asks for values with the space after the
// colon, so that the mail is put together byte for byte.
func fields(header []byte) (out [][2]string) {
	for line := range strings.SplitSeq(string(header), "\r\n") {
		if line != "" && (line[0] == ' ' || line[0] == '\t') && len(out) > 0 {
			out[len(out)-1][1] += "\n" + line // Postfix sends folds as LF
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		out = append(out, [2]string{name, value})
	}
	return out
}

func answerOf(acts []lib.ModifyAction, act *lib.Action) Answer {
	switch act.Type {
	case lib.ActionReject:
		return Rejected
	case lib.ActionTempFail:
		return Refused
	case lib.ActionDiscard:
		return Dropped
	case lib.ActionRejectWithCode:
		if act.SMTPCode < 500 {
			return Refused
		}
		return Rejected
	}
	a := Accepted
	for _, m := range acts {
		switch m.Type {
		case lib.ActionQuarantine:
			return Held
		case lib.ActionAddHeader:
			a = Tagged
		}
	}
	return a
}
