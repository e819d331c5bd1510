package content

import (
	"net/netip"
	"strings"
	"time"
	"unicode"

	"rempart/message"
)

// DateAhead speaks against a message whose Date field (RFC 5322 section 3.6.1) lies after its arrival: spam sorts
// itself to the top of the inbox that way. Value: days ahead, 0.6 to 3. Argument: hours. A message without a date or a
// time of arrival is Unknown.
func DateAhead(m *message.Message) message.Result {
	if m.Date.IsZero() || m.Arrived.IsZero() {
		return message.Unknown
	}
	ahead := m.Date.Sub(m.Arrived)
	if ahead <= maxAhead {
		return message.Absent
	}
	return message.Present(min(ahead.Hours()/24, 3), int64(ahead.Hours()))
}

// A clock that shows local time but says UTC is honest, and UTC+14 is the largest offset in use.
const maxAhead = 14 * time.Hour

// DateBehind speaks against a message whose Date field (RFC 5322 section 3.6.1) lies long before its arrival. Value:
// weeks behind, 0.7 to 3. Argument: days. A message without a date or a time of arrival is Unknown.
func DateBehind(m *message.Message) message.Result {
	if m.Date.IsZero() || m.Arrived.IsZero() {
		return message.Unknown
	}
	behind := m.Arrived.Sub(m.Date)
	if behind <= maxBehind {
		return message.Absent
	}
	days := behind.Hours() / 24
	return message.Present(min(days/7, 3), int64(days))
}

// RFC 5321 section 4.5.4.1 lets a mail server try for five days.
const maxBehind = 5 * 24 * time.Hour

// DateMissing speaks against a message without a Date field, which RFC 5322 section 3.6 demands. Value: 1.
func DateMissing(m *message.Message) message.Result { return seen(m.Header.Count("Date") == 0) }

// DateUnreadable speaks against a Date field that is no date (RFC 5322 section 3.3, obsolete forms read). Value: 1.
// Argument: the field.
func DateUnreadable(m *message.Message) message.Result {
	return seen(m.Date.IsZero() && m.Header.Count("Date") > 0, quote(m.Header.Get("Date")))
}

// MessageIDMissing speaks against a message without Message-ID, which RFC 5322 section 3.6.4 asks for and every mail
// program writes, or with one that a relay put in for want of it. Value: 1.
func MessageIDMissing(m *message.Message) message.Result {
	return seen(m.MessageID == "" || StampedID(m.MessageID))
}

// StampedID reports a Message-ID that Microsoft's or Google's relays gave to a mail that had none.
func StampedID(id string) bool {
	left, right, _ := strings.Cut(id, "@")
	right = strings.ToLower(right)
	host, zone, _ := strings.Cut(right, ".")
	switch {
	case right == "mx.google.com":
		return strings.Contains(left, "SMTPIN_ADDED_")
	case strings.HasSuffix(zone, ".prod.outlook.com"):
		return strings.Contains(host, "epf000")
	case strings.HasSuffix(zone, ".prod.protection.outlook.com"):
		return len(host) > 5 && host[len(host)-5:len(host)-3] == "ft"
	}
	return false
}

// MessageIDMalformed speaks against a Message-ID that is not left@right in angle brackets (RFC 5322 section 3.6.4).
// Value: 1. Argument: the id.
func MessageIDMalformed(m *message.Message) message.Result {
	if m.MessageID == "" {
		return message.Absent
	}
	left, right, ok := strings.Cut(m.MessageID, "@")
	field := m.Header.Get("Message-ID")
	good := ok && left != "" && right != "" && !strings.ContainsAny(m.MessageID, " \t") && strings.Contains(field, "<")
	return seen(!good, quote(m.MessageID))
}

// FromMissing speaks against a message without an author address (RFC 5322 section 3.6.2). Value: 1.
func FromMissing(m *message.Message) message.Result { return seen(m.From.Domain == "") }

// FromMultiple speaks against several From fields (RFC 5322 section 3.6 allows one): programs differ in which they
// show. Value: 1. Argument: how many.
func FromMultiple(m *message.Message) message.Result {
	n := m.Header.Count("From")
	return seen(n > 1, n)
}

// DuplicateField speaks against a second field of a kind that may occur once (RFC 5322 section 3.6): From has its own
// signal, and a second Reply-To is what lists add. Value: 1. Argument: the field's name.
func DuplicateField(m *message.Message) message.Result {
	for _, name := range [...]string{"Subject", "Date", "Message-ID", "To", "Sender", "MIME-Version", "Content-Type"} {
		if m.Header.Count(name) > 1 {
			return message.Present(1, name)
		}
	}
	return message.Absent
}

// ToMissing speaks against a message that names no recipient at all (RFC 5322 section 3.6.3). Value: 1.
func ToMissing(m *message.Message) message.Result {
	return seen(m.Header.Count("To") == 0 && m.Header.Count("Cc") == 0)
}

