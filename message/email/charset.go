package email

import (
	"encoding/base64"
	"encoding/binary"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// decode turns bytes of a declared charset into UTF-8. It believes the declaration as far as the bytes bear it out;
// markup, if not empty, is HTML that may name a charset itself.
func (p *parser) decode(s, charset, markup string) string {
	name := lowerASCII(strings.Trim(charset, " \t\"'"))
	if ascii(s) && !stateful(name) {
		return s
	}
	switch name {
	case "", "us-ascii", "ascii", "unknown-8bit", "x-unknown", "default", "none", "_autodetect", "7bit", "8bit":
		if markup != "" {
			if inside := metaCharset(markup); inside != "" && inside != name {
				return p.decode(s, inside, "")
			}
		}
		p.note(CharsetUndeclared, name)
		if validUTF8(s) {
			return s
		}
		return guess(s)
	case "utf-8", "utf8", "utf-8n", "unicode-1-1-utf-8":
		if validUTF8(s) {
			return s
		}
		if broken, sound := utf8Shape(s); broken <= 2 || sound > 10*broken {
			p.note(CharsetBroken, name)
			return strings.ToValidUTF8(s, "\ufffd")
		}
		p.note(CharsetLie, name)
		return guess(s)
	case "utf-7", "unicode-1-1-utf-7", "x-unicode-2-0-utf-7":
		p.note(UTF7, "")
		return decodeUTF7(s)
	}
	if _, sound := utf8Shape(s); sound > 0 && validUTF8(s) && !stateful(name) && (sound > 2 || !multibyte(name)) {
		p.note(CharsetLie, name)
		return s
	}
	enc := lookup(name)
	if enc == nil {
		p.note(CharsetUnknown, name)
		if validUTF8(s) {
			return s
		}
		return guess(s)
	}
	out, err := enc.NewDecoder().String(s)
	if err != nil || strings.Contains(out, "\ufffd") {
		p.note(CharsetBroken, name)
		out = strings.ToValidUTF8(out, "\ufffd")
	}
	return out
}

// lookup finds a charset by the names of WHATWG and the common wrong ones. It returns nil for an unknown one.
func lookup(name string) encoding.Encoding {
	switch name {
	case "iso-8859-1", "iso8859-1", "latin1", "windows-1252", "cp1252", "iso_8859-1", "cp-1252", "win-1252", "ansi":
		return charmap.Windows1252
	case "gb2312", "gbk", "gb18030", "cp936", "ms936", "gb_2312-80", "gb2312_charset", "x-gbk", "chinesesimplified":
		return simplifiedchinese.GB18030 // a superset of the others, which are declared for it
	case "cp932", "ms932", "windows-31j", "shift-jis", "sjis", "shift_jis":
		return japanese.ShiftJIS
	case "cp850":
		return charmap.CodePage850
	case "cp437":
		return charmap.CodePage437
	}
	if digits, ok := strings.CutPrefix(name, "cp125"); ok {
		name = "windows-125" + digits
	}
	if digits, ok := strings.CutPrefix(name, "iso8859-"); ok {
		name = "iso-8859-" + digits
	}
	enc, err := htmlindex.Get(name)
	if err != nil || enc == encoding.Replacement {
		return nil
	}
	return enc
}

// stateful charsets write other characters in ASCII bytes.
func stateful(name string) bool {
	return strings.HasPrefix(name, "iso-2022") || strings.HasPrefix(name, "utf-16") || strings.HasPrefix(name, "utf-7") ||
		strings.HasPrefix(name, "hz-") || strings.HasSuffix(name, "utf-7")
}

func multibyte(name string) bool {
	for _, prefix := range []string{"gb", "big5", "euc-", "shift", "sjis", "cp93", "ks_c", "windows-31j", "ms93", "x-gbk"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// guess reads bytes of no known charset: as GB 18030 if all of them pair up as common hanzi, else as Windows-1252,
// which gives every byte a meaning.
func guess(s string) string {
	pairs, single := 0, false
	for i := 0; i < len(s); i++ {
		if s[i] < utf8.RuneSelf {
			continue
		}
		if s[i] >= 0xb0 && s[i] <= 0xf7 && i+1 < len(s) && s[i+1] >= 0xa1 && s[i+1] != 0xff || s[i] == 0xa1 || s[i] == 0xa3 {
			pairs++
			i++
			continue
		}
		single = true
		break
	}
	enc := encoding.Encoding(charmap.Windows1252)
	if pairs > 3 && !single {
		enc = simplifiedchinese.GB18030
	}
	out, err := enc.NewDecoder().String(s)
	if err != nil {
		return strings.ToValidUTF8(s, "\ufffd")
	}
	return out
}

// utf8Shape counts the bytes that break UTF-8 and the characters beyond ASCII that keep to it.
func utf8Shape(s string) (broken, sound int) {
	for i := 0; i < len(s); {
		if s[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n <= 1 {
			broken++
		} else {
			sound++
		}
		i += n
	}
	return broken, sound
}

// metaCharset finds <meta charset=...> in the first bytes of HTML.
func metaCharset(markup string) string {
	head := lowerASCII(markup[:min(len(markup), 1024)])
	_, rest, ok := strings.Cut(head, "charset=")
	if !ok {
		return ""
	}
	rest = strings.TrimLeft(rest, ` "'`)
	if i := strings.IndexAny(rest, " \"'/>;"); i >= 0 {
		rest = rest[:i]
	}
	return rest
}

// decodeUTF7 reads RFC 2152; what is no UTF-7 stays.
func decodeUTF7(s string) string {
	var out strings.Builder
	for s != "" {
		i := strings.IndexByte(s, '+')
		if i < 0 {
			break
		}
		out.WriteString(s[:i])
		s = s[i+1:]
		n := 0
		for n < len(s) && base64Values[s[n]] < 64 && s[n] != '-' && s[n] != '_' {
			n++
		}
		if n == 0 {
			out.WriteByte('+')
		} else if b, err := base64.RawStdEncoding.DecodeString(s[:n]); err == nil {
			units := make([]uint16, len(b)/2)
			for j := range units {
				units[j] = binary.BigEndian.Uint16(b[2*j:])
			}
			out.WriteString(string(utf16.Decode(units)))
		} else {
			out.WriteString(s[:n])
		}
		s = strings.TrimPrefix(s[n:], "-")
	}
	out.WriteString(s)
	return strings.ToValidUTF8(out.String(), "\ufffd")
}

// ascii reports whether s has no byte beyond ASCII, eight at a time.
func ascii(s string) bool {
	for len(s) >= 8 {
		v := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
		if v&0x8080808080808080 != 0 {
			return false
		}
		s = s[8:]
	}
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func validUTF8(s string) bool { return utf8.ValidString(s) }

// clean makes text of decoded bytes: lines end in LF, no NUL, valid UTF-8. It returns s itself if it is that already.
func clean(s string) string {
	if strings.IndexByte(s, '\r') >= 0 || strings.IndexByte(s, 0) >= 0 {
		b := make([]byte, 0, len(s))
		for i := range len(s) {
			switch c := s[i]; {
			case c == 0 || c == '\r' && i+1 < len(s) && s[i+1] == '\n':
			case c == '\r':
				b = append(b, '\n')
			default:
				b = append(b, c)
			}
		}
		s = view(b)
	}
	if !validUTF8(s) {
		s = strings.ToValidUTF8(s, "\ufffd")
	}
	return s
}
