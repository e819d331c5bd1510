package message

import (
	"crypto/sha256"
	"encoding/hex"
)

// Key names what a lesson is about, the same for every copy of one message: a hash of what the author wrote, not of what
// relays added. It recognises a correction: a second lesson under one key and scope takes the first one back.
func (m *Message) Key() string {
	h := sha256.New()
	write := func(s string) {
		h.Write([]byte(s))
		h.Write([]byte{0})
	}
	write(m.Channel.String())
	write(m.MessageID)
	write(m.From.String())
	write(m.Subject)
	write(m.Text)
	write(m.HTML)
	for i := range m.Attachments {
		h.Write(m.Attachments[i].Digest[:])
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
