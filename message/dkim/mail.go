package dkim

import (
	"crypto/sha256"
	"strings"
)

// Mail is one mail as signatures see it, those that are verified and those that are made. Not safe for concurrent use.
type Mail struct {
	Fields []Field
	body   []byte
	places map[string][]int // of the fields of each name
	hashes map[Canonical]BodyHash
}

// NewMail makes a mail of what [Split] gives.
func NewMail(fields []Field, body []byte) *Mail {
	m := &Mail{Fields: fields, body: body, places: make(map[string][]int, len(fields)), hashes: map[Canonical]BodyHash{}}
	for i, f := range fields {
		m.places[f.Name] = append(m.places[f.Name], i)
	}
	return m
}

// Count is how many fields have a name, which is in lower case.
func (m *Mail) Count(name string) int { return len(m.places[name]) }

// Body hashes the body; each form is made once.
func (m *Mail) Body(c Canonical) BodyHash {
	h, done := m.hashes[c]
	if !done {
		h = c.Hash(m.body)
		m.hashes[c] = h
	}
	return h
}

// Header hashes the fields that h= names and behind them the signature's own field, its b= emptied (RFC 6376 section 3.7).
func (m *Mail) Header(c Canonical, names []string, own Field) []byte {
	h := sha256.New()
	var buf []byte
	for _, f := range m.Pick(names) {
		buf = c.AppendField(buf[:0], f)
		_, _ = h.Write(buf) // never fails
	}
	buf = c.AppendField(buf[:0], withoutValue(own))
	_, _ = h.Write(buf[:len(buf)-len("\r\n")])
	return h.Sum(nil)
}

// Pick are the fields that h= names: of several of one name the last first, none twice (RFC 6376 section 5.4.2).
func (m *Mail) Pick(names []string) []Field {
	left := make(map[string]int, len(names)) // fields of that name that were not taken yet
	out := make([]Field, 0, len(names))
	for _, name := range names {
		name = strings.ToLower(name)
		places := m.places[name]
		n, seen := left[name]
		if !seen {
			n = len(places)
		}
		if n > 0 {
			n--
			out = append(out, m.Fields[places[n]])
		}
		left[name] = n
	}
	return out
}
