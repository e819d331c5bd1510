package content

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"rempart/message"
)

// maxScan bounds how much text one signal reads; obfuscation that begins later is not meant for a reader.
const maxScan = 64 << 10

// texts are what the reader sees of words: subject, author name, text.
func texts(m *message.Message) [3]string {
	body := m.VisibleText()
	return [3]string{m.Subject, m.From.Name, body[:min(len(body), maxScan)]}
}

// script is the alphabet of a letter, as far as alphabets have letters that look alike.
type script uint8

const (
	latin script = 1 << iota
	cyrillic
	greek
	armenian
	cherokee
)

func scriptOf(r rune) script {
	switch {
	case r < utf8.RuneSelf:
		if 'a' <= r|0x20 && r|0x20 <= 'z' {
			return latin
		}
	case r < 0x250, 0x1e00 <= r && r < 0x1f00:
		if unicode.IsLetter(r) {
			return latin
		}
	case 0x370 <= r && r < 0x400, 0x1f00 <= r && r < 0x2000:
		return greek
	case 0x400 <= r && r < 0x530:
		return cyrillic
	case 0x530 <= r && r < 0x590:
		return armenian
	case 0x13a0 <= r && r < 0x1400, 0xab70 <= r && r < 0xabc0:
		return cherokee
	}
	return 0
}

// MixedScripts speaks against words whose letters come from alphabets that look alike (Latin with Cyrillic, Greek,
// Armenian or Cherokee; UTS 39 section 5.1): the reader sees a word that a filter does not know. A unit or formula with
// one Greek letter among fewer than four is honest. Value: log2 of the number of words, 1 to 4. Arguments: number, the
// first word.
func MixedScripts(m *message.Message) message.Result {
	n, first := 0, ""
	for _, s := range texts(m) {
		for s != "" {
			i := nonASCII(s)
			if i < 0 {
				break
			}
			var word string
			word, s = wordAround(s, i)
			if mixed(word) {
				if n++; n == 1 {
					first = word
				}
			}
		}
	}
	if n == 0 {
		return message.Absent
	}
	return message.Present(count(n), n, quote(first))
}

// mixed reports a word of Latin letters and others that look like them.
func mixed(word string) bool {
	var all script
	letters, alike := 0, 0
	for _, r := range word {
		sc := scriptOf(r)
		if sc == 0 {
			continue
		}
		letters++
		all |= sc
		if sc != latin && len(folded[r]) == 1 {
			alike++
		}
	}
	return letters >= 4 && alike > 0 && all&latin != 0 && all != latin
}

// wordAround cuts the word around position i of s; rest is what follows it.
func wordAround(s string, i int) (word, rest string) {
	start := i
	for start > 0 && wordByte(s[start-1]) {
		start--
	}
	end := i
	for end < len(s) {
		r, n := utf8.DecodeRuneInString(s[end:])
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !ZeroWidth(r) && !combining(r) {
			if end == i {
				end += n
			}
			break
		}
		end += n
	}
	return s[start:end], s[end:]
}

// nonASCII is the position of the first byte beyond ASCII, or -1.
func nonASCII(s string) int {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return i
		}
	}
	return -1
}

// StyledLetters speaks against words in letters that Unicode has for formulas (mathematical alphanumeric symbols) or in
// circles and squares: they look like print to a reader and like nothing to a filter. The subject and the author's name are
// looked at, and the beginning of the text. Value: log2 of their number, 1.6 to 4. Argument: their number.
func StyledLetters(m *message.Message) message.Result {
	n := 0
	for _, s := range texts(m) {
		s = s[:min(len(s), maxStyled)]
		for {
			i := strings.IndexByte(s, 0xf0) // all of them take four bytes
			if i < 0 {
				break
			}
			r, size := utf8.DecodeRuneInString(s[i:])
			if 0x1d400 <= r && r < 0x1d7cc || 0x1f110 <= r && r < 0x1f16a || 0x1f170 <= r && r < 0x1f18a {
				n++
			}
			s = s[i+size:]
		}
	}
	if n < 2 {
		return message.Absent
	}
	return message.Present(count(n), n)
}

// maxStyled bounds what is looked at of the text: headlines are set in such letters, long texts are not.
const maxStyled = 4 << 10

// ZeroWidthInside speaks against characters of no width between two letters of alphabets that need none: they split
// words for filters and not for readers. Soft hyphens in words of ten letters and joiners of Arabic, Indic scripts and
// emoji are honest. Value: log2 of their number, 1 to 4. Argument: their number.
func ZeroWidthInside(m *message.Message) message.Result {
	n := 0
	for _, s := range texts(m) {
		var before rune
		pending := false
		for i := nonASCII(s); i >= 0 && i < len(s); {
			if before == 0 && i > 0 {
				before = rune(s[i-1])
			}
			r, size := utf8.DecodeRuneInString(s[i:])
			i += size
			if r != 0xad && ZeroWidth(r) {
				pending = scriptOf(before) != 0
				continue
			}
			if pending && scriptOf(r) != 0 {
				n++
			}
			before, pending = r, false
		}
	}
	if n == 0 {
		return message.Absent
	}
	return message.Present(count(n), n)
}

