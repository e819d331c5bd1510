package email

import "rempart/message"

// Part is one leaf of a mail's MIME tree: an entity that holds no parts, or a mail inside the mail, whole.
type Part struct {
	Media string // type/subtype as declared, lower case; empty if nothing was declared
	Name  string // of the file, decoded
	Body  string // transfer encoding undone, charset as it came
}

// Parts gives the parts of a mail in their order, for those who read what programs write to programs (RFC 5965, RFC 8460). Mails
// inside the mail (message/rfc822) are not opened. The caps are those of [Parse]; what lies beyond one is left out. Bodies may be
// views of b, which must not be changed afterwards.
func Parts(b []byte) (parts []Part) {
	p := parser{m: &message.Message{Channel: message.Email}}
	p.part = func(c content, body string) {
		parts = append(parts, Part{Media: clean(c.media), Name: c.name, Body: p.decodeTransfer(body, c.transfer)})
	}
	src := p.lines(view(b[:min(len(b), maxBytes)]))
	c := p.header(src)
	p.entity(&source{text: src}, c, 0)
	return parts
}
