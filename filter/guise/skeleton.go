package guise

import (
	"unicode/utf8"

	"rempart/filter/content"
)

// appendSkeleton appends the skeleton of s: two texts that a reader may take for each other have the same one (after UTS 39
// section 4, for Latin readers: case, accents of compatibility forms and look-alike letters of other alphabets are one, and so
// are 0 and o, rn and m, vv and w, and 1, l and i). It is for comparing only.
func appendSkeleton(dst []byte, s string) []byte {
	start := len(dst)
	dst = content.Fold(dst, s)
	out := start
	for i := start; i < len(dst); {
		c := dst[i]
		if c < utf8.RuneSelf {
			dst[out] = plain[c]
			out, i = out+1, i+1
			out = joined(dst, start, out)
			continue
		}
		r, n := utf8.DecodeRune(dst[i:])
		if to, ok := confused[r]; ok {
			dst[out] = plain[to]
			out = joined(dst, start, out+1)
		} else {
			out += copy(dst[out:], dst[i:i+n])
		}
		i += n
	}
	return dst[:out]
}

// joined replaces the pair of letters before out that looks like one, and returns where the text ends then.
func joined(b []byte, start, out int) int {
	if out-start < 2 {
		return out
	}
	switch string(b[out-2 : out]) {
	case "rn":
		b[out-2] = 'm'
	case "vv":
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
