package filter

import (
	"rempart/geo"
	"rempart/message"
)

// place completes where m comes from: network and country of its source and networks of its hops, and, of texts and calls,
// what the numbering plan says of both numbers. The country of a text or call is its number's; where a number has none, or
// there is none, the address's.
func place(m *message.Message, p *geo.Places) {
	country := ""
	if m.Source.Address.IsValid() {
		country, m.Source.Network = p.Lookup(m.Source.Address)
	}
	for i := range m.Route {
		if h := &m.Route[i]; h.Address.IsValid() {
			_, h.Network = p.Lookup(h.Address)
		}
	}
	if m.Channel == message.SMS || m.Channel == message.Call {
		readNumbers(m, p)
		m.Source.Line = m.Facts.From.Line
		if m.Facts.From.Country != "" {
			country = m.Facts.From.Country
		}
	}
	if m.Source.Country == "" {
		m.Source.Country = country
	}
}

// readNumbers reads both numbers of a text or call.
func readNumbers(m *message.Message, p *geo.Places) {
	if m.SMS == nil || m.SMS.SenderType == message.SenderNumeric {
		m.Facts.From = p.Number(m.Source.ID)
	}
	if len(m.Recipients) > 0 {
		m.Facts.To = p.Number(m.Recipients[0].Address)
		m.Facts.Emergency = m.Channel == message.Call && p.Emergency(m.Recipients[0].Address)
	}
}
