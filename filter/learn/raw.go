package learn

import (
	"bytes"

	"rempart/message"
)

// maxRaw bounds what is read of the raw message: what a mail is shows in its head and first text.
const maxRaw = 10_000

// headBytes takes a quarter of the four-byte sequences of the header as received: what its sender's software is like.
func headBytes(f *features, m *message.Message) {
	f.addBytes(m.Raw[:min(bodyAt(m.Raw), maxRaw)])
}

// bodyBytes takes a quarter of the four-byte sequences of the body as received: what it looks like on the wire.
func bodyBytes(f *features, m *message.Message) {
	b := m.Raw[:min(len(m.Raw), maxRaw)]
	f.addBytes(b[min(bodyAt(m.Raw), maxRaw):])
}

// bodyAt is where the empty line begins that ends the header (RFC 5322 section 2.1); without one all is header.
func bodyAt(raw []byte) int {
	for i := 0; ; i++ {
		n := bytes.IndexByte(raw[i:], '\n')
		if n < 0 {
			return len(raw)
		}
		i += n
		if rest := raw[i+1:]; bytes.HasPrefix(rest, []byte("\n")) || bytes.HasPrefix(rest, []byte("\r\n")) {
			return i
		}
	}
}

// addBytes takes those sequences whose hash begins with two zeros: they tell as much as all do, in a quarter of the time, and of the
// weights they use a quarter.
func (f *features) addBytes(b []byte) {
	const length, rest = 4, 30
	f.start(len(b) / 2)
	if len(b) < length {
		return
	}
	gram := uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2])
	all, n := f.room(len(b)), 0
	for _, c := range b[length-1:] {
		gram = gram<<8 | uint32(c)
		all[n] = gram * 0x9e3779b1
		if all[n]>>rest == 0 {
			n++
		}
	}
	f.took(n)
}
