package world

import (
	"strings"

	"rempart/message"
	"rempart/message/email"
	"rempart/message/sms"
)

// Messages are what a front door makes of s: one for a mail, one for each part of a text. A postmaster who teaches a mail
// from the server's log has the same.
func (s *Sent) Messages() []*message.Message {
	if s.Mail != nil {
		return []*message.Message{s.Mail.message(s)}
	}
	var all []*message.Message
	for _, p := range s.Text.Parts {
		m := sms.Parse(sms.Input{Source: s.Text.Source, SourceTON: s.Text.SourceTON, Destination: "+" + s.Text.Destination, DataCoding: s.Text.DataCoding,
			UDHI: p.UDHI, ShortMessage: p.UserData, SystemID: s.Text.SystemID})
		m.Direction, m.Arrived = message.In, s.At
		all = append(all, m)
	}
	return all
}

func (x *Mail) message(s *Sent) *message.Message {
	m := email.ParseBytes(x.Raw)
	m.Direction, m.Arrived, m.QueueID = message.In, s.At, x.QueueID
	m.MailFrom, m.Helo, m.Source.Name = x.From, x.Helo, x.Name
	email.Trust(m, nil, x.Client)
	for _, to := range x.To {
		m.Recipients = append(m.Recipients, message.Recipient{Address: to, Domain: to[strings.LastIndexByte(to, '@')+1:]})
	}
	return m
}
