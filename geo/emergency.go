package geo

// Emergency says whether s, as dialled, is an emergency number: one of the home country, 112 or 911; without a home country
// one of any country, since a call for help is not to be lost for want of a setting. Digits may be separated. With a plus
// it is none: networks do not connect +112.
func (p *Places) Emergency(s string) bool {
	var buf [maxDigits]byte
	digits, plus, ok := dialled(buf[:0], s)
	if !ok || plus {
		return false
	}
	if p.home == nil {
		return label(walk(anyEmergency, digits)) == 1
	}
	return is(digits, 1, 1, 2) || is(digits, 9, 1, 1) || label(walk(p.home.emergency, digits)) == 1
}

func is(digits []byte, a, b, c byte) bool {
	return len(digits) == 3 && digits[0] == a && digits[1] == b && digits[2] == c
}
