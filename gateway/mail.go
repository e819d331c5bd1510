package gateway

import (
	"bytes"
	"io"
	"strings"
	"time"

	"rempart/message"
	"rempart/message/email"
)

// Mail reads a mail that came through d, of which raw was kept and size bytes came; the message keeps views of raw. What
// else the protocol told of it is the caller's to fill in. Behind another filter the message is without what that wrote.
func (d *Door) Mail(raw []byte, size int) *message.Message {
	var said message.Incumbent
	if d.Incumbent != "" {
		came := len(raw)
		raw, said = apart(d.Incumbent, raw)
		size -= came - len(raw)
	}
	m := email.ParseBytes(raw)
	now := time.Now()
	m.ID, m.Arrived, m.Door, m.Mode, m.Direction, m.Incumbent = NewID(now), now, d.Name, d.Mode, d.Direction, said
	if m.Size = size; size > len(raw) && !m.HasAnomaly(email.CutBytes) {
		m.Anomalies = append(m.Anomalies, message.Anomaly{Name: email.CutBytes})
	}
	return m
}

// TLSVersion is a version of TLS as mail servers write it ("TLSv1.3"), from what a protocol told; empty if that is none.
func TLSVersion(s string) string {
	s = strings.ReplaceAll(strings.TrimSpace(s), "TLS ", "TLSv")
	if rest, ok := strings.CutPrefix(s, "TLSv1"); !ok || len(rest) > 2 {
		return ""
	}
	return s
}

// maxAhead bounds the memory that a client gets for the length it names, before a byte of it has come. Most mails are shorter.
const maxAhead = 16 << 10

// ReadUpTo reads at most size bytes of source, whose client named its length; below 0 it named none.
func ReadUpTo(source io.Reader, length int64, size int) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(bytes.MinRead + int(min(max(length, 0), int64(size), maxAhead)))
	_, err := b.ReadFrom(io.LimitReader(source, int64(size)))
	return b.Bytes(), err
}

// Recipient is one of a mail's envelope; a mailbox of this machine, without @, has no domain.
func Recipient(address string) message.Recipient {
	r := message.Recipient{Address: address}
	if at := strings.LastIndexByte(address, '@'); at >= 0 {
		r.Domain = address[at+1:]
	}
	return r
}
