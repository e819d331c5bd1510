package content

import (
	"strings"

	"rempart/message"
)

// The anomaly names that these signals read are those of the parsers, message/email and message/sms.

// BrokenHeader speaks against header lines that no mail program writes: no colon, no end, leading fold (RFC 5322
// section 2.2). Value: 1. Argument: what was seen.
func BrokenHeader(m *message.Message) message.Result {
	return anomaly(m, "header_no_colon", "header_no_end", "header_fold", "header_none", "header_space_colon")
}

// Header8Bit speaks against header fields with bytes that are neither ASCII nor UTF-8 (RFC 6532). Value: 1. Argument:
// the field.
func Header8Bit(m *message.Message) message.Result { return anomaly(m, "header_8bit") }

// BrokenWord speaks against encoded words that cannot be read or hold spaces (RFC 2047). Value: 1. Argument: the word.
func BrokenWord(m *message.Message) message.Result { return anomaly(m, "word_broken", "word_space") }

// CharsetLie speaks against text in another charset than it declares (RFC 2046 section 4.1.2), or in one that does not
// exist. Value: 1. Argument: the declared charset.
func CharsetLie(m *message.Message) message.Result {
	return anomaly(m, "charset_lie", "charset_unknown", "charset_utf7")
}

// CharsetBroken speaks a little against text that breaks its charset, or has bytes beyond ASCII and declares none.
// Value: 1. Argument: the charset.
func CharsetBroken(m *message.Message) message.Result {
	return anomaly(m, "charset_broken", "charset_undeclared")
}

// BrokenMIME speaks against multiparts that do not hold together: no boundary, another boundary than declared, no end,
// encoded as a whole (RFC 2046 section 5.1). Value: 1. Argument: what was seen.
func BrokenMIME(m *message.Message) message.Result {
	return anomaly(m, "mime_no_boundary", "mime_boundary_missing", "mime_unclosed", "mime_encoded_multipart")
}

// BrokenTransfer speaks against base64 and quoted-printable that cannot be decoded cleanly (RFC 2045 section 6).
// Value: 1. Argument: what was seen.
func BrokenTransfer(m *message.Message) message.Result {
	return anomaly(m, "base64_broken", "quoted_printable_broken", "transfer_unknown")
}

// ControlBytes speaks against NUL bytes and bare CR (RFC 5322 section 2.2), which split words for filters and not for
// readers. Value: 1. Argument: what was seen.
func ControlBytes(m *message.Message) message.Result { return anomaly(m, "nul", "bare_cr") }

// Oversized says that a cap of the parser was reached: the verdict comes from what was read. Value: 1. Argument: which
// cap.
func Oversized(m *message.Message) message.Result {
	for i := range m.Anomalies {
		if strings.HasPrefix(m.Anomalies[i].Name, "cut_") {
			return message.Present(1, m.Anomalies[i].Name)
		}
	}
	return message.Absent
}

// UCS2ForGSM speaks against a text sent as UCS-2 though GSM 03.38 has every character of it (TS 23.038): it costs the
// sender twice the parts, which only a program that hides something does not mind. One part of a long text says nothing:
// the letters that need UCS-2 may stand in another. Value: 1.
func UCS2ForGSM(m *message.Message) message.Result {
	return seen(m.HasAnomaly("ucs2_for_gsm") && (m.SMS == nil || m.SMS.Total <= 1))
}

// BrokenUserData speaks against a user data header that lies about its length or its parts (TS 23.040 section
// 9.2.3.24), odd UCS-2 and lone surrogates. Value: 1. Argument: what was seen.
func BrokenUserData(m *message.Message) message.Result {
	return anomaly(m, "udh_length", "part_number", "ucs2_odd", "ucs2_surrogate")
}

// UnreadableCoding speaks against a data_coding without meaning or a national alphabet that is not known. Value: 1.
// Argument: its number.
func UnreadableCoding(m *message.Message) message.Result {
	return anomaly(m, "data_coding_unknown", "data_coding_compress", "national_unknown")
}

// PortAddressed says that a text is meant for a program of the telephone, not for its reader (TS 23.040 section
// 9.2.3.24.3): WAP push, settings, the SIM. Value: 1. Argument: the port.
func PortAddressed(m *message.Message) message.Result { return anomaly(m, "udh_port") }

// Flash speaks against a text that shows itself at once and is not kept (message class 0, TS 23.038 section 4).
// Value: 1.
func Flash(m *message.Message) message.Result { return seen(m.SMS != nil && m.SMS.Flash) }
