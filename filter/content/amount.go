package content

import (
	"strings"
	"unicode/utf8"

	"rempart/message"
)

// MoneyAmounts speaks a little against sums of money in the text: a currency sign, or its code of ISO 4217 for the ten
// most used, beside a number. Value: log2 of their number, 1 to 4. Arguments: number, the first.
func MoneyAmounts(m *message.Message) message.Result {
	n, first := 0, ""
	for _, s := range texts(m) {
		for i := 0; i < len(s); {
			if !currencyByte[s[i]] {
				i++
				continue
			}
			start, size := currency(s, i)
			if size == 0 {
				i++
				continue
			}
			end, ok := beside(s, start, start+size)
			if ok {
				if n++; n == 1 {
					first = strings.TrimSpace(s[start:end])
				}
			}
			i = max(end, start+size)
		}
	}
	if n == 0 {
		return message.Absent
	}
	return message.Present(count(n), n, quote(first))
}

// currencyByte are the first bytes of signs and codes.
var currencyByte = [256]bool{'$': true, 0xc2: true, 0xe2: true, 'U': true, 'E': true, 'G': true, 'J': true, 'C': true, 'I': true,
	'A': true, 'R': true}

// currency reports the sign or code at i.
func currency(s string, i int) (start, size int) {
	switch c := s[i]; {
	case c == '$':
		return i, 1
	case c == 0xc2 && i+1 < len(s) && (s[i+1] == 0xa3 || s[i+1] == 0xa5): // £ ¥
		return i, 2
	case c == 0xe2 && i+2 < len(s) && s[i+1] == 0x82 && s[i+2] >= 0xa0: // ₠ to ₿
		return i, 3
	case 'A' <= c && c <= 'Z' && i+3 <= len(s) && (i == 0 || !wordByte(s[i-1])) && (i+3 == len(s) || !asciiLetter(s[i+3])):
		switch s[i : i+3] {
		case "USD", "EUR", "GBP", "JPY", "CNY", "INR", "AUD", "CAD", "CHF", "RUB":
			return i, 3
		}
	}
	return i, 0
}

// beside finds the number after a currency, or the one just before it.
func beside(s string, start, end int) (int, bool) {
	i := end
	for i < len(s) && s[i] == ' ' && i-end < 2 {
		i++
	}
	n := i
	for n < len(s) && (s[n] >= '0' && s[n] <= '9' || n > i && (s[n] == '.' || s[n] == ',')) {
		n++
	}
	if n > i {
		return n, true
	}
	j := start
	for j > 0 && s[j-1] == ' ' && start-j < 2 {
		j--
	}
	return end, j > 0 && s[j-1] >= '0' && s[j-1] <= '9'
}

// Telephone numbers have 9 to 15 digits (ITU-T E.164 section 6.2.1 gives the upper bound).
const minDigits, maxDigits = 9, 15

// PhoneNumbers speaks a little against telephone numbers in the text to call or write to. Value: log2 of their number,
// 1 to 4. Arguments: number, the first.
func PhoneNumbers(m *message.Message) message.Result {
	n, first := 0, ""
	body := m.VisibleText()
	for s := body[:min(len(body), maxScan)]; s != ""; {
		i := strings.IndexAny(s, "0123456789+")
		if i < 0 {
			break
		}
		end, digits, groups := numberRun(s, i)
		joined := i > 0 && (asciiLetter(s[i-1]) || s[i-1] >= utf8.RuneSelf || strings.IndexByte("/.=_-%#&:$", s[i-1]) >= 0)
		if !joined && digits >= minDigits && digits <= maxDigits && (s[i] == '+' || s[i] == '0' || groups > 1) && !dateLike(s[i:end]) &&
			(end == len(s) || !asciiLetter(s[end])) {
			if n++; n == 1 {
				first = s[i:end]
			}
		}
		s = s[end:]
	}
	if n == 0 {
		return message.Absent
	}
	return message.Present(count(n), n, quote(first))
}

// numberRun is the run of digits at i, single separators inside allowed.
func numberRun(s string, i int) (end, digits, groups int) {
	open := false
	for end = i; end < len(s); end++ {
		c := s[end]
		switch {
		case '0' <= c && c <= '9':
			digits++
			if !open {
				groups++
			}
			open = true
		case c == '+' && end == i:
		case (c == ' ' || c == '-' || c == '.' || c == '(' || c == ')') && end+1 < len(s) && (s[end+1] >= '0' && s[end+1] <= '9' || s[end+1] == '(' || s[end+1] == ' ' && c == ')'):
			open = false
		default:
			return max(end, i+1), digits, groups
		}
	}
	return end, digits, groups
}

// dateLike reports dates with a time ("2026-11-23 10 30", "23.11.2026 10") and addresses of four numbers.
func dateLike(s string) bool {
	if len(s) < 10 {
		return false
	}
	return (s[:2] == "20" || s[:2] == "19") && (s[4] == '-' || s[4] == '.') || s[2] == '.' && s[5] == '.' || strings.Count(s, ".") == 3 && !strings.ContainsAny(s, " +-(")
}