// ToUndisclosed speaks a little against a message whose recipients are all hidden (an empty group, RFC 5322 section
// 3.6.3). Value: 1.
func ToUndisclosed(m *message.Message) message.Result {
	return seen(len(m.To) == 0 && m.Header.Count("To")+m.Header.Count("Cc") > 0)
}

// ToSelf speaks a little against a message that names its author as its only recipient: the true ones are hidden.
// Value: 1. Argument: the address.
func ToSelf(m *message.Message) message.Result {
	if len(m.To) != 1 || m.From.Domain == "" || !strings.EqualFold(m.To[0].Local, m.From.Local) || m.To[0].Domain != m.From.Domain {
		return message.Absent
	}
	return message.Present(1, quote(m.From.String()))
}

// ReceivedAbsent speaks against a message that no mail server handed on (RFC 5321 section 4.4): a program sent it
// straight to us. Value: 1.
func ReceivedAbsent(m *message.Message) message.Result { return seen(len(m.Route) == 0) }

// ReceivedForged speaks against Received fields (RFC 5321 section 4.4) that contradict themselves: a hop that happened
// half a day after the one that followed it, or a host that gave another address for its name than the one it had.
// Value: 1. Argument: the name that the hop claims.
func ReceivedForged(m *message.Message) message.Result {
	for i := range m.Route {
		h := &m.Route[i]
		if i+1 < len(m.Route) && !h.At.IsZero() && m.Route[i+1].At.Sub(h.At) > maxHopAhead {
			return message.Present(1, quote(m.Route[i+1].From))
		}
		if name, ok := strings.CutPrefix(h.From, "["); ok && h.Address.Is4() && !internal(h.Address) {
			claim, err := netip.ParseAddr(strings.TrimSuffix(name, "]"))
			if err == nil && claim.Is4() && !internal(claim) && claim != h.Address {
				return message.Present(1, quote(h.From))
			}
		}
	}
	return message.Absent
}

// internal addresses are claimed honestly by hosts behind network address translation.
func internal(a netip.Addr) bool { return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() }

// maxHopAhead: clocks in the wrong zone are honest.
const maxHopAhead = 14 * time.Hour

// ListUnsubscribe speaks for bulk mail that says how to end it: List-Unsubscribe (RFC 2369), and with one click (RFC
// 8058). Value: 1, or 2 with one click.
func ListUnsubscribe(m *message.Message) message.Result {
	if m.Header.Count("List-Unsubscribe") == 0 {
		return message.Absent
	}
	if m.Header.Count("List-Unsubscribe-Post") > 0 {
		return message.Present(2)
	}
	return message.Present(1)
}

// MailingList speaks for mail of a discussion list (List-Id with List-Post or List-Archive, RFC 2919 and 2369).
// Value: 1.
func MailingList(m *message.Message) message.Result {
	return seen(m.Header.Count("List-Id") > 0 && m.Header.Count("List-Post")+m.Header.Count("List-Archive") > 0)
}

// SubjectCapitals speaks against a subject that shouts: ten letters or more, none of them small. Value: 1.
func SubjectCapitals(m *message.Message) message.Result {
	letters := 0
	for _, r := range m.Subject {
		if unicode.IsLower(r) {
			return message.Absent
		}
		if unicode.IsUpper(r) {
			letters++
		}
	}
	return seen(letters >= 10)
}

// SubjectExclaims speaks against exclamation marks in the subject, from the second on. Value: log2 of their number,
// 1.6 to 4. Argument: their number.
func SubjectExclaims(m *message.Message) message.Result {
	n := strings.Count(m.Subject, "!") + strings.Count(m.Subject, "！")
	if n < 2 {
		return message.Absent
	}
	return message.Present(count(n), n)
}

// SubjectFakeReply speaks against "Re:" in the subject of a message that answers none (RFC 5322 section 3.6.5).
// Value: 1.
func SubjectFakeReply(m *message.Message) message.Result {
	if len(m.Subject) < 4 || !strings.EqualFold(m.Subject[:3], "re:") {
		return message.Absent
	}
	return seen(m.Header.Count("In-Reply-To") == 0 && m.Header.Count("References") == 0)
}

// EncodedPlain speaks against a subject or author name put into base64 (RFC 2047) though it is plain ASCII: it hides
// words from simple filters. Value: 1. Argument: the decoded text.
func EncodedPlain(m *message.Message) message.Result {
	for i := range m.Header {
		f := &m.Header[i]
		if len(f.Value) < 4 || !strings.EqualFold(f.Name, "Subject") && !strings.EqualFold(f.Name, "From") {
			continue
		}
		if (strings.Contains(f.Raw, "?B?") || strings.Contains(f.Raw, "?b?")) && plainASCII(f.Value) {
			return message.Present(1, quote(strings.TrimSpace(f.Value)))
		}
	}
	return message.Absent
}

func plainASCII(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
