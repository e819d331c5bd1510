package email

import (
	"strings"

	"rempart/message"
)

// envelope fills the message's own fields from its header. Of fields that may occur once (RFC 5322 section 3.6) the
// first counts, as in mail programs; all stay in m.Header.
func (p *parser) envelope() {
	m := p.m
	hops := 0
	for i := range m.Header {
		if is(m.Header[i].Name, "received") {
			hops++
		}
	}
	if hops > 0 {
		m.Route = make([]message.Hop, 0, min(hops, maxHops))
	}
	for i := range m.Header {
		f := &m.Header[i]
		switch len(f.Name) {
		case 2:
			if is(f.Name, "to") || is(f.Name, "cc") {
				m.To = p.addressField(m.To, f)
			}
		case 4:
			switch {
			case is(f.Name, "from") && m.From == (message.Address{}):
				if list := p.addressField(nil, f); len(list) > 0 {
					m.From = list[0]
					m.Source.ID = list[0].Domain
				}
			case is(f.Name, "date") && m.Date.IsZero():
				if m.Date = ParseDate(f.Value); m.Date.IsZero() {
					p.note(DateBroken, f.Value)
				}
			}
		case 7:
			if is(f.Name, "subject") && m.Subject == "" {
				m.Subject = f.Value
			}
		case 8:
			switch {
			case is(f.Name, "reply-to"):
				m.ReplyTo = p.addressField(m.ReplyTo, f)
			case is(f.Name, "received"):
				if len(m.Route) >= maxHops {
					p.note(CutAddresses, "")
					continue
				}
				m.Route = append(m.Route, hop(f.Value))
			}
		case 10:
			if is(f.Name, "message-id") && m.MessageID == "" {
				m.MessageID = messageID(f.Value)
			}
		}
	}
}

func (p *parser) addressField(list []message.Address, f *message.Field) []message.Address {
	v := f.Value
	if strings.Contains(f.Raw, "=?") {
		v = unfold(f.Raw[:min(len(f.Raw), maxFieldBytes)])
	}
	n := len(list)
	list = p.addresses(list, v)
	if len(list) == n && strings.Trim(v, " ,;") != "" && !strings.HasSuffix(strings.TrimSpace(v), ";") {
		p.note(AddressBroken, f.Name)
	}
	return list
}

// messageID is the id without its brackets and comments.
func messageID(v string) string {
	if i := strings.IndexByte(v, '<'); i >= 0 {
		if n := strings.IndexByte(v[i:], '>'); n > 0 {
			return v[i+1 : i+n]
		}
		v = v[i+1:]
	}
	if i := strings.IndexAny(v, " \t"); i > 0 {
		v = v[:i]
	}
	return strings.Trim(v, "<>")
}

// is compares a field's name with one in lower case.
func is(name, lower string) bool {
	if len(name) != len(lower) {
		return false
	}
	for i := range len(name) {
		c := name[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}
