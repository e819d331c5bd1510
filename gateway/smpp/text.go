package smpp

import (
	"net"
	"net/netip"
	"time"

	"rempart/gateway"
	"rempart/gateway/smpp/pdu"
	"rempart/message"
	"rempart/message/sms"
)

// text makes a message of a PDU. systemID is the client's, empty for what the message centre delivers. A part of a long
// text becomes the text as far as it has been seen.
func (s *session) text(v *pdu.Message, direction message.Direction, systemID string) *message.Message {
	now := time.Now()
	in := sms.Input{
		Source: string(v.Source.Addr), SourceTON: v.Source.TON, SourceNPI: v.Source.NPI, Destination: number(v.Dest),
		DataCoding: v.DataCoding, UDHI: v.ESMClass&pdu.UDHI != 0, ShortMessage: v.Text, SystemID: systemID,
		DefaultAlphabet: s.proxy.cfg().Alphabet,
	}
	if v.Payload != nil {
		in.ShortMessage = append(append([]byte(nil), v.Text...), v.Payload...)
	}
	in.Reference, in.Part, in.Total = sar(v.TLVs)
	m := sms.Parse(in)
	m.ID, m.Arrived, m.Direction, m.Door, m.Mode = gateway.NewID(now), now, direction, s.proxy.cfg().Name, s.proxy.cfg().Mode
	for _, d := range v.MoreDests {
		m.Recipients = append(m.Recipients, message.Recipient{Address: number(d)})
	}
	m.OneAnswer = len(m.Recipients) > 1
	if systemID != "" {
		s.submitter(m, systemID, now)
	}
	if m.SMS.Total > 1 {
		s.assemble(m)
	}
	return m
}

// number writes an international number as people and policies do, with a plus.
func number(a pdu.Address) string {
	if a.TON == 1 && len(a.Addr) > 0 && a.Addr[0] != '+' {
		return "+" + string(a.Addr)
	}
	return string(a.Addr)
}

// sar reads the parameters that number the parts of a text without a user data header (5.3.2.22 to 24).
func sar(tlvs pdu.TLVs) (reference uint16, part, total uint8) {
	ref, ok1 := tlvs.Get(pdu.SARReference)
	n, ok2 := tlvs.Get(pdu.SARPart)
	of, ok3 := tlvs.Get(pdu.SARTotal)
	if !ok1 || !ok2 || !ok3 || len(ref) != 2 || len(n) != 1 || len(of) != 1 {
		return 0, 0, 0
	}
	return uint16(ref[0])<<8 | uint16(ref[1]), n[0], of[0]
}

// PartConflict is the anomaly of a part that came twice with unlike content: a way to show the filter one text and the
// reader another.
const PartConflict = "part_conflict"

// assemble puts what was seen of a long text in the place of its part.
func (s *session) assemble(m *message.Message) {
	key := partKey{m.SMS.SystemID, m.MailFrom, recipient(m), m.SMS.Reference, m.SMS.Total}
	whole, seen, conflict := s.proxy.parts.add(key, m.SMS.Part, m.Text, m.Arrived)
	m.Parts = seen
	if conflict {
		m.Anomalies = append(m.Anomalies, message.Anomaly{Name: PartConflict})
	}
	if whole == m.Text {
		return
	}
	// Links may run over the border of two parts.
	joined := sms.New("", "", whole)
	m.Text, m.Links = joined.Text, joined.Links
}

// submitter names who handed the text over. It authenticated, so the hop is to be trusted.
func (s *session) submitter(m *message.Message, systemID string, now time.Time) {
	m.Source.Address = addrOf(s.client.conn.RemoteAddr())
	m.Route = []message.Hop{{From: systemID, Address: m.Source.Address, By: s.proxy.cfg().Name, With: "SMPP", At: now, Trusted: true}}
	if m.Direction == message.Out {
		m.Account = systemID
	}
}

func recipient(m *message.Message) string {
	if len(m.Recipients) == 0 {
		return ""
	}
	return m.Recipients[0].Address
}

func addrOf(a net.Addr) netip.Addr {
	if t, ok := a.(*net.TCPAddr); ok {
		return t.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}
