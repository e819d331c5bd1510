package sip

import (
	"strings"

	"rempart/message"
)

// Address is the value of From, To, Contact and their like: a display name, a URI and parameters (section 20.10).
type Address struct {
	Name   string
	URI    string // as written, without brackets
	Params string // after the address, without the first semicolon

	loose bool // white space or commas where none may be
}

// ReadAddress reads a name-addr or addr-spec.
func ReadAddress(v string) (a Address, ok bool) {
	rest := strings.Trim(v, lws)
	if rest != "" && rest[0] == '"' {
		if a.Name, rest, ok = unquote(rest); !ok {
			return a, false
		}
		if rest = strings.TrimLeft(rest, lws); rest == "" || rest[0] != '<' {
			return a, false
		}
	}
	open := strings.IndexByte(rest, '<')
	if open < 0 {
		a.URI, a.Params, _ = strings.Cut(rest, ";")
		a.URI = strings.TrimRight(a.URI, lws)
	} else {
		if name := strings.TrimRight(rest[:open], lws); name != "" {
			a.Name, a.loose = name, strings.Contains(name, ",")
		}
		uri, after, closed := strings.Cut(rest[open+1:], ">")
		if !closed {
			return a, false
		}
		a.URI = strings.Trim(uri, lws)
		a.loose = a.loose || len(a.URI) != len(uri)
		_, a.Params, _ = strings.Cut(after, ";")
	}
	a.Name = strings.ToValidUTF8(a.Name, "\ufffd")
	return a, a.URI != "" && !strings.ContainsAny(a.URI, "<>\" ")
}

// Tag is the tag parameter (section 19.3).
func (a Address) Tag() string {
	tag, _ := Param(a.Params, "tag")
	return tag
}

// URI is a sip, sips or tel URI taken apart (section 19.1, RFC 3966). Of others only the scheme is read.
type URI struct {
	Scheme  string // lower case
	User    string // as written, with its own parameters, without password; of tel the number
	Host    string // lower case; an IPv6 address with its brackets; of tel empty
	Port    string
	Params  string
	Headers bool // it carries fields, which a Request-URI may not
}

func (u URI) known() bool { return u.Scheme == "sip" || u.Scheme == "sips" || u.Scheme == "tel" }

// ReadURI reads a URI; ok is false if it is none of the three schemes or cannot be read.
func ReadURI(s string) (u URI, ok bool) {
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok || scheme == "" || strings.ContainsAny(scheme, "<@; \t") {
		return u, false
	}
	u.Scheme = lower(scheme)
	switch {
	case !u.known():
		return u, false
	case u.Scheme == "tel":
		u.User, u.Params, _ = strings.Cut(rest, ";")
		return u, u.User != ""
	}
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		u.User, _, _ = strings.Cut(rest[:at], ":")
		rest = rest[at+1:]
		if u.User == "" {
			return u, false
		}
	}
	return u, u.readHost(rest)
}

func (u *URI) readHost(rest string) bool {
	end := strings.IndexAny(rest, ":;?")
	if strings.HasPrefix(rest, "[") {
		end = strings.IndexByte(rest, ']') + 1
	} else if end < 0 {
		end = len(rest)
	}
	u.Host, rest = lower(rest[:end]), rest[end:]
	if strings.HasPrefix(rest, ":") {
		end = strings.IndexAny(rest, ";?")
		if end < 0 {
			end = len(rest)
		}
		u.Port, rest = rest[1:end], rest[end:]
		if !digits(u.Port) {
			return false
		}
	}
	if strings.HasPrefix(rest, ";") {
		end = strings.IndexByte(rest, '?')
		if end < 0 {
			end = len(rest)
		}
		u.Params, rest = rest[1:end], rest[end:]
	}
	if u.Headers = strings.HasPrefix(rest, "?"); !u.Headers && rest != "" {
		return false
	}
	return hostName(u.Host)
}

func hostName(s string) bool {
	if s == "" {
		return false
	}
	if s[0] == '[' {
		return len(s) > 2 && strings.IndexFunc(s[1:len(s)-1], func(r rune) bool { return !strings.ContainsRune("0123456789abcdef:.", r) }) < 0
	}
	for i := range len(s) {
		c := s[i]
		if ('a' > c|0x20 || c|0x20 > 'z') && ('0' > c || c > '9') && c != '.' && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != "" && len(s) <= 5
}

// maxNumber bounds an address as a message keeps it; E.164 has 15 digits, a mailbox of mail 320 characters.
const maxNumber = 320

// Number is who a URI names: a telephone number as it stands, its visual separators (RFC 3966 section 5.1.1) and
// parameters taken off, or else user@host. It is no view of the URI.
func (u URI) Number() string {
	user, _, _ := strings.Cut(u.User, ";") // RFC 4694: ;npdi, ;rn=
	if strings.IndexByte(user, '%') >= 0 {
		user = unescape(user)
	}
	user = user[:min(len(user), maxNumber)]
	if n := telephone(user); n != "" {
		return n
	}
	user = strings.ToValidUTF8(user, "\ufffd")
	switch host := u.Host[:min(len(u.Host), maxNumber)]; {
	case user == "":
		return strings.Clone(host)
	case host == "":
		return strings.Clone(user)
	default:
		return user + "@" + host
	}
}

// telephone returns s without visual separators if it is a number, else "".
func telephone(s string) string {
	plain, found := true, false
	for i := range len(s) {
		switch c := s[i]; {
		case '0' <= c && c <= '9':
			found = true
		case c == '*' || c == '#' || c == '+' && i == 0:
		case c == '-' || c == '.' || c == '(' || c == ')' || c == ' ':
			plain = false
		default:
			return ""
		}
	}
	switch {
	case !found:
		return ""
	case plain:
		return strings.Clone(s)
	}
	b := make([]byte, 0, len(s))
	for i := range len(s) {
		if strings.IndexByte("-.() ", s[i]) < 0 {
			b = append(b, s[i])
		}
	}
	return string(b)
}

// Party is who a From or To names, as a message keeps it.
func (a Address) Party() (id string, addr message.Address) {
	u, ok := ReadURI(a.URI)
	if !ok {
		u = URI{User: a.URI}
	}
	id = u.Number()
	addr = message.Address{Name: clipName(a.Name), Local: id, Domain: strings.Clone(u.Host[:min(len(u.Host), maxNumber)])}
	if at := strings.LastIndexByte(id, '@'); at >= 0 && u.Host != "" {
		addr.Local = id[:at]
	}
	return id, addr
}

// maxName bounds a display name; phones show thirty characters.
const maxName = 256

func clipName(s string) string {
	if len(s) > maxName {
		s = strings.ToValidUTF8(s[:maxName], "\ufffd")
	}
	return strings.Clone(s)
}

func unescape(s string) string {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if hi, lo := unhex(s[i+1]), unhex(s[i+2]); hi < 16 && lo < 16 {
				b = append(b, hi<<4|lo)
				i += 2
				continue
			}
		}
		b = append(b, s[i])
	}
	return string(b)
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

// lower is strings.ToLower that leaves a string in lower case where it is.
func lower(s string) string {
	for i := range len(s) {
		if c := s[i]; 'A' <= c && c <= 'Z' {
			return strings.ToLower(s)
		}
	}
	return s
}
