package geo

import (
	"cmp"
	"slices"
	"strconv"
	"unicode/utf8"

	"rempart/message"
)

const (
	// maxDigits is the longest run of digits that is read as a number: prefixes and all. ITU-T E.164 allows 15 digits after
	// the prefixes, of which the longest has 12.
	maxDigits = 32

	// maxNational is the longest national number, minNational the shortest.
	maxNational, minNational = 17, 2

	// maxNumberText is the longest text that is read as a number: separators take their room.
	maxNumberText = 128

	// shortCode is the longest run of digits that is rather a short code (112, 7726, 11833) than a national number in a range
	// that is not assigned.
	shortCode = 6
)

// Number reads a telephone number as the numbering plan does: "+49 30 901820", "0049 30 901820", or as a subscriber of the
// home country dials it. Without a home country only numbers with + or 00 can be read. Digits may be separated by blanks,
// hyphens, dots, slashes and brackets; the digits of Arabic and of full width count as digits. Prefixes that people write
// where they do not belong, as in +44 (0)20, are taken off.
//
// The answer is that of libphonenumber (Parse, IsValidNumber, GetRegionCodeForNumber, GetNumberType), with the user's own
// ranges laid over it. E164 is empty for what is no number: names, short codes, calling codes that do not exist.
func (p *Places) Number(s string) message.Number {
	var buf [maxDigits]byte
	digits, plus, ok := dialled(buf[:0], s)
	if !ok {
		return message.Number{}
	}
	var bufs [2]editBuffer
	c, national := p.parse(digits, plus, &bufs)
	var text [1 + 3 + maxNational]byte
	number := append(text[:0], '+')
	var n message.Number
	switch {
	case c != nil:
		n = c.number(national)
		number = appendDigits(strconv.AppendUint(number, uint64(c.code), 10), national)
	case plus && len(digits) <= maxNational: // perhaps the user's plan has the calling code
		number = appendDigits(number, digits)
	default:
		return n
	}
	own, found := p.own.find(number)
	switch {
	case found:
		n = message.Number{Country: own.country, Line: own.line, Valid: own.line != message.LineUnknown}
	case c == nil, !n.Valid && !plus && len(digits) <= shortCode:
		return message.Number{}
	}
	n.E164 = string(number)
	return n
}

// dialled appends the digits of s, 0 to 9 each. ok is false if s is anything but digits, separators and at most one leading
// plus.
func dialled(buf []byte, s string) (digits []byte, plus, ok bool) {
	if len(s) > maxNumberText {
		return nil, false, false
	}
	for len(s) > 0 {
		r, size := rune(s[0]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(s)
		}
		s = s[size:]
		switch d := digit(r); {
		case d >= 0:
			if len(buf) == maxDigits {
				return nil, false, false
			}
			buf = append(buf, byte(d))
		case r == '+' || r == 0xFF0B:
			if plus || len(buf) > 0 {
				return nil, false, false
			}
			plus = true
		case !separator(r):
			return nil, false, false
		}
	}
	return buf, plus, len(buf) > 0
}

// digit is the value of a decimal digit of ASCII, Arabic, Persian or full width; -1 for others.
func digit(r rune) int {
	for _, zero := range [...]rune{'0', 0x0660, 0x06F0, 0xFF10} {
		if r >= zero && r <= zero+9 {
			return int(r - zero)
		}
	}
	return -1
}

// separator says whether r may stand between digits: blanks, hyphens and brackets of several scripts, and the invisible
// marks that set the direction of text.
func separator(r rune) bool {
	switch r {
	case ' ', '-', '.', '/', '(', ')', '[', ']', '~', 0xA0, 0x200B, 0x200E, 0x200F, 0x2060, 0x2212, 0x3000, 0x30FC, 0xFF08, 0xFF09,
		0xFF0D, 0xFF0E, 0xFF0F:
		return true
	}
	return r >= 0x2010 && r <= 0x2015 || r >= 0x202A && r <= 0x202F || r >= 0x2066 && r <= 0x2069
}

