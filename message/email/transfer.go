package email

import "strings"

// base64Decoder reads base64 (RFC 2045 section 6.8) in pieces and passes over what does not belong.
type base64Decoder struct {
	acc    uint32
	n      int  // sextets in acc
	padded bool // "=" was seen
	broken bool // something that is neither alphabet, padding nor white space, or a cut group
}

// base64Values holds the sextet of each byte: 64 for white space, 65 for padding, 66 for the rest.
var base64Values = func() (t [256]byte) {
	for i := range t {
		t[i] = 66
	}
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		t[c] = byte(i)
	}
	t['-'], t['_'] = 62, 63 // RFC 4648 section 5: some programs mistake one for the other
	t[' '], t['\t'], t['\r'], t['\n'] = 64, 64, 64, 64
	t['='] = 65
	return t
}()

// append decodes s to dst. What is left of the last group is kept for the next call; flush ends it.
func (d *base64Decoder) append(dst []byte, s string) []byte {
	for i := 0; i < len(s); {
		for d.n == 0 && i+4 <= len(s) {
			a, b, c, e := base64Values[s[i]], base64Values[s[i+1]], base64Values[s[i+2]], base64Values[s[i+3]]
			if a|b|c|e > 63 {
				break
			}
			v := uint32(a)<<18 | uint32(b)<<12 | uint32(c)<<6 | uint32(e)
			dst = append(dst, byte(v>>16), byte(v>>8), byte(v))
			i += 4
		}
		if i >= len(s) {
			break
		}
		switch v := base64Values[s[i]]; v {
		case 64:
		case 65:
			dst = d.flush(dst)
			d.padded = true
		case 66:
			d.broken = true
		default:
			d.acc = d.acc<<6 | uint32(v)
			if d.n++; d.n == 4 {
				dst = append(dst, byte(d.acc>>16), byte(d.acc>>8), byte(d.acc))
				d.acc, d.n = 0, 0
			}
		}
		i++
	}
	return dst
}

// flush writes the last, short group. One that was not padded is broken, but read.
func (d *base64Decoder) flush(dst []byte) []byte {
	switch d.n {
	case 1:
		d.broken = true
	case 2:
		dst = append(dst, byte(d.acc>>4))
	case 3:
		dst = append(dst, byte(d.acc>>10), byte(d.acc>>2))
	}
	d.acc, d.n = 0, 0
	return dst
}

// appendQuoted decodes quoted-printable (RFC 2045 section 6.7) and ends lines in LF. broken reports an escape that is
// none.
func appendQuoted(dst []byte, s string) (_ []byte, broken bool) {
	for s != "" {
		i := strings.IndexByte(s, '=')
		if i < 0 {
			return append(dst, s...), broken
		}
		dst = append(dst, s[:i]...)
		s = s[i+1:]
		if len(s) >= 2 {
			if hi, lo := unhex(s[0]), unhex(s[1]); hi < 16 && lo < 16 {
				dst = append(dst, hi<<4|lo)
				s = s[2:]
				continue
			}
		}
		n := 0
		for n < len(s) && (s[n] == ' ' || s[n] == '\t' || s[n] == '\r') {
			n++
		}
		if n == len(s) || s[n] == '\n' { // a soft line end
			s = s[min(n+1, len(s)):]
			continue
		}
		broken = true
		dst = append(dst, '=')
	}
	return dst, broken
}

func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 16
}
