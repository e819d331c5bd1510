package learn

import (
	"bytes"

	"rempart/message"
)

// maxRaw bounds what is read of the raw message: what a mail is shows in its head and first text.
const maxRaw = 10_000

// headBytes takes the four-byte sequences of the header as received: what its sender's software is like.
func headBytes(f *features, m *message.Message) {
	f.addBytes(m.Raw[:min(bodyAt(m.Raw), maxRaw)])
}

// bodyBytes takes the four-byte sequences of the body as received: what it looks like on the wire.
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

func (f *features) addBytes(b []byte) {
	f.start(len(b))
	var gram uint32
	for i, c := range b {
		gram = gram<<8 | uint32(c)
		if i >= 3 {
			f.add(gram * 0x9e3779b1)
		}
	}
}
