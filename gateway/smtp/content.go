package smtp

import (
	"bytes"
	"sync/atomic"
)

// content takes up a mail's content as it comes by DATA (RFC 5321 section 4.5.2) or BDAT (RFC 3030). Dots are taken off, and
// only CR LF . CR LF ends it. Every line of what is kept ends in CR LF: an LF that stands alone becomes a line end, such a CR
// a space. A line may have any length; NUL and bytes beyond ASCII stay.
type content struct {
	raw   []byte
	limit int
	held  *memory
	chunk bool // by BDAT: dots mean nothing
	state state
	bare  bool // a CR or LF stood alone
	fault reply
}

// state is what stands before the next byte.
type state uint8

const (
	lineStart state = iota // the beginning, or CR LF
	lineDot                // a dot after that
	lineDotCR              // and a CR after that
	inLine
	inLineCR // a CR in a line
)

var (
	tooLarge = say(552, "5.3.4 the mail is larger than is taken here")
	noRoom   = say(452, "4.3.1 there is no room for this mail now")
)

// feed takes b up to the end of the content: n bytes were used, and done reports that the end was reached.
func (c *content) feed(b []byte) (n int, done bool) {
	all := len(b)
	for len(b) > 0 {
		switch c.state {
		case lineStart:
			c.state = inLine
			if b[0] == '.' && !c.chunk {
				c.state = lineDot
				b = b[1:]
			}
		case lineDot:
			c.state = inLine // the dot was put there by the client
			if b[0] == '\r' {
				c.state = lineDotCR
				b = b[1:]
			}
		case lineDotCR:
			if b[0] == '\n' {
				c.state = lineStart
				return all - len(b) + 1, true
			}
			c.state = inLineCR
		case inLineCR:
			if b[0] == '\n' {
				c.add(crlf)
				c.state = lineStart
				b = b[1:]
				continue
			}
			c.loneCR()
		case inLine:
			b = c.line(b)
		}
	}
	return all, false
}

var crlf = []byte("\r\n")

// line takes what belongs to a line, to its end if that is there.
func (c *content) line(b []byte) (rest []byte) {
	cr := bytes.IndexByte(b, '\r')
	head := b
	if cr >= 0 {
		head = b[:cr]
	}
	for lf := bytes.IndexByte(head, '\n'); lf >= 0; lf = bytes.IndexByte(head, '\n') {
		c.add(head[:lf])
		c.add(crlf)
		c.bare = true
		head = head[lf+1:]
	}
	switch {
	case cr < 0:
		c.add(head)
		return nil
	case cr+1 < len(b) && b[cr+1] == '\n':
		c.add(b[cr-len(head) : cr+2])
		c.state = lineStart
		return b[cr+2:]
	}
	c.add(head)
	c.state = inLineCR
	return b[cr+1:]
}

func (c *content) loneCR() {
	c.add([]byte{' '})
	c.state, c.bare = inLine, true
}

// end ends content that came by BDAT.
func (c *content) end() {
	if c.state == inLineCR {
		c.loneCR()
	}
}

// add keeps bytes. Once there are too many, nothing is kept and the rest goes by.
func (c *content) add(b []byte) {
	need := len(c.raw) + len(b)
	switch {
	case !c.fault.none():
	case need > c.limit:
		c.lose(tooLarge)
	case need > cap(c.raw):
		size := min(max(2*cap(c.raw), need, firstRoom), c.limit)
		if !c.held.take(size - cap(c.raw)) {
			c.lose(noRoom)
			return
		}
		c.raw = append(append(make([]byte, 0, size), c.raw...), b...)
	default:
		c.raw = append(c.raw, b...)
	}
}

// firstRoom is what most mails of text need.
const firstRoom = 8 << 10

func (c *content) lose(why reply) {
	c.free()
	c.fault = why
}

// free gives the memory back.
func (c *content) free() {
	c.held.give(cap(c.raw))
	c.raw = nil
}

// memory is a bound that connections share.
type memory struct {
	used  atomic.Int64
	limit int64
}

func (m *memory) take(n int) bool {
	if m.used.Add(int64(n)) > m.limit {
		m.used.Add(int64(-n))
		return false
	}
	return true
}

func (m *memory) give(n int) { m.used.Add(int64(-n)) }

// appendStuffed appends content for DATA: a dot that begins a line gets one before it. atStart says whether b begins a
// line; the result whether what follows does. Lines end in CR LF.
func appendStuffed(out, b []byte, atStart bool) ([]byte, bool) {
	for len(b) > 0 {
		if atStart && b[0] == '.' {
			out = append(out, '.')
		}
		end := bytes.IndexByte(b, '\n') + 1
		atStart = end > 0
		if !atStart {
			end = len(b)
		}
		out = append(out, b[:end]...)
		b = b[end:]
	}
	return out, atStart
}
