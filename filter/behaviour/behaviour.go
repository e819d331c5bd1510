// Package behaviour holds the signals that the sender of a message gives: the shape of its sender ID, the validity of its
// number (X.1245 section 7.1, source analysis), and what a caller did before (X.1246). A signal is a pure function of one
// message and its facts; its doc comment says what it speaks for and the unit and range of its value. What is remembered
// of callers is in [Callers]. All is safe for use from several goroutines.
package behaviour

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"rempart/filter/content"
	"rempart/message"
)

const maxArgument = 40

func quote(s string) string {
	if len(s) > maxArgument {
		s = s[:maxArgument] + "…"
	}
	return strings.ToValidUTF8(s, "")
}

// SenderMixed speaks against an alphanumeric sender ID (TS 23.040 section 9.1.2.5) with digits among its letters
// ("PayPa1", "Micr0soft"). Digits at either end are honest ("4Bank", "Bank24", "O2"). Value: 1. Argument: the sender.
func SenderMixed(m *message.Message) message.Result {
	if !alphanumeric(m) {
		return message.Absent
	}
	s := m.Source.ID
	for i := 1; i < len(s)-1; i++ {
		if s[i] >= '0' && s[i] <= '9' && letter(s[i-1]) && letter(s[i+1]) {
			return message.Present(1, quote(s))
		}
	}
	if n := len(s); n >= 5 && strings.IndexByte("01", s[n-1]) >= 0 && allLetters(s[:n-1]) && lower(s[n-2]) {
		return message.Present(1, quote(s)) // PayPa1: the last letter is a digit that looks like one
	}
	return message.Absent
}

// SenderLookalike speaks against an alphanumeric sender ID with letters of another alphabet that look like Latin ones
// (UTS 39), among Latin letters or alone. Value: 1. Arguments: the sender, what it looks like.
func SenderLookalike(m *message.Message) message.Result {
	if !alphanumeric(m) {
		return message.Absent
	}
	latin, alike := false, false
	for _, r := range m.Source.ID {
		if r < utf8.RuneSelf {
			latin = latin || letter(byte(r))
			continue
		}
		if unicode.Is(unicode.Latin, r) {
			latin = true
			continue
		}
		var buf [8]byte
		if to := content.Fold(buf[:0], string(r)); unicode.IsLetter(r) && len(to) == 1 || content.ZeroWidth(r) {
			alike = true
		}
	}
	if !latin || !alike {
		return message.Absent
	}
	return message.Present(1, quote(m.Source.ID), string(content.Fold(nil, quote(m.Source.ID))))
}

// SenderAlphanumeric says that a text comes from a name, not from a number: nobody can answer it, and few networks check
// it. Value: 1. Argument: the sender.
func SenderAlphanumeric(m *message.Message) message.Result {
	if !alphanumeric(m) {
		return message.Absent
	}
	return message.Present(1, quote(m.Source.ID))
}

// SenderShortCode speaks for a text from a short code, which operators rent out and can take away. Value: 1.
// Argument: the code.
func SenderShortCode(m *message.Message) message.Result {
	if m.SMS == nil || m.SMS.SenderType != message.SenderShortCode {
		return message.Absent
	}
	return message.Present(1, quote(m.Source.ID))
}

// SenderIsRecipient speaks against a message whose sender is its recipient: a borrowed identity. Value: 1. Argument:
// the address.
func SenderIsRecipient(m *message.Message) message.Result {
	if m.MailFrom == "" || len(m.Recipients) == 0 {
		return message.Absent
	}
	for i := range m.Recipients {
		if !strings.EqualFold(strings.TrimPrefix(m.Recipients[i].Address, "+"), strings.TrimPrefix(m.MailFrom, "+")) {
			return message.Absent
		}
	}
	return message.Present(1, quote(m.MailFrom))
}

// SenderMissing speaks against a text without any sender. Value: 1.
func SenderMissing(m *message.Message) message.Result {
	if m.SMS == nil || m.SMS.SenderType != message.SenderUnknown || m.Source.ID != "" {
		return message.Absent
	}
	return message.Present(1)
}

func alphanumeric(m *message.Message) bool {
	return m.SMS != nil && m.SMS.SenderType == message.SenderAlphanumeric
}

func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func lower(c byte) bool  { return 'a' <= c && c <= 'z' }

func allLetters(s string) bool {
	for i := range len(s) {
		if !letter(s[i]) {
			return false
		}
	}
	return true
}
