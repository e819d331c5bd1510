package content

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Fold appends s as a reader would spell it aloud: small letters, compatibility forms as their plain ones (NFKC, UAX
// 15), letters that look like Latin ones as these (after the idea of UTS 39), combining marks and what has no width left
// out. "V1agra" stays: digits for letters are a matter of words. ASCII costs a byte's look each and nothing is
// allocated if dst has room.
func Fold(dst []byte, s string) []byte {
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			dst = append(dst, c)
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n <= 1 {
			dst = utf8.AppendRune(dst, r)
			i++
			continue
		}
		i += n
		dst = appendFolded(dst, r)
	}
	return dst
}

func appendFolded(dst []byte, r rune) []byte {
	if r >= 0x2e80 && r < 0xa000 || r >= 0xac00 && r < 0xd7b0 { // ideographs, kana, Hangul: nothing to fold
		return utf8.AppendRune(dst, r)
	}
	if ZeroWidth(r) || combining(r) {
		return dst
	}
	if to, ok := folded[r]; ok {
		return append(dst, to...)
	}
	return utf8.AppendRune(dst, unicode.ToLower(r))
}

// ZeroWidth reports characters that take no room: joiners, marks of direction, soft hyphens, variation selectors, tags
// and fillers (Default_Ignorable_Code_Point of UAX 44).
func ZeroWidth(r rune) bool {
	switch {
	case r < 0xad:
		return false
	case r == 0xad, r == 0x34f, r == 0x61c, r == 0x115f, r == 0x1160, r == 0x17b4, r == 0x17b5, r == 0x3164, r == 0xfeff, r == 0xffa0:
		return true
	case 0x180b <= r && r <= 0x180e, 0x200b <= r && r <= 0x200f, 0x202a <= r && r <= 0x202e, 0x2060 <= r && r <= 0x206f,
		0xfe00 <= r && r <= 0xfe0f, 0xe0000 <= r && r <= 0xe0fff:
		return true
	}
	return false
}

// combining reports the marks that stand on letters of the scripts that fold to Latin.
func combining(r rune) bool {
	return 0x300 <= r && r <= 0x36f || 0x1ab0 <= r && r <= 0x1aff || 0x1dc0 <= r && r <= 0x1dff || 0x20d0 <= r && r <= 0x20ff
}

// lookalikes are letters that most typefaces draw like the Latin letter before them, small and capital ones; our own
// list of Cyrillic, Greek, Armenian, Cherokee, Coptic, Lisu and phonetic letters.
var lookalikes = [...]struct {
	latin  string
	letter string
}{
	{"a", "аɑαΑАᎪꓮⲀᗅ"}, {"b", "ЬВΒᏏᏴꓐⲂƄ"}, {"c", "сСϲϹᏟꓚⲤⲥ"}, {"d", "ԁᎠꓓᗞⅾ"}, {"e", "еЕΕᎬꓰҽ"},
	{"f", "ꓝϜҒſ"}, {"g", "ɡԍԌᏀꓖց"}, {"h", "һНΗᎻꓧⲎհ"}, {"i", "іІΙɩιᎥӀꓲⲒıɪ"}, {"j", "јЈᎫꓙϳ"},
	{"k", "кКΚκᏦꓗⲔ"}, {"l", "ⅼᏞꓡⳐӏ"}, {"m", "МΜᎷꓟⲘм"}, {"n", "ΝꓠⲚոп"}, {"o", "оОοΟօՕꓳⲞⲟσ"},
	{"p", "рРρΡᏢꓑⲢⲣ"}, {"q", "ԛԚզ"}, {"r", "ᎡᏒꓣг"}, {"s", "ѕЅՏᏚꓢ"}, {"t", "ТΤτтᎢꓔⲦ"},
	{"u", "υսՍꓴц"}, {"v", "νѵѴᏙꓦ"}, {"w", "ѡԝԜᎳꓪ"}, {"x", "хХΧχꓫⲬ"}, {"y", "уУΥүҮγꓬⲨ"}, {"z", "ΖᏃꓜⲌ"},
}

// folded are the runes that become others, beyond small letters.
var folded = func() map[rune]string {
	m := make(map[rune]string, 4096)
	for _, block := range [...][2]rune{
		{0xa0, 0xff}, {0x2b0, 0x2b8}, {0x1d2c, 0x1d6a}, {0x2000, 0x200a}, {0x2070, 0x209c}, {0x2100, 0x218b},
		{0x2460, 0x24ff}, {0xfb00, 0xfb06}, {0xfb50, 0xfdff}, {0xfe30, 0xfefc}, {0xff01, 0xffee}, {0x1d400, 0x1d7ff},
		{0x1f100, 0x1f189},
	} {
		for r := block[0]; r <= block[1]; r++ {
			if to := norm.NFKC.String(string(r)); to != string(r) {
				m[r] = strings.ToLower(to)
			}
		}
	}
	for _, first := range [...]rune{0x1f130, 0x1f150, 0x1f170} { // squared and circled capitals, some left alone by NFKC
		for i := range rune(26) {
			m[first+i] = string('a' + i)
		}
	}
	for i, r := range []rune("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡxʏᴢ") { // small capitals
		m[r] = string(rune('a' + i))
	}
	for _, l := range lookalikes {
		for _, r := range l.letter {
			m[r] = l.latin
		}
	}
	for _, r := range "‐‑‒–—―−" {
		m[r] = "-"
	}
	for _, r := range "‘’‚‛′" {
		m[r] = "'"
	}
	for _, r := range "“”„‟″" {
		m[r] = `"`
	}
	return m
}()
