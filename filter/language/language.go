// Package language tells which language a text is in: by the letters, where an alphabet or a letter belongs to one language alone,
// else by its small words.
//
// [Of] is for texts of some sentences, and looks at their beginning only. Languages that share most of their small words are one
// ([message.Language]). It is pure, allocates nothing and costs some microseconds.
package language

import (
	"math/bits"
	"strings"
	"unicode"
	"unicode/utf8"

	"rempart/message"
)

const (
	// sample is how many bytes of a text are looked at, and beyond how many characters that are not ASCII: its language shows by then.
	sample     = 2 << 10
	characters = 500
	// fewest letters that tell a language by themselves, and fewest small words.
	fewestLetters = 20
	fewestWords   = 4
)

// Of is the language of a text; unknown if it is too short, mixed, or in another language.
func Of(text string) message.Language {
	var c counts
	c.read(text[:min(len(text), sample)])
	return c.language()
}

// counts is what one text is made of.
type counts struct {
	scripts [scripts]int // letters
	marks   [marks]int   // letters that only some languages of a script have
	words   int          // in Latin letters
	known   int          // of those, in the table and longer than one letter
	scores  [message.Languages]int
}

// Scripts, and letters of one language of theirs.
const (
	latin = iota
	cyrillic
	greek
	arabic
	hebrew
	devanagari
	bengali
	tamil
	thai
	georgian
	armenian
	han
	kana
	hangul
	otherScript
	scripts
)

const (
	markRussian = iota
	markUkrainian
	markSerbian
	markHardSign
	markPersian
	markUrdu
	marks
)

// read counts the letters, and looks up the words that are in Latin letters.
func (c *counts) read(text string) {
	hash, length, beyond := uint32(offset), 0, 0
	for i := 0; i < len(text) && beyond < characters; {
		b := text[i]
		if b < utf8.RuneSelf {
			if l := lower[b]; l != 0 {
				hash = (hash ^ uint32(l)) * prime
				length++
			} else if length > 0 {
				c.word(hash, length)
				hash, length = offset, 0
			}
			i++
			if b == ':' && strings.HasPrefix(text[i:], "//") {
				i += address(text[i:])
			}
			continue
		}
		r, n := rune(b&0x1f)<<6, 2
		if b < 0xe0 && i+1 < len(text) && text[i+1]&0xc0 == 0x80 {
			r |= rune(text[i+1] & 0x3f)
		} else {
			r, n = utf8.DecodeRuneInString(text[i:])
		}
		i += n
		beyond++
		if latinLetter(r) {
			hash = (hash ^ small(r)) * prime
			length++
			continue
		}
		if length > 0 {
			c.word(hash, length)
			hash, length = offset, 0
		}
		c.letter(r)
	}
	if length > 0 {
		c.word(hash, length)
	}
}

// address is how long the rest of a URL is, whose letters are of no language.
func address(text string) int {
	if end := strings.IndexAny(text, " \t\r\n<>\"()[]"); end >= 0 {
		return end
	}
	return len(text)
}

// latinLetter reports those beyond ASCII: Latin-1, Extended-A and B, and Additional for Vietnamese.
func latinLetter(r rune) bool {
	return r >= 0xc0 && r < 0x250 && r != 0xd7 && r != 0xf7 || r >= 0x1e00 && r < 0x1f00
}

// lower has the small letter of each in ASCII, and 0 for what parts words. Figures stand in words that are none ("1G1X"), which so are in
// no table.
var lower = func() (t [utf8.RuneSelf]byte) {
	for l := byte('a'); l <= 'z'; l++ {
		t[l], t[l-'a'+'A'] = l, l
	}
	for l := byte('0'); l <= '9'; l++ {
		t[l] = l
	}
	return t
}()

// small is a Latin letter beyond ASCII as a small one.
func small(r rune) uint32 {
	if int(r-0xc0) < len(lowerLatin) {
		return uint32(lowerLatin[r-0xc0])
	}
	return uint32(r | 1) // of the Vietnamese pairs the odd one
}

var lowerLatin = func() (t [0x250 - 0xc0]uint16) {
	for i := range t {
		t[i] = uint16(unicode.ToLower(rune(i + 0xc0)))
	}
	return t
}()

func (c *counts) word(hash uint32, length int) {
	c.words++
	c.scripts[latin] += length
	set := table.find(hash)
	if set == 0 {
		return
	}
	weight := 1 // of a single letter: it may be a point of a list, or what is left of something else
	if length > 1 {
		c.known++
		weight = 4 / bits.OnesCount32(set)
	}
	for ; set != 0; set &= set - 1 {
		c.scores[bits.TrailingZeros32(set)] += weight
	}
}

