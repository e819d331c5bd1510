package world

import (
	"net/netip"
	"strings"

	"rempart/message"
	"rempart/message/call"
	"rempart/message/email"
	"rempart/message/im"
	"rempart/message/sip"
	"rempart/message/sms"
)

// Messages are what a front door makes of s: one for a mail, a call or an instant message, one for each part of a text. A
// postmaster who teaches a mail from the server's log has the same.
func (s *Sent) Messages() []*message.Message {
	switch {
	case s.Mail != nil:
		return []*message.Message{s.Mail.message(s)}
	case s.Call != nil:
		return []*message.Message{s.overSIP(s.Call.Request(ownVia), call.Parse)}
	case s.IM != nil:
		return []*message.Message{s.overSIP(s.IM.Request(ownVia), im.Parse)}
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

// ownVia is the field of the operator's session border controller, which asks the front door from the same machine.
const ownVia = "SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKown"

// overSIP reads a request as a front door does that knows the controller to be the operator's own.
func (s *Sent) overSIP(request []byte, parse func(*sip.Message) *message.Message) *message.Message {
	var r sip.Message
	if err := r.Read(string(request)); err != nil {
		panic(err) // the request begins with a start line
	}
	m := parse(&r)
	own := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	sip.Hop{Peer: own, Relays: []netip.Prefix{netip.PrefixFrom(own, 32)}, At: s.At}.Trace(m, &r)
	m.Direction, m.Arrived = message.In, s.At
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
