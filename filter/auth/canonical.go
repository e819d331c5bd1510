package auth

import (
	"bytes"
	"crypto/sha256"
	"strings"
)

// maxHeaderBytes is how much header is looked at: a chain of fifty seals hashes what stands before each of them. Real headers
// stay below 100 kB.
const maxHeaderBytes = 1 << 20

// field is one header field as it was received, with its name, colon, folds and last line end.
type field struct {
	name string // lower case
	raw  []byte
}

// split takes a message apart into its header fields and its body. Lines may end in LF or CRLF. What is no field is left out.
// It is not ok if the header is longer than [maxHeaderBytes].
func split(raw []byte) (fields []field, body []byte, ok bool) {
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
			fields = append(fields, field{strings.ToLower(string(name)), rest[:end]})
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

// value is what stands behind the colon.
func (f field) value() string {
	_, v, _ := bytes.Cut(f.raw, []byte(":"))
	return string(v)
}

// canonical is a form that small changes on the way do not alter (RFC 6376 section 3.4).
type canonical bool

const (
	simple  canonical = false
	relaxed canonical = true
)

// appendField appends a field in the form c, CRLF included (RFC 6376 sections 3.4.1 and 3.4.2).
func (c canonical) appendField(dst []byte, f field) []byte {
	if c == simple {
		for rest := f.raw; len(rest) > 0; {
			end := lineEnd(rest)
			dst = append(dst, bytes.TrimSuffix(bytes.TrimSuffix(rest[:end], []byte("\n")), []byte("\r"))...)
			dst = append(dst, '\r', '\n')
			rest = rest[end:]
		}
		return dst
	}
	dst = append(append(dst, f.name...), ':')
	_, value, _ := bytes.Cut(f.raw, []byte(":"))
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

// bodyHash is the SHA-256 of a body in one form, and how many octets were hashed.
type bodyHash struct {
	sum  [sha256.Size]byte
	size int64
}

// hash hashes a body in the form c (RFC 6376 sections 3.4.3 and 3.4.4): without empty lines at its end, in the relaxed form
// also without white space at the end of lines and with one space for each run of it.
func (c canonical) hash(body []byte) (out bodyHash) {
	h := sha256.New()
	buf := make([]byte, 0, 4096)
	flush := func() {
		_, _ = h.Write(buf) // never fails
		out.size += int64(len(buf))
		buf = buf[:0]
	}
	empty := 0
	for len(body) > 0 {
		end := lineEnd(body)
		line := bytes.TrimSuffix(bytes.TrimSuffix(body[:end], []byte("\n")), []byte("\r"))
		body = body[end:]
		if c == relaxed {
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
		if c == relaxed {
			buf = appendReduced(buf, line)
		} else {
			buf = append(buf, line...)
		}
		if buf = append(buf, '\r', '\n'); len(buf) > 4000 {
			flush()
		}
	}
	if flush(); out.size == 0 && c == simple {
		buf = append(buf, '\r', '\n')
		flush()
	}
	h.Sum(out.sum[:0])
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
func withoutValue(f field) field {
	start := bytes.IndexByte(f.raw, ':') + 1
	for start < len(f.raw) {
		end := len(f.raw)
		if i := bytes.IndexByte(f.raw[start:], ';'); i >= 0 {
			end = start + i
		}
		name, _, found := bytes.Cut(f.raw[start:end], []byte("="))
		if found && string(bytes.TrimSpace(name)) == "b" {
			raw := append([]byte(nil), f.raw[:start+len(name)+1]...)
			return field{f.name, append(raw, f.raw[end:]...)}
		}
		start = end + 1
	}
	return f
}
