package sip

import "strings"

// Kind is a field that Rempart reads; all others are Other.
type Kind uint8

// Kinds of fields.
const (
	Other Kind = iota
	ViaField
	From
	To
	CallID
	CSeq
	MaxForwards
	Route
	RecordRoute
	Contact
	ContentLength
	ContentType
	ContentEncoding
	ContentTransferEncoding
	Date
	Subject
	Require
	ProxyRequire
	UserAgent
	AssertedIdentity
	Identity
	Diversion
	HistoryInfo
	kindCount
)

// kinds names them, with the compact form where there is one (RFC 3261 section 7.3.3, RFC 8224 section 9).
var kinds = [kindCount]struct{ name, compact string }{
	ViaField: {"Via", "v"}, From: {"From", "f"}, To: {"To", "t"}, CallID: {"Call-ID", "i"}, CSeq: {"CSeq", ""},
	MaxForwards: {"Max-Forwards", ""}, Route: {"Route", ""}, RecordRoute: {"Record-Route", ""}, Contact: {"Contact", "m"},
	ContentLength: {"Content-Length", "l"}, ContentType: {"Content-Type", "c"}, ContentEncoding: {"Content-Encoding", "e"},
	ContentTransferEncoding: {"Content-Transfer-Encoding", ""}, Date: {"Date", ""}, Subject: {"Subject", "s"},
	Require: {"Require", ""}, ProxyRequire: {"Proxy-Require", ""}, UserAgent: {"User-Agent", ""},
	AssertedIdentity: {"P-Asserted-Identity", ""}, Identity: {"Identity", "y"}, Diversion: {"Diversion", ""},
	HistoryInfo: {"History-Info", ""},
}

func (k Kind) String() string { return kinds[k].name }

// byLength finds kinds by the length of their name.
var byLength = func() (index [32][]Kind) {
	for k := ViaField; k < kindCount; k++ {
		index[len(kinds[k].name)] = append(index[len(kinds[k].name)], k)
		if len(kinds[k].compact) == 1 {
			index[1] = append(index[1], k)
		}
	}
	return index
}()

func kindOf(name string) Kind {
	if len(name) >= len(byLength) {
		return Other
	}
	for _, k := range byLength[len(name)] {
		if len(name) == 1 && kinds[k].compact[0] == name[0]|0x20 || len(name) > 1 && strings.EqualFold(kinds[k].name, name) {
			return k
		}
	}
	return Other
}

// cutComma returns what stands before the first comma outside of quotes and angle brackets, and what stands after it.
func cutComma(v string) (one, rest string) {
	quoted, angle := false, false
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
		case quoted && c == '\\':
			i++
		case c == '"' && !angle:
			quoted = !quoted
		case quoted:
		case c == '<':
			angle = true
		case c == '>':
			angle = false
		case c == ',' && !angle:
			return strings.Trim(v[:i], lws), v[i+1:]
		}
	}
	return strings.Trim(v, lws), ""
}

// Param finds a parameter in ";name=value;flag" (section 7.3.1), its value without quotes.
func Param(params, name string) (value string, found bool) {
	for params != "" {
		var one string
		one, params = cutSemicolon(params)
		n, v, _ := strings.Cut(one, "=")
		if strings.EqualFold(strings.Trim(n, lws), name) {
			v = strings.Trim(v, lws)
			if len(v) > 1 && v[0] == '"' {
				if q, _, ok := unquote(v); ok {
					v = q
				}
			} else if len(v) > 1 && v[0] == '<' {
				v = strings.TrimSuffix(v[1:], ">")
			}
			return v, true
		}
	}
	return "", false
}

func cutSemicolon(v string) (one, rest string) {
	quoted := false
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case c == ';' && !quoted:
			return v[:i], v[i+1:]
		}
	}
	return v, ""
}

// unquote reads the quoted string at the start of v; rest is what follows it.
func unquote(v string) (text, rest string, ok bool) {
	escaped := false
	for i := 1; i < len(v); i++ {
		switch v[i] {
		case '\\':
			escaped = true
			i++
		case '"':
			if text = v[1:i]; escaped {
				text = unescapeQuoted(text)
			}
			return text, v[i+1:], true
		}
	}
	return "", "", false
}

func unescapeQuoted(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