// letter counts one that is not Latin. An ideograph or syllable says as much as some letters.
func (c *counts) letter(r rune) {
	switch {
	case r >= 0x400 && r < 0x530:
		c.scripts[cyrillic]++
		c.mark(cyrillicMarks[r-0x400])
	case r >= 0x370 && r < 0x400 || r >= 0x1f00 && r < 0x2000:
		c.scripts[greek]++
	case r >= 0x620 && r < 0x700 || r >= 0xfb50 && r < 0xfe00 || r >= 0xfe70 && r < 0xff00:
		c.scripts[arabic]++
		switch r {
		case 'پ', 'چ', 'ژ', 'گ':
			c.mark(markPersian + 1)
		case 'ٹ', 'ڈ', 'ڑ', 'ے', 'ں':
			c.mark(markUrdu + 1)
		}
	case r >= 0x4e00 && r < 0xa000 || r >= 0x3400 && r < 0x4dc0:
		c.scripts[han] += 3
	case r >= 0x3041 && r < 0x3100 || r >= 0xff66 && r < 0xffa0:
		c.scripts[kana] += 3
	case r >= 0xac00 && r < 0xd7b0:
		c.scripts[hangul] += 3
	default:
		c.scripts[rare(r)]++
	}
}

func (c *counts) mark(m uint8) {
	if m > 0 {
		c.marks[m-1]++
	}
}

// cyrillicMarks has for letters from U+0400 on the mark they are, and one more; 0 for none.
var cyrillicMarks = func() (t [0x130]uint8) {
	for mark, letters := range [...]string{markRussian: "ЫыЭэ", markUkrainian: "ІіЇїЄєҐґЎў", markSerbian: "ЈјЉљЊњЋћЂђЏџЃѓЌќ", markHardSign: "Ъъ"} {
		for _, r := range letters {
			t[r-0x400] = uint8(mark + 1)
		}
	}
	return t
}()

// rare is the script of a letter of those seldom met; what is no letter is of none.
func rare(r rune) int {
	switch {
	case r >= 0x590 && r < 0x600:
		return hebrew
	case r >= 0x900 && r < 0x980:
		return devanagari
	case r >= 0x980 && r < 0xa00:
		return bengali
	case r >= 0xb80 && r < 0xc00:
		return tamil
	case r >= 0xe00 && r < 0xe80:
		return thai
	case r >= 0x10a0 && r < 0x1100:
		return georgian
	case r >= 0x530 && r < 0x590:
		return armenian
	}
	return otherScript
}

// language decides.
func (c *counts) language() message.Language {
	c.scripts[otherScript] = 0 // signs, mostly
	if c.scripts[kana] > 0 {   // Japanese writes both
		c.scripts[kana], c.scripts[han] = c.scripts[kana]+c.scripts[han], 0
	}
	most, all := 0, 0
	for s, n := range c.scripts {
		all += n
		if n > c.scripts[most] {
			most = s
		}
	}
	if c.scripts[most] < fewestLetters || 3*c.scripts[most] < 2*all {
		return message.LanguageUnknown
	}
	switch most {
	case latin:
		return c.byWords()
	case cyrillic:
		return c.byCyrillic()
	case arabic:
		return c.byArabic()
	}
	return alone[most]
}

// alone are the scripts that one language has for itself, as far as we tell languages apart.
var alone = [scripts]message.Language{greek: message.Greek, hebrew: message.Hebrew, devanagari: message.Hindi, bengali: message.Bengali,
	tamil: message.Tamil, thai: message.Thai, georgian: message.Georgian, armenian: message.Armenian, han: message.Chinese,
	kana: message.Japanese, hangul: message.Korean}

// byWords takes the language that most of the small words are of, if no other has nearly as many, and they are many: one word in
// ten.
func (c *counts) byWords() message.Language {
	best, second := 0, 0
	for l, score := range c.scores {
		if score > c.scores[best] {
			best, second = l, c.scores[best]
		} else if l != best {
			second = max(second, score)
		}
	}
	score := c.scores[best]
	if c.known < fewestWords || score < 4*fewestWords || 10*c.known < c.words || 2*score < 3*second {
		return message.LanguageUnknown
	}
	return message.Language(best)
}

func (c *counts) byCyrillic() message.Language {
	few := c.scripts[cyrillic] / 200 // a name or a quoted word
	switch m := &c.marks; {
	case m[markSerbian] > few:
		return message.Serbian
	case m[markUkrainian] > few:
		return message.Ukrainian
	case m[markRussian] > few:
		return message.Russian
	case m[markHardSign] > few:
		return message.Bulgarian
	}
	return message.LanguageUnknown
}

func (c *counts) byArabic() message.Language {
	few := c.scripts[arabic] / 200
	switch m := &c.marks; {
	case m[markUrdu] > few:
		return message.Urdu
	case m[markPersian] > few:
		return message.Persian
	}
	return message.Arabic
}
