package learn

import (
	"slices"

	"rempart/message"
)

// decodedText takes the sequences of one, three and five bytes of what the reader sees, folded: what it says, however it
// was encoded. Of long texts a quarter is enough, those that [counts] counts, and none of the single bytes, which all of them
// have.
func decodedText(f *features, m *message.Message) {
	b := foldText(f.fold[:0], m.Subject)
	if len(b) > 0 {
		b = append(b, '\n')
	}
	b = foldText(b, m.Text[:min(len(m.Text), maxText)])
	b = foldText(b, m.HTMLText[:min(len(m.HTMLText), maxText)])
	f.fold = b
	if len(b) <= shortText {
		f.addText(b)
		return
	}
	f.start(len(b))
	gram := uint64(b[0])<<24 | uint64(b[1])<<16 | uint64(b[2])<<8 | uint64(b[3])
	all, n := f.room(2*len(b)), 0
	for _, c := range b[4:] {
		gram = gram<<8 | uint64(c)
		all[n] = hashGram(gram&0xffffff, 3)
		if all[n]%sample == 0 {
			n++
		}
		all[n] = hashGram(gram&0xffffffffff, 5)
		if all[n]%sample == 0 {
			n++
		}
	}
	f.took(n)
}

// addText takes all sequences of a short text.
func (f *features) addText(b []byte) {
	f.start(3 * len(b))
	var gram uint64
	for i, c := range b {
		gram = gram<<8 | uint64(c)
		f.add(hashGram(gram&0xff, 1))
		if i >= 2 {
			f.add(hashGram(gram&0xffffff, 3))
		}
		if i >= 4 {
			f.add(hashGram(gram&0xffffffffff, 5))
		}
	}
}

const (
	maxText   = 6_000 // bytes read of the plain text and of the HTML
	shortText = 500
)

// hashGram tells sequences of unlike length apart.
func hashGram(gram, length uint64) uint32 {
	return uint32((gram ^ length<<56) * 0x9e3779b97f4a7c15 >> 32)
}

// foldText lowers ASCII and makes every run of white space one space, none at the beginning.
func foldText(b []byte, s string) []byte {
	n := len(b)
	b = slices.Grow(b, len(s))[:n+len(s)]
	last := byte(' ')
	for i := range len(s) {
		c := folded[s[i]]
		b[n] = c
		if c != ' ' || last != ' ' { // else the next takes its place
			n++
		}
		last = c
	}
	return b[:n]
}

// folded are the bytes of text as foldText writes them.
var folded = func() (f [256]byte) {
	for i := range f {
		switch c := byte(i); {
		case c == '\n' || c == '\t' || c == '\r':
			f[i] = ' '
		case 'A' <= c && c <= 'Z':
			f[i] = c + 'a' - 'A'
		default:
			f[i] = c
		}
	}
	return f
}()
