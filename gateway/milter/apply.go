package milter

import (
	"fmt"
	"slices"
	"strings"

	lib "github.com/d--j/go-milter"

	"rempart/gateway"
	"rempart/message"
)

// apply carries a decision out.
func (s *session) apply(mod lib.Modifier, m *message.Message, ans gateway.Answer) (*lib.Response, error) {
	d, removed := ans.One()
	s.door.host.Metrics.Message(s.door.cfg().Name, d.Effective())
	switch d.Effective() {
	case message.Reject:
		return refusal(550, "5.7.1", d.Text), nil
	case message.Tempfail, message.Greylist, message.Throttle, message.Challenge:
		return refusal(451, "4.7.1", d.Text), nil
	case message.Discard, message.Remove:
		return lib.RespDiscard, nil
	case message.Quarantine:
		if ans.Kept {
			return lib.RespDiscard, nil
		}
	}
	for _, i := range removed {
		if i >= len(s.mail.recipients) {
			continue
		}
		if err := mod.DeleteRecipient("<" + s.mail.recipients[i] + ">"); err != nil {
			return nil, fmt.Errorf("remove a recipient: %w", err)
		}
	}
	if !slices.ContainsFunc(ans.Decisions, func(d message.Decision) bool { return d.Mode == message.ModeJudge }) {
		return lib.RespAccept, s.sign(mod, m) // the node is in shadow, or all recipients are: nothing else of the mail changes
	}
	if err := s.removeForged(mod); err != nil {
		return nil, fmt.Errorf("remove forged headers: %w", err)
	}
	if err := s.mark(mod, m, ans, d); err != nil {
		return nil, fmt.Errorf("mark the mail: %w", err)
	}
	if d.Effective() == message.Rewrite {
		return lib.RespAccept, s.sign(mod, m, gateway.HeaderField{Name: "Subject", Value: s.rewritten()})
	}
	return lib.RespAccept, s.sign(mod, m)
}

// sign puts the signatures before the mail, the last first: each goes on top, in Postfix also above its own Received field.
func (s *session) sign(mod lib.Modifier, m *message.Message, replaced ...gateway.HeaderField) error {
	for _, f := range slices.Backward(s.door.host.Signatures(m, replaced...)) {
		if err := mod.InsertHeader(0, f.Name, s.value(mod, f.Value)); err != nil {
			return fmt.Errorf("sign the mail: %w", err)
		}
	}
	return nil
}

// removeForged removes the headers by which a sender would speak in our name, all of each, the last first so that the
// numbers hold. A relay of the operator's may have added its own.
func (s *session) removeForged(mod lib.Modifier) error {
	if gateway.Contains(s.door.cfg().relays, s.client) {
		return nil
	}
	for _, name := range gateway.Headers {
		n := 0
		for _, f := range s.mail.header {
			if strings.EqualFold(f.name, name) {
				n++
			}
		}
		for ; n > 0; n-- {
			if err := mod.ChangeHeader(n, name, ""); err != nil {
				return err
			}
		}
	}
	return nil
}

// mark adds what the action asks for. What our own store does not keep the mail server holds.
func (s *session) mark(mod lib.Modifier, m *message.Message, ans gateway.Answer, d message.Decision) error {
	action := d.Effective()
	switch action {
	case message.Tag:
	case message.Rewrite:
		if err := s.rewriteSubject(mod); err != nil {
			return err
		}
	case message.Hold, message.Quarantine, message.Redirect:
		action = message.Hold
		if err := mod.Quarantine("rempart " + m.ID); err != nil {
			return err
		}
	default:
		return nil
	}
	for _, f := range gateway.Mark(m, ans.Judgement.Worst(), action, d.United) {
		if err := mod.AddHeader(f.Name, s.value(mod, f.Value)); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) rewriteSubject(mod lib.Modifier) error {
	if s.subject() >= 0 {
		return mod.ChangeHeader(1, "Subject", s.value(mod, s.rewritten()))
	}
	return mod.AddHeader("Subject", s.value(mod, s.rewritten()))
}

// rewritten is the subject with the mark before it.
func (s *session) rewritten() string {
	mark := s.door.cfg().RewriteSubject
	if i := s.subject(); i >= 0 {
		return mark + strings.TrimPrefix(s.mail.header[i].value, " ")
	}
	return strings.TrimSpace(mark)
}

// subject is where the first subject stands; -1 if there is none.
func (s *session) subject() int {
	return slices.IndexFunc(s.mail.header, func(f field) bool { return strings.EqualFold(f.name, "Subject") })
}

// value is a header value as the server wants it: with the space after the colon where that is part of it.
func (s *session) value(mod lib.Modifier, v string) string {
	if mod.Protocol()&lib.OptHeaderLeadingSpace != 0 {
		return " " + v
	}
	return v
}

// refusal is a reply code with an enhanced status (RFC 3463) and one line of text.
func refusal(code uint16, status, text string) *lib.Response {
	text = strings.Join(strings.Fields(text), " ")
	resp, err := lib.RejectWithCodeAndReason(code, status+" "+text)
	switch {
	case err == nil:
		return resp
	case code >= 500:
		return lib.RespReject
	}
	return lib.RespTempFail
}
