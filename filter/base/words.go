package base

import (
	_ "embed"
	"strings"
	"unicode"
	"unicode/utf8"

	"rempart/filter/content"
	"rempart/message"
)

// Bounds of what is read: a mail is known by its beginning.
const (
	maxText     = 3_000 // bytes of what the reader sees
	maxSecond   = 1_000 // bytes of the plain text beside HTML
	maxField    = 200   // bytes of subject or name
	stemRunes   = 6
	maxFeatures = 2048 // of words, a mail
	maxThemes   = 1024 // features of themes, a mail
)

// A place is where a word stands, or what kind of feature a hash is of.
const (
	placeText uint32 = iota + 1
	placeSubject
	placeName
	placePair
	placeTheme
	placeSubjectTheme
	placeThemePair
)

// readWords takes the words of name, subject and text, in Latin spelling and cut to their stems, neighbours in pairs, and
// the themes they belong to.
func (f *features) readWords(m *message.Message) {
	f.readWordsOf(placeName, m.From.Name, maxField)
	f.readWordsOf(placeSubject, m.Subject, maxField)
	first, second := m.HTMLText, m.Text
	if first == "" {
		first, second = m.Text, ""
	}
	f.readWordsOf(placeText, first, maxText)
	f.readWordsOf(placeText, second, maxSecond)
}

// readWordsOf takes one text, up to a number of bytes.
func (f *features) readWordsOf(place uint32, s string, most int) {
	i := len(f.fold)
	f.fold = content.Fold(f.fold, s[:min(len(s), most)])
	var last, lastTheme uint32
	for i < len(f.fold) && len(f.words) < maxFeatures {
		w, n := nextWord(f.fold[i:])
		from, to := i+w.from, i+w.to
		i += n
		if w.runes == 0 {
			continue
		}
		if theme := themes.of(w.hash); theme != 0 && len(f.themes) < maxThemes {
			f.addTheme(place, theme, lastTheme)
			lastTheme = theme
		}
		if w.runes > 1 {
			f.addWord(place, w.hash, last, from, to)
			last = w.hash
		}
	}
}

func (f *features) addTheme(place, theme, before uint32) {
	if f.add(&f.themes, hash(placeTheme, theme)) {
		f.about = append(f.about, theme)
	}
	if place != placeText {
		f.add(&f.themes, hash(placeSubjectTheme, theme))
	}
	if before != 0 && before != theme {
		f.add(&f.themes, hash(placeThemePair, min(theme, before)<<8|max(theme, before)))
	}
}

func (f *features) addWord(place, word, before uint32, from, to int) {
	if h := hash(placeText, word); f.add(&f.words, h) && place != placeSubject { // who may see a verdict may not see the subject
		f.spelt = append(f.spelt, spelt{h, from, to})
	}
	if place != placeText {
		f.add(&f.words, hash(place, word))
	}
	if before != 0 {
		f.add(&f.words, hash(placePair, before*31+word))
	}
}

// word is one word of folded text: the hash of its stem, how long it is, and where it stands.
type word struct {
	hash     uint32
	runes    int
	from, to int
}

// nextWord reads the next word of b and how many bytes to go on; a word of Chinese or Japanese is two neighbouring
// characters. Digits count as one another: amounts and numbers are alike by their length.
func nextWord(b []byte) (w word, n int) {
	w.hash = 0x811c9dc5
	for n < len(b) {
		c := b[n]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRune(b[n:])
			switch {
			case wide(r):
				if w.runes > 0 {
					return w, n
				}
				return widePair(b[n:], r, size, n)
			case unicode.IsLetter(r):
				w.take(r, n, size)
				n += size
				continue
			}
			c = ' '
		}
		if !asciiWord[c] {
			if w.runes > 0 {
				return w, n
			}
		} else {
			w.take(rune(c), n, 1)
		}
		n++
	}
	return w, n
}

// take adds a letter or digit to the word.
func (w *word) take(r rune, at, size int) {
	if w.runes == 0 {
		w.from = at
	}
	if w.runes < stemRunes {
		w.hash = hashRune(w.hash, plain(r))
	}
	w.runes++
	w.to = at + size
}

// wide reports the characters that are written without spaces between words.
func wide(r rune) bool { return r >= 0x2e80 && r < 0xa000 }

// widePair is the word of r, with which b begins, and the character after it; where there is none it has no length.
func widePair(b []byte, r rune, size, before int) (word, int) {
	next, more := utf8.DecodeRune(b[size:])
	if !wide(next) {
		return word{}, before + size
	}
	return word{hashRune(hashRune(0x811c9dc5, r), next), 2, before, before + size + more}, before + size
}

// asciiWord are the letters of words: small ones, since the text is folded, digits, and what amounts are made of.
var asciiWord = func() (is [utf8.RuneSelf]bool) {
	for c := range is {
		is[c] = 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '$' || c == '%'
	}
	return is
}()

func hashRune(h uint32, r rune) uint32 { return (h ^ uint32(r)) * 0x01000193 }

// plain leaves accents out, which many writers do, and takes one digit for another.
func plain(r rune) rune {
	if '0' <= r && r <= '9' {
		return '0'
	}
	if i := int(r) - 0xe0; i >= 0 && i < len(unaccented) {
		return rune(unaccented[i])
	}
	return r
}

// unaccented are the letters from U+00E0 on without their accents.
const unaccented = "aaaaaaaceeeeiiiidnooooo/ouuuuyty"

// themes are the numbers, from 1, of the themes that stems belong to.
var themes = readThemes(themesText)

//go:embed themes.txt
var themesText string

// themeTable finds the theme of a stem: open addressing, hash<<32 | theme. A table of our own takes a third of a map's time.
type themeTable [1 << themeBits]uint64

const themeBits = 12 // four places for each stem of the list

func (t *themeTable) of(stem uint32) uint32 {
	for i := mixed(stem); ; i = (i + 1) % (1 << themeBits) {
		if slot := t[i]; slot == 0 || uint32(slot>>32) == stem {
			return uint32(slot)
		}
	}
}

func (t *themeTable) put(stem, theme uint32) {
	i := mixed(stem)
	for t[i] != 0 && uint32(t[i]>>32) != stem {
		i = (i + 1) % (1 << themeBits)
	}
	t[i] = uint64(stem)<<32 | uint64(theme)
}

func mixed(stem uint32) uint32 { return stem * 0x9e3779b1 >> (32 - themeBits) }

func readThemes(s string) *themeTable {
	m := &themeTable{}
	n := uint32(0)
	for line := range strings.Lines(s) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		_, words, _ := strings.Cut(line, ":")
		n++
		for _, w := range strings.Fields(words) {
			b := content.Fold(nil, w)
			for i := 0; i < len(b); {
				w, k := nextWord(b[i:])
				if i += k; w.runes > 0 {
					m.put(w.hash, n)
				}
			}
		}
	}
	return m
}
