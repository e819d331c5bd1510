package learn

import "rempart/message"

// decodedText takes the sequences of one, three and five bytes of what the reader sees, folded: what it says, however it
// was encoded. Long texts leave out single bytes, which all of them have.
func decodedText(f *features, m *message.Message) {
	b := foldText(f.fold[:0], m.Subject)
	if len(b) > 0 {
		b = append(b, '\n')
	}
	b = foldText(b, m.Text[:min(len(m.Text), maxText)])
	b = foldText(b, m.HTMLText[:min(len(m.HTMLText), maxText)])
	f.fold = b
	f.start(3 * len(b))
	short := len(b) <= shortText
	var gram uint64
	for i, c := range b {
		gram = gram<<8 | uint64(c)
		if short {
			f.add(hashGram(gram&0xff, 1))
		}
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

// foldText lowers ASCII and makes every run of white space one space.
func foldText(b []byte, s string) []byte {
	space := true
	for i := range len(s) {
		c := s[i]
		switch {
		case c == ' ' || c == '\n' || c == '\t' || c == '\r':
			if space {
				continue
			}
			c, space = ' ', true
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
			space = false
		default:
			space = false
		}
		b = append(b, c)
	}
	return b
}
