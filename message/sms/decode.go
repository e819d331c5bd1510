package sms

import (
	"slices"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"

	"golang.org/x/text/encoding/charmap"
)

// appendGSM decodes unpacked septets, one a byte. high reports bytes beyond 0x7f, which are read as Latin-1: who sends
// those means that.
func appendGSM(dst, b []byte, base, extension *table) (_ []byte, high bool) {
	for i := 0; i < len(b); i++ {
		c := b[i]
		switch {
		case c >= 0x80:
			high = true
			dst = utf8.AppendRune(dst, rune(c))
		case c == escape:
			if i+1 >= len(b) { // TS 23.038 section 6.2.1.1, note 1: shown as a space
				return append(dst, ' '), high
			}
			i++
			r := rune(0)
			if b[i] < 0x80 {
				if r = extension[b[i]]; r == 0 && b[i] != escape {
					r = base[b[i]] // an unknown one is shown as in the default table
				}
			}
			if r == 0 {
				r = ' '
			}
			dst = utf8.AppendRune(dst, r)
		default:
			if base == defaultTable && sameAsASCII[c] {
				dst = append(dst, c)
				continue
			}
			dst = utf8.AppendRune(dst, base[c])
		}
	}
	return dst, high
}

// gsmText is appendGSM into a string of its own.
func gsmText(b []byte, base, extension *table) (text string, high bool) {
	n := 0
	if base == defaultTable {
		for n < len(b) && sameAsASCII[b[n]] {
			n++
		}
		if n == len(b) {
			return string(b), false
		}
	}
	dst := append(make([]byte, 0, len(b)+len(b)/4+8), b[:n]...)
	dst, high = appendGSM(dst, b[n:], base, extension)
	return view(dst), high
}

// ucs2Text decodes UTF-16BE (TS 23.038 section 6.2.3 says UCS-2, handsets send surrogates). odd reports a byte left
// over, broken a surrogate without partner, fits that the default alphabet would have done.
func ucs2Text(b []byte) (text string, odd, broken, fits bool) {
	odd, fits = len(b)%2 != 0, true
	dst := make([]byte, 0, len(b)/2*3+4)
	for i := 0; i+1 < len(b); i += 2 {
		r := rune(b[i])<<8 | rune(b[i+1])
		if utf16.IsSurrogate(r) {
			pair := rune(utf8.RuneError)
			if i+3 < len(b) {
				pair = utf16.DecodeRune(r, rune(b[i+2])<<8|rune(b[i+3]))
			}
			if r = pair; r == utf8.RuneError {
				broken = true
			} else {
				i += 2
			}
		}
		if r == 0xfeff && i == 0 {
			continue // a byte order mark
		}
		if fits && septet(r) == notGSM {
			fits = false
		}
		dst = utf8.AppendRune(dst, r)
	}
	return view(dst), odd, broken, fits && len(dst) > 0
}

// charmapText decodes one of the 8-bit charsets.
func charmapText(b []byte, cm *charmap.Charmap) string {
	dst := make([]byte, 0, len(b)+len(b)/2)
	for _, c := range b {
		dst = utf8.AppendRune(dst, cm.DecodeByte(c))
	}
	return view(dst)
}

// latin1Text decodes ISO 8859-1.
func latin1Text(b []byte) string {
	for i, c := range b {
		if c >= 0x80 {
			dst := append(make([]byte, 0, len(b)+len(b)/4+8), b[:i]...)
			for _, c := range b[i:] {
				dst = utf8.AppendRune(dst, rune(c))
			}
			return view(dst)
		}
	}
	return string(b)
}

// minRun: shorter runs of letters in binary data are chance.
const minRun = 4

// printable is the text in binary data: all of it if it is UTF-8, else the readable runs, one a line. The text and the
// address of a WAP push stand in it as they are.
func printable(b []byte) string {
	if utf8.Valid(b) && !slices.ContainsFunc(b, func(c byte) bool { return c < ' ' && c != '\n' && c != '\r' && c != '\t' }) {
		return string(b)
	}
	var dst []byte
	for i := 0; i < len(b); {
		n := i
		for n < len(b) && b[n] >= ' ' && b[n] < 0x7f {
			n++
		}
		if n-i >= minRun {
			if len(dst) > 0 {
				dst = append(dst, '\n')
			}
			dst = append(dst, b[i:n]...)
		}
		i = n + 1
	}
	return view(dst)
}

// Unpack spreads packed septets (TS 23.038 section 6.1.2.1), one a byte, appended to dst. fill bits are left out at the
// start: those that bring the text after a user data header to a septet boundary. At most septets are read; a negative
// number means as many as there are.
func Unpack(dst, packed []byte, septets, fill int) []byte {
	have := (len(packed)*8 - fill) / 7
	if septets < 0 || septets > have {
		septets = max(have, 0)
	}
	for i := range septets {
		bit := fill + 7*i
		v := uint16(packed[bit/8]) >> (bit % 8)
		if bit%8 > 1 && bit/8+1 < len(packed) {
			v |= uint16(packed[bit/8+1]) << (8 - bit%8)
		}
		dst = append(dst, byte(v&0x7f))
	}
	return dst
}

// Pack is the reverse of [Unpack]; the bits before and after are zero.
func Pack(dst, septets []byte, fill int) []byte {
	start := len(dst)
	dst = append(dst, make([]byte, (fill+7*len(septets)+7)/8)...)
	for i, s := range septets {
		bit := fill + 7*i
		v := uint16(s&0x7f) << (bit % 8)
		dst[start+bit/8] |= byte(v)
		if v > 0xff {
			dst[start+bit/8+1] |= byte(v >> 8)
		}
	}
	return dst
}

// view is b as a string without a copy; b is our own and not written again.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
