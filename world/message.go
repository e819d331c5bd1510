package world

import (
	"strings"

	"rempart/message"
	"rempart/message/email"
	"rempart/message/link"
	"rempart/message/sms"
)

// Messages are what a front door makes of s: one for a mail, a call or an instant message, one for each part of a text. A
// postmaster who teaches a mail from the server's log has the same.
func (s *Sent) Messages() []*message.Message {
	switch {
	case s.Mail != nil:
		return []*message.Message{s.Mail.message(s)}
	case s.Call != nil:
		m := s.Call.message(s)
		m.Call = &message.CallInfo{UserAgent: s.Call.UserAgent}
		if s.Call.Asserted != "" {
			m.Call.Asserted = "+" + s.Call.Asserted
		}
		return []*message.Message{m}
	case s.IM != nil:
		m := s.IM.message(s)
		m.Text, m.Size = s.IM.Body, len(s.IM.Body)
		for l := link.NewScanner(m.Text); ; {
			start, end, scheme, host, ok := l.Next()
			if !ok {
				return []*message.Message{m}
			}
			m.Links = append(m.Links, message.Link{URL: m.Text[start:end], Scheme: scheme, Host: host})
		}
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

// message is what calls and instant messages have in common. The operator's own hop, which the door adds, is not in it.
func (x *SIP) message(s *Sent) *message.Message {
	number := "+" + x.Caller
	m := &message.Message{Channel: s.Channel, Direction: message.In, Arrived: s.At, MailFrom: number, MessageID: x.CallID, Parts: 1,
		From: message.Address{Name: x.Name, Local: number, Domain: x.Host}, To: []message.Address{{Local: "+" + x.Callee, Domain: operatorVoice}},
		Recipients: []message.Recipient{{Address: "+" + x.Callee}}}
	m.Source.ID, m.Source.Address = number, x.Via[0].Address
	for i, v := range x.Via {
		h := message.Hop{From: v.Host, Address: v.Address, With: "SIP/2.0/UDP", Trusted: i == 0}
		if i > 0 {
			h.By = x.Via[i-1].Host
		}
		m.Route = append(m.Route, h)
	}
	return m
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
