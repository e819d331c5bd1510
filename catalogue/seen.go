package catalogue

import (
	"strconv"
	"strings"
)

// maxSeen is more than any address or name needs.
const maxSeen = 300

// Seen is a value of a message as it may be shown: whole lines, no control character and no mark that turns the direction
// of writing, which would make the reader see another thing than was sent.
func Seen(s string) string {
	if plain(s) {
		return s
	}
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n++; n > maxSeen {
			b.WriteRune('…')
			break
		}
		switch {
		case r < 0x20, r >= 0x7f && r < 0xa0, r >= 0x200b && r <= 0x200f, r >= 0x202a && r <= 0x202e,
			r >= 0x2060 && r <= 0x206f, r == 0xfeff, r == 0x061c, r == 0x2028, r == 0x2029, r == 0x00ad:
			b.WriteString("‹U+" + strings.ToUpper(strconv.FormatInt(int64(r)+0x10000, 16)[1:]) + "›")
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// plain reports whether s is shown as it is: most are.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] >= 0x7f {
			return false
		}
	}
	return len(s) <= maxSeen
}
