package learn

import (
	"rempart/message"
)

// fields takes the words of the header, each under its field's name, and sparse pairs of neighbours up to three apart: who
// sends it, and by what way.
func fields(f *features, m *message.Message) {
	f.start(60*len(m.Header) + 64)
	budget := maxHeaderWords
	for i := range m.Header {
		h := &m.Header[i]
		budget -= f.addWords(hashName(h.Name), h.Value, min(budget, maxFieldWords), allPairs)
		if budget <= 0 {
			break
		}
	}
}

// words takes the words of the text and their sparse pairs, of mail half of these, and those of links, attachments and anomalies
// under a place of their own: what is said, and what is said together.
func words(f *features, m *message.Message) {
	pairs := allPairs
	if m.Channel == message.Email {
		pairs = halfOfPairs
	}
	f.start((len(m.Text)+len(m.HTMLText))*3/4 + 2*pairsOfWord*len(m.Links) + 64)
	if m.MailFrom != "" && m.Channel != message.Email {
		f.addWords(hashName("from"), m.MailFrom, maxFieldWords, pairs)
	}
	f.addWords(textPlace, m.Text, maxWords, pairs)
	if m.HTMLText != "" {
		f.addWords(textPlace, m.HTMLText, maxWords, pairs)
	}
	for i := range m.Links[:min(len(m.Links), maxLinks)] {
		l := &m.Links[i]
		f.add(hashWord(linkPlace, l.Host))
		f.addWords(linkPlace+1, l.URL, maxFieldWords, pairs)
	}
	for i := range m.Attachments {
		f.addWords(attachmentPlace, m.Attachments[i].Name, maxFieldWords, pairs)
		f.addWords(attachmentPlace, m.Attachments[i].Declared, maxFieldWords, pairs)
	}
	for i := range m.Anomalies {
		f.add(hashWord(anomalyPlace, m.Anomalies[i].Name))
	}
}

// pairsOfWord: each word gives itself and three pairs.
const pairsOfWord = 4

// Which pairs are taken: those whose hash has none of these bits. Of a mail's text, which has hundreds, half tell as much as all;
// those of its header tell most where lessons are few.
const (
	allPairs    uint32 = 0
	halfOfPairs uint32 = 1 << 3
)

// Bounds of what is read; a longer message is known by its beginning.
const (
	maxWords       = 1500
	maxHeaderWords = 600
	maxFieldWords  = 60
	maxLinks       = 50
)

// Places of words that stand in no header field.
const (
	textPlace uint32 = iota + 1
	linkPlace
	_
	attachmentPlace
	anomalyPlace
)

// addWords adds the words of s and their sparse pairs under a place, and returns how many words it took.
func (f *features) addWords(place uint32, s string, most int, pairs uint32) int {
	var last [3]uint32
	n := 0
	for i := 0; i < len(s) && n < most; {
		for i < len(s) && !wordByte[s[i]] {
			i++
		}
		start := i
		h := place * 0x01000193
		for i < len(s) && wordByte[s[i]] {
			c := s[i]
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			h = (h ^ uint32(c)) * 0x01000193
			i++
		}
		if i == start {
			break
		}
		h = mix(h ^ uint32(min(i-start, maxWordBytes))<<24)
		all, k := f.room(pairsOfWord), 1
		all[0] = h
		for d, before := range last {
			all[k] = mix(before*5 + h + uint32(d)*0x9e3779b1)
			if before != 0 && all[k]&pairs == 0 {
				k++
			}
		}
		f.took(k)
		last = [3]uint32{h, last[0], last[1]}
		n++
	}
	return n
}

const maxWordBytes = 40

// wordByte are the bytes of words: letters, digits, what prices and addresses are made of, and all of UTF-8's others.
var wordByte = func() (is [256]bool) {
	for c := range is {
		is[c] = c >= 0x80 || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' ||
			c == '$' || c == '\'' || c == '-' || c == '.' || c == '!' || c == '_'
	}
	return is
}()

func hashWord(place uint32, s string) uint32 {
	h := place * 0x01000193
	for i := range len(s) {
		h = (h ^ uint32(s[i])) * 0x01000193
	}
	return mix(h)
}

// hashName is the place of a header field, whatever the case of its name.
func hashName(name string) uint32 {
	h := uint32(0x811c9dc5)
	for i := range len(name) {
		h = (h ^ uint32(name[i]|0x20)) * 0x01000193
	}
	return h | 1<<31
}
