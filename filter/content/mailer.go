package content

import (
	"strings"

	"rempart/message"
)

// mailers are programs that people write mail with, by what X-Mailer or User-Agent begins with or holds, and the shapes of their
// Message-IDs and boundaries as they have been for years. An id that fits no shape was not written by the program.
var mailers = [...]struct {
	name     string
	ids      []func(left string) bool
	boundary string // what its boundaries begin with; empty: not known
}{
	{"Microsoft Outlook Express", ids(dollars), "----=_NextPart_"},
	{"Microsoft Windows Mail", ids(dollars), "----=_NextPart_"},
	{"Microsoft Windows Live Mail", ids(dollars), "----=_NextPart_"},
	{"Microsoft Office Outlook", ids(dollars, capitals, hexadecimal, exchange), "----=_NextPart_"},
	{"Microsoft Outlook", ids(dollars, capitals, hexadecimal, exchange), "----=_NextPart_"},
	{"Mozilla Thunderbird", ids(uuid, mozilla), "------------"},
	{"Thunderbird", ids(uuid, mozilla), "------------"},
	{"Apple Mail (", ids(uuid), "Apple-Mail"},
	{"iPhone Mail (", ids(uuid), "Apple-Mail"},
	{"iPad Mail (", ids(uuid), "Apple-Mail"},
	{"The Bat!", ids(dated, numbered), "----------"},
}

func ids(shapes ...func(string) bool) []func(string) bool { return shapes }

// MailerForged speaks against a mail that says which program wrote it (X-Mailer, User-Agent) and does not have that program's
// Message-ID. Servers that put their own id and lists that wrap the text do so with few. Value: 1, or 2 if the boundary is
// another's too. Argument: the program.
func MailerForged(m *message.Message) message.Result {
	claim := m.Header.Get("X-Mailer")
	if claim == "" {
		claim = m.Header.Get("User-Agent")
	}
	if claim == "" {
		return message.Absent
	}
	for i := range mailers {
		p := &mailers[i]
		if !strings.Contains(claim, p.name) {
			continue
		}
		if m.MessageID == "" || strings.Contains(claim, "Macintosh") { // that has its own signal; these write none
			return message.Absent
		}
		left, right, ok := strings.Cut(m.MessageID, "@")
		if right == "hotmail.com" || right == "msn.com" || right == "phx.gbl" || !ok { // their service writes its own for all programs
			return message.Absent
		}
		for _, fits := range p.ids {
			if fits(left) {
				return message.Absent
			}
		}
		value := 1.0
		if p.boundary != "" && m.Header.Count("List-Id") == 0 && otherBoundary(m, p.boundary) {
			value = 2
		}
		return message.Present(value, p.name)
	}
	return message.Absent
}

// otherBoundary reports a multipart whose boundary begins otherwise.
func otherBoundary(m *message.Message, begins string) bool {
	_, rest, ok := strings.Cut(m.Header.Get("Content-Type"), "boundary=")
	return ok && !strings.HasPrefix(strings.TrimLeft(rest, `" `), begins)
}

// Shapes of what stands before the @ of a Message-ID.

// dollars: "000b01d52900$31ca7bb0$955f7310$" of Outlook.
func dollars(s string) bool {
	first, rest, ok := strings.Cut(s, "$")
	return ok && len(first) >= 8 && strings.Contains(rest, "$") && hex(first)
}

// capitals: "NEBBJOGKOKFJKEAAMBHPAEGCCIAA.ann" of Outlook's internet mode and CDO.
func capitals(s string) bool {
	s, _, _ = strings.Cut(s, ".")
	for i := range len(s) {
		if s[i] < 'A' || s[i] > 'Z' {
			return false
		}
	}
	return len(s) >= 20
}

// exchange: "AM0PR04MB1234ABCDEF0123456789@AM0PR04MB1234.eurprd04.prod.outlook.com".
func exchange(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return len(s) >= 24
}

func hexadecimal(s string) bool { return len(s) >= 16 && hex(s) }

func hex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'f') {
			return false
		}
	}
	return s != ""
}

// uuid: 8-4-4-4-12 hexadecimal digits (RFC 9562).
func uuid(s string) bool {
	return len(s) == 36 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-' && hex(s[:8]) && hex(s[9:13]) && hex(s[24:])
}

// mozilla: "3D6B7C9A.7050401" of older ones.
func mozilla(s string) bool {
	time, rest, ok := strings.Cut(s, ".")
	return ok && len(time) == 8 && hex(time) && len(rest) >= 4 && hex(rest)
}

// dated: "20240102030405.1234-2-ann" or "1574851234.20240102030405".
func dated(s string) bool {
	for part := range strings.SplitSeq(s, ".") {
		digits := 0
		for digits < len(part) && part[digits] >= '0' && part[digits] <= '9' {
			digits++
		}
		if digits == 14 {
			return true
		}
	}
	return false
}

func numbered(s string) bool { return len(s) >= 6 && strings.Trim(s, "0123456789.") == "" }

// unnamed are what the names of new computers begin with before anybody gave them one.
var unnamed = [...]string{"localhost", "ubuntu", "debian", "centos", "vultr", "vps", "win-", "desktop-", "ip-", "server", "instance-"}

// MessageIDLocal speaks a little against a Message-ID (RFC 5322 section 3.6.4) made on a computer that nobody gave a name
// ("localhost", "win-r4bnms0kp2"): a script on a rented one. Value: 1. Argument: what stands behind the @.
func MessageIDLocal(m *message.Message) message.Result {
	_, right, ok := strings.Cut(m.MessageID, "@")
	if !ok || strings.Contains(right, ".") && !strings.HasPrefix(right, "localhost.") {
		return message.Absent
	}
	name := strings.ToLower(right[:min(len(right), 64)])
	for _, u := range unnamed {
		if strings.HasPrefix(name, u) {
			return message.Present(1, quote(right))
		}
	}
	return message.Absent
}