// DirectionOverride speaks against U+202D and U+202E (UAX 9 section 2.2), which show text in another order than it is
// written ("exe.pdf"); languages written from the right do not need them. File names count. Value: 1.
func DirectionOverride(m *message.Message) message.Result {
	for _, s := range texts(m) {
		if strings.Contains(s, "\u202e") || strings.Contains(s, "\u202d") {
			return message.Present(1)
		}
	}
	for i := range m.Attachments {
		if strings.Contains(m.Attachments[i].Name, "\u202e") {
			return message.Present(1)
		}
	}
	return message.Absent
}

// separator are the characters that stand between the letters.
var separator = [256]bool{' ': true, '.': true, '-': true, '*': true, '_': true}

// minSpaced: "a b c" lists three things.
const minSpaced = 5

// SpacedLetters speaks against words spelled with a space, point or dash after each letter ("v i a g r a"). Value: log2
// of the number of words, 1 to 4. Arguments: number, the first.
func SpacedLetters(m *message.Message) message.Result {
	n, first := 0, ""
	for _, s := range texts(m) {
		for i := 0; i+2*minSpaced-1 <= len(s); {
			if !separator[s[i+1]] || !separator[s[i+3]] {
				i = nextSpaced(s, i+1)
				continue
			}
			end, same := spacedRun(s, i)
			if (end-i+1)/2 >= minSpaced && !same {
				if n++; n == 1 {
					first = s[i:end]
				}
			}
			i = max(end, i+1)
		}
	}
	if n == 0 {
		return message.Absent
	}
	return message.Present(count(n), n, quote(first))
}

// nextSpaced is where from i on the next run may begin. Of four bytes in a row that lie inside a run two are separators with one
// byte between them, and a run has such four at every fourth place.
func nextSpaced(s string, i int) int {
	j := i + 1
	for j+3 < len(s) && !(separator[s[j]] && separator[s[j+2]]) && !(separator[s[j+1]] && separator[s[j+3]]) {
		j += 4
	}
	if j+3 >= len(s) {
		j = max(i+1, len(s)-2*minSpaced) // the rest is shorter than a run, or nearly
	}
	return max(i, j-4)
}

// spacedRun is the end of the run of letter, separator, letter ... at i, with one kind of separator, and no letter
// before or after it. same reports that it repeats one letter.
func spacedRun(s string, i int) (end int, same bool) {
	if !asciiLetter(s[i]) || i > 0 && (wordByte(s[i-1]) || s[i-1] >= utf8.RuneSelf) {
		return i, false
	}
	sep := s[i+1]
	end, same = i+1, true
	for end+1 < len(s) && s[end] == sep && asciiLetter(s[end+1]) && !(end+2 < len(s) && wordByte(s[end+2])) {
		same = same && s[end+1] == s[i]
		end += 2
	}
	return end, same
}

func asciiLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// LeetWords speaks against digits and signs in the middle of words where letters belong ("v1agra", "m0ney", "pa$$word").
// Words of five letters or more count, with one or two such places between small letters: a single digit that looks like a
// vowel, or a 5 or dollar sign beside one. Names of models and versions have their digits at an end, in capitals or
// several together. Value: log2 of the number of words, 1 to 4. Arguments: number, the first.
func LeetWords(m *message.Message) message.Result {
	n, first := 0, ""
	for _, s := range texts(m) {
		for i := 0; i < len(s); i++ {
			if !leetByte[s[i]] || i == 0 || !asciiLetter(s[i-1]) {
				continue
			}
			word, end := plainWord(s, i)
			if leet(word) {
				if n++; n == 1 {
					first = word
				}
			}
			i = end
		}
	}
	if n == 0 {
		return message.Absent
	}
	return message.Present(count(n), n, quote(first))
}

// leetByte are what is written for letters.
var leetByte = [256]bool{'0': true, '1': true, '3': true, '4': true, '5': true, '$': true, '@': true}

// plainWord is the text around i up to white space, and its end.
func plainWord(s string, i int) (word string, end int) {
	start := i
	for start > 0 && s[start-1] > ' ' && i-start < 40 {
		start--
	}
	for end = i; end < len(s) && s[end] > ' ' && end-i < 40; end++ {
	}
	return strings.Trim(s[start:end], ".,;:!?\"'()*"), end
}

func leet(word string) bool {
	if len(word) < 5 || len(word) > 20 {
		return false
	}
	places, hex := 0, true
	for i := range len(word) {
		c := word[i]
		switch {
		case 'a' <= c && c <= 'z' || i == 0 && 'A' <= c && c <= 'Z':
			hex = hex && c|0x20 <= 'f'
		case leetByte[c] && i > 0 && i < len(word)-1:
			places++
			before, after := word[i-1], word[i+1]
			switch {
			case c == '$':
			case leetByte[before] || leetByte[after], c == '5' && !vowel(before) && !vowel(after):
				return false
			}
		default:
			return false
		}
	}
	return !hex && places >= 1 && places <= 2 && !strings.Contains(word, "@") && len(word)-places >= 4
}

func vowel(c byte) bool {
	switch c | 0x20 {
	case 'a', 'e', 'i', 'o', 'u', 'y':
		return true
	}
	return false
}
