package dkim

import (
	"bytes"
	"crypto/sha256"
	"strings"
)

// maxHeaderBytes is how much header is looked at: a chain of fifty seals hashes what stands before each of them. Real headers
// stay below 100 kB.
const maxHeaderBytes = 1 << 20

// Field is one header field as it was received, with its name, colon, folds and last line end.
type Field struct {
	Name string // lower case
	Raw  []byte
}

// Split takes a message apart into its header fields and its body. Lines may end in LF or CRLF. What is no field is left out.
// It is not ok if the header is longer than [maxHeaderBytes].
func Split(raw []byte) (fields []Field, body []byte, ok bool) {
	rest := raw
	for len(rest) > 0 {
		if len(raw)-len(rest) > maxHeaderBytes {
			return nil, nil, false
		}
		end := lineEnd(rest)
		if len(bytes.TrimRight(rest[:end], "\r\n")) == 0 {
			return fields, rest[end:], true
		}
		for end < len(rest) && (rest[end] == ' ' || rest[end] == '\t') {
			end += lineEnd(rest[end:])
		}
		name, _, found := bytes.Cut(rest[:end], []byte(":"))
		name = bytes.TrimRight(name, " \t")
		if found && len(name) > 0 && !bytes.ContainsAny(name, " \t\r\n") {
			fields = append(fields, Field{strings.ToLower(string(name)), rest[:end]})
		}
		rest = rest[end:]
	}
	return fields, nil, len(raw) <= maxHeaderBytes
}

// lineEnd is where the next line begins.
func lineEnd(b []byte) int {
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		return i + 1
	}
	return len(b)
}

// Value is what stands behind the colon.
func (f Field) Value() string {
	_, v, _ := bytes.Cut(f.Raw, []byte(":"))
	return string(v)
}

// Canonical is a form that small changes on the way do not alter (RFC 6376 section 3.4).
type Canonical bool

// The forms, of a header or of a body.
const (
	Simple  Canonical = false
	Relaxed Canonical = true
)

// AppendField appends a field in the form c, CRLF included (RFC 6376 sections 3.4.1 and 3.4.2).
func (c Canonical) AppendField(dst []byte, f Field) []byte {
	if c == Simple {
		for rest := f.Raw; len(rest) > 0; {
			end := lineEnd(rest)
			dst = append(dst, bytes.TrimSuffix(bytes.TrimSuffix(rest[:end], []byte("\n")), []byte("\r"))...)
			dst = append(dst, '\r', '\n')
			rest = rest[end:]
		}
		return dst
	}
	dst = append(append(dst, f.Name...), ':')
	_, value, _ := bytes.Cut(f.Raw, []byte(":"))
	start, gap := len(dst), false
	for _, b := range value {
		switch b {
		case ' ', '\t', '\r', '\n':
			gap = true
		default:
			if gap && len(dst) > start {
				dst = append(dst, ' ')
			}
			dst, gap = append(dst, b), false
		}
	}
	return append(dst, '\r', '\n')
}

// BodyHash is the SHA-256 of a body in one form, and how many octets were hashed.
type BodyHash struct {
	Sum  [sha256.Size]byte
	Size int64
}

// Hash hashes a body in the form c (RFC 6376 sections 3.4.3 and 3.4.4): without empty lines at its end, in the relaxed form
// also without white space at the end of lines and with one space for each run of it.
func (c Canonical) Hash(body []byte) (out BodyHash) {
	h := sha256.New()
	buf := make([]byte, 0, 4096)
	flush := func() {
		_, _ = h.Write(buf) // never fails
		out.Size += int64(len(buf))
		buf = buf[:0]
	}
	empty := 0
	for len(body) > 0 {
		end := lineEnd(body)
		line := bytes.TrimSuffix(bytes.TrimSuffix(body[:end], []byte("\n")), []byte("\r"))
		body = body[end:]
		if c == Relaxed {
			line = bytes.TrimRight(line, " \t")
		}
		if len(line) == 0 {
			empty++
			continue
		}
		for ; empty > 0; empty-- {
			if buf = append(buf, '\r', '\n'); len(buf) > 4000 {
				flush()
			}
		}
		if c == Relaxed {
			buf = appendReduced(buf, line)
		} else {
			buf = append(buf, line...)
		}
		if buf = append(buf, '\r', '\n'); len(buf) > 4000 {
			flush()
		}
	}
	if flush(); out.Size == 0 && c == Simple {
		buf = append(buf, '\r', '\n')
		flush()
	}
	h.Sum(out.Sum[:0])
	return out
}

// appendReduced appends a line, which does not end in white space, with one space for each run of it.
func appendReduced(dst, line []byte) []byte {
	start := 0
	for i := 0; i < len(line); i++ {
		if c := line[i]; c > ' ' || c == ' ' && line[i+1] > ' ' || c != ' ' && c != '\t' {
			continue
		}
		dst = append(append(dst, line[start:i]...), ' ')
		for line[i+1] == ' ' || line[i+1] == '\t' {
			i++
		}
		start = i + 1
	}
	return append(dst, line[start:]...)
}

// withoutValue is a signature's field with its b= emptied, as the signer hashed it (RFC 6376 section 3.7).
func withoutValue(f Field) Field {
	start := bytes.IndexByte(f.Raw, ':') + 1
	for start < len(f.Raw) {
		end := len(f.Raw)
		if i := bytes.IndexByte(f.Raw[start:], ';'); i >= 0 {
			end = start + i
		}
		name, _, found := bytes.Cut(f.Raw[start:end], []byte("="))
		if found && string(bytes.TrimSpace(name)) == "b" {
			raw := append([]byte(nil), f.Raw[:start+len(name)+1]...)
			return Field{f.Name, append(raw, f.Raw[end:]...)}
		}
		start = end + 1
	}
	return f
}
