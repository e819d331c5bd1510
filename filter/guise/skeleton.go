package guise

import (
	"unicode/utf8"

	"rempart/filter/content"
)

// appendSkeleton appends the skeleton of s: two texts that a reader may take for each other have the same one (after UTS 39
// section 4, for Latin readers: case, accents of compatibility forms and look-alike letters of other alphabets are one, and so
// are 0 and o, rn and m, vv and w, and 1, l and i). It is for comparing only.
func appendSkeleton(dst []byte, s string) []byte {
	return skeleton(content.Fold(dst, s))
}

// skeleton turns folded text into its skeleton, where it lies.
func skeleton(folded []byte) []byte {
	out := 0
	for i := 0; i < len(folded); {
		c := folded[i]
		if c < utf8.RuneSelf {
			folded[out] = plain[c]
			i++
			out = joined(folded, out+1)
			continue
		}
		r, n := utf8.DecodeRune(folded[i:])
		if to, ok := confused[r]; ok {
			folded[out] = plain[to]
			out = joined(folded, out+1)
		} else {
			out += copy(folded[out:], folded[i:i+n])
		}
		i += n
	}
	return folded[:out]
}

// joined replaces the pair of letters before out that looks like one, and returns where the text ends then.
func joined(b []byte, out int) int {
	if out < 2 {
		return out
	}
	switch last := b[out-1]; {
	case last == 'n' && b[out-2] == 'r':
		b[out-2] = 'm'
	case last == 'v' && b[out-2] == 'v':
		b[out-2] = 'w'
	default:
		return out
	}
	return out - 1
}

// plain is what an ASCII byte looks like.
var plain = func() (t [utf8.RuneSelf]byte) {
	for c := range t {
		t[c] = byte(c)
	}
	t['0'], t['1'], t['i'], t['|'] = 'o', 'l', 'l', 'l'
	return t
}()

var confused = func() map[rune]byte {
	m := make(map[rune]byte, 600)
	for _, row := range confusables {
		for _, r := range row.letters {
			m[r] = row.latin
		}
	}
	return m
}()

// near reports whether b is a with one letter replaced, left out, put in or changed with its neighbour.
func near(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 || a == b {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) < len(b) {
		return a[i:] == b[i+1:]
	}
	return a[i+1:] == b[i+1:] || i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}