// parse finds the plan and the national number. c is nil if there is none.
func (p *Places) parse(digits []byte, plus bool, bufs *[2]editBuffer) (c *calling, national []byte) {
	c, national, ok := p.split(digits, plus, &bufs[0])
	if !ok && plus && p.home != nil { // a plus before what is dialled from home to abroad
		c, national, ok = p.split(digits, false, &bufs[0])
		ok = ok && c != nil
	}
	if !ok || c == nil && p.home == nil {
		return nil, nil
	}
	r := p.home
	if c == nil {
		c, national = callingOf(r.calling), digits
	} else {
		r = &regions[c.main]
	}
	if len(national) < minNational {
		return nil, nil
	}
	// What is left without the prefix has to be of a length that numbers have, or the prefix was none.
	stripped := r.strip(national, &bufs[1])
	if n := len(stripped); r.local>>n&1 == 0 && (r.possible>>n&1 == 1 || r.tooLong(n)) {
		national = stripped
	}
	if len(national) < minNational || len(national) > maxNational {
		return nil, nil
	}
	return c, national
}

// split takes + or the international prefix, and the calling code behind it, off the digits. c is nil if there is none:
// then it is a national number. It is not ok if a prefix is followed by no calling code.
func (p *Places) split(digits []byte, plus bool, buf *editBuffer) (c *calling, national []byte, ok bool) {
	rest := digits
	switch {
	case plus:
	case p.home != nil:
		cut := edits[label(walk(p.home.international, digits))].cut
		if rest = digits[cut:]; cut == 0 || len(rest) > 0 && rest[0] == 0 { // no calling code begins with 0
			c, national = p.home.withoutPlus(digits, buf)
			return c, national, true
		}
	case len(digits) > 2 && digits[0] == 0 && digits[1] == 0:
		rest = digits[2:]
	default:
		return nil, nil, true
	}
	if len(rest) <= minNational {
		return nil, nil, false
	}
	state := uint16(callingCodes)
	for i := range min(len(rest), 3) {
		state = walk(state, rest[i:i+1])
		if row := label(state); row != 0 {
			return &callings[row-1], rest[i+1:], true
		}
	}
	return nil, nil, false
}

// withoutPlus recognises the calling code of the home country itself at the beginning of a number that else is none.
func (r *region) withoutPlus(digits []byte, buf *editBuffer) (c *calling, national []byte) {
	c = callingOf(r.calling)
	var prefix [3]byte
	code := strconv.AppendUint(prefix[:0], uint64(c.code), 10)
	for i, digit := range code {
		if i >= len(digits) || digits[i] != digit-'0' {
			return nil, nil
		}
	}
	national = r.strip(digits[len(code):], buf)
	if !r.accepts(digits) && r.accepts(national) || r.tooLong(len(digits)) {
		return c, national
	}
	return nil, nil
}

// strip takes the national prefix off, as far as the rest is a number if the whole was one.
func (r *region) strip(digits []byte, buf *editBuffer) []byte {
	e := &edits[label(walk(r.national, digits))]
	if *e == (edit{}) {
		return digits
	}
	stripped := e.apply(digits, buf)
	if r.accepts(digits) && !r.accepts(stripped) {
		return digits
	}
	return stripped
}

func (r *region) accepts(national []byte) bool { return label(walk(r.general, national)) == 1 }

func (r *region) tooLong(n int) bool { return r.local>>n&1 == 0 && r.possible>>n == 0 }

// number is what the plan knows of a national number.
func (c *calling) number(national []byte) message.Number {
	found := label(walk(c.plan, national))
	n := message.Number{Line: message.LineType(found & 0xF)}
	switch {
	case found != 0:
		n.Country = regions[found>>4-1].code
	case c.only:
		n.Country = regions[c.main].code
	}
	n.Valid = n.Line != message.LineUnknown
	return n
}

func appendDigits(b, digits []byte) []byte {
	for _, d := range digits {
		b = append(b, '0'+d)
	}
	return b
}

// callingOf is the row of a calling code that exists.
func callingOf(code uint16) *calling {
	i, _ := slices.BinarySearchFunc(callings[:], code, func(c calling, code uint16) int { return cmp.Compare(c.code, code) })
	return &callings[i]
}
