// Package email reads Internet messages: RFC 5322 with MIME (RFC 2045 to 2049, 2231, 6532) as it is really sent.
//
// [Parse] takes any bytes. What breaks the standard is read as mail programs read it and leaves an [message.Anomaly] of
// the closed list in anomaly.go; content never is an error. Every cost is linear in the size and capped by the constants
// of this file; at a cap reading stops and an anomaly says so, so that a verdict can say what was not seen.
//
// The strings of a parsed message are views of the input where that is possible. All functions are pure and safe for
// use from several goroutines.
package email

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unsafe"

	"rempart/message"
)

// Caps. They bound memory and time of one message; honest mail stays far below each of them.
const (
	maxBytes       = 32 << 20 // read of one message; mail servers commonly stop at 10 to 50 MB
	maxDepth       = 32       // of MIME; forwarded forwards reach 6
	maxParts       = 1000     // MIME parts; a newsletter with every image inside has some 100
	maxFields      = 1000     // header fields of one entity; long list chains have 200
	maxFieldBytes  = 64 << 10 // of one field, decoded; To fields of thousands exist
	maxLinks       = 1000     // newsletters reach 300
	maxAttachments = 256
	maxText        = 1 << 20 // decoded bytes of text and HTML together: a book of 500 pages
	maxAddresses   = 1000    // of From, To, Cc and Reply-To together
	maxHops        = 100     // mail servers stop a loop at 50 to 100
	maxInspected   = 8 << 20 // bytes of attached files that are looked into
	maxPictures    = 2       // that are looked at for a code
	maxCodeText    = 2000    // bytes of text beside it: longer mail does not live by a picture
	maxAnomalies   = 64      // each name is noted once
	maxDetail      = 80      // bytes of an anomaly's detail
)

// Parse reads one Internet message (RFC 5322, MIME RFC 2045). At the first cap it stops and adds an anomaly, so that
// the verdict can say what was not seen. The rest of r is read and counted, not kept. err is r's, never the content's;
// what came before it is parsed all the same.
func Parse(r io.Reader) (m *message.Message, err error) {
	var buf bytes.Buffer
	if sized, ok := r.(interface{ Len() int }); ok {
		buf.Grow(min(sized.Len(), maxBytes) + bytes.MinRead)
	}
	_, err = buf.ReadFrom(io.LimitReader(r, maxBytes))
	var rest int64
	if err == nil {
		rest, err = io.Copy(io.Discard, r)
	}
	m = parse(buf.Bytes(), buf.Len()+int(rest))
	if err != nil {
		err = fmt.Errorf("read message: %w", err)
	}
	return m, err
}

// ParseBytes is [Parse] of bytes in memory, without a copy: the message keeps views of b, which must not be changed
// afterwards.
func ParseBytes(b []byte) *message.Message {
	return parse(b[:min(len(b), maxBytes)], len(b))
}

func parse(b []byte, size int) *message.Message {
	m := &message.Message{Channel: message.Email, Raw: b, Size: size}
	p := parser{m: m, textLeft: maxText, inspectLeft: maxInspected}
	if size > len(b) {
		p.note(CutBytes, "")
	}
	src := p.lines(view(b))
	e := p.header(src)
	p.envelope()
	p.entity(&source{text: src}, e, 0)
	p.finish()
	return m
}

// parser is the state of one run.
type parser struct {
	m        *message.Message
	arena    strings.Builder // decoded header values, one allocation
	textLeft int             // of maxText

	inspectLeft int            // of maxInspected
	fileLinks   []message.Link // in attached files
	pictures    []picture
	texts       []string
	htmls       []string
	textBuf     [2]string
	htmlBuf     [2]string
	tooMany     bool // maxParts was reached: nothing more is read

	part func(c content, body string) // takes the leaves instead, for [Parts]; else nil
}

// note adds an anomaly, once a name.
func (p *parser) note(name, detail string) {
	if len(p.m.Anomalies) >= maxAnomalies || p.m.HasAnomaly(name) {
		return
	}
	if len(detail) > maxDetail {
		detail = detail[:maxDetail]
	}
	if p.m.Anomalies == nil {
		p.m.Anomalies = make([]message.Anomaly, 0, 4)
	}
	p.m.Anomalies = append(p.m.Anomalies, message.Anomaly{Name: name, Detail: strings.ToValidUTF8(detail, "\ufffd")})
}

// lines makes sure that lines end in LF (with or without CR) and notes when they do not do so alike.
func (p *parser) lines(src string) string {
	head := src[:min(len(src), maxText)]
	cr := strings.IndexByte(head, '\r')
	if cr < 0 {
		return src
	}
	lf := strings.IndexByte(head, '\n')
	if lf < 0 {
		p.note(BareCR, "")
		return strings.ReplaceAll(src, "\r", "\n")
	}
	if lf < cr {
		p.note(MixedLineEnds, "")
		return src
	}
	for i := 0; ; {
		n := strings.IndexByte(head[i:], '\n')
		if n < 0 {
			break
		}
		if i += n; i == 0 || head[i-1] != '\r' {
			p.note(MixedLineEnds, "")
			break
		}
		i++
	}
	return src
}

// finish joins what the parts left behind and reads the links.
func (p *parser) finish() {
	m := p.m
	m.Text = join(p.texts)
	m.HTML = join(p.htmls)
	p.textLinks(m.Text, nil)
	if len(p.htmls) > 0 {
		p.readHTML()
	}
	p.readCodes()
	for _, l := range p.fileLinks {
		p.addLink(l)
	}
}

func join(parts []string) string {
	if len(parts) == 1 {
		return parts[0]
	}
	return strings.Join(parts, "\n")
}

// view is b as a string without a copy. Nobody changes b afterwards: it is the caller's by contract, or our own buffer
// that is not written again.
func view(b []byte) string {
	return unsafe.String(unsafe.SliceData(b), len(b))
}
