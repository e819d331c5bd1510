package corpus

import (
	"bytes"
	"regexp"
	"strings"
)

// Mask takes out of a raw mail what those who collected and published it left in it: their own header fields, the hops
// through their hosts, and the addresses and domains that they put in the recipients' place. Such marks tell one corpus,
// and with it one label, from another, and say nothing of the mail. What is masked stands in [Marks], all of it.
//
// The result is a copy. Mail without a mark comes back as it was.
func Mask(raw []byte) []byte {
	out := make([]byte, 0, len(raw))
	rest := raw
	for len(rest) > 0 && rest[0] != '\n' && !bytes.HasPrefix(rest, []byte("\r\n")) {
		field := rest[:fieldEnd(rest)]
		if rest = rest[len(field):]; !collectors(field) {
			out = append(out, field...)
		}
	}
	out = append(out, rest...)
	for _, m := range Marks.Texts {
		if m.pattern.Match(out) {
			out = m.pattern.ReplaceAll(out, []byte(m.Becomes))
		}
	}
	return out
}

// fieldEnd is where a header field ends, its folded lines included (RFC 5322 section 2.2.3).
func fieldEnd(b []byte) int {
	for i := 0; ; {
		n := bytes.IndexByte(b[i:], '\n')
		if n < 0 {
			return len(b)
		}
		if i += n + 1; i == len(b) || b[i] != ' ' && b[i] != '\t' {
			return i
		}
	}
}

// collectors reports a field that a collector wrote.
func collectors(field []byte) bool {
	name, value, ok := bytes.Cut(field, []byte(":"))
	if !ok {
		return false
	}
	n := strings.ToLower(strings.TrimSpace(string(name)))
	if n == "received" {
		return collectorHop.Match(value)
	}
	for _, m := range Marks.Fields {
		if prefix, is := strings.CutSuffix(m.Name, "*"); is && strings.HasPrefix(n, prefix) || n == m.Name {
			return true
		}
	}
	return false
}

// FieldMark is a header field that is dropped: its name in small letters, with * at the end for all that begin so.
type FieldMark struct{ Name, Why string }

// TextMark is a text that is replaced, in header and body as they are on the wire. What stands in base64 is not found.
type TextMark struct {
	Pattern, Becomes, Why string
	pattern               *regexp.Regexp
}

func text(pattern, becomes, why string) TextMark {
	return TextMark{pattern, becomes, why, regexp.MustCompile(`(?i)` + pattern)}
}

// collectorHop is a Received field (RFC 5321 section 4.4) of a collector's own hosts.
var collectorHop = regexp.MustCompile(`(?i)\bby\s+\S*(?:taint\.org|netnoteinc\.com|jmason\.org|slashnull\.org|webnote(?:\.net)?|example\.(?:com|org|net)|baddomain\.com)\b|\bfetchmail-|\(single-drop\)|for <?(?:jm|yyyy|zzzz|cpunks|phishing)@|\bcpunks@`)

// Marks is the list. It is made by what fields and addresses are for, not by what tells spam from ham.
var Marks = struct {
	Fields []FieldMark
	Texts  []TextMark
}{
	Fields: []FieldMark{
		{"return-path", "the mail store's: the envelope is not the mail's"},
		{"delivered-to", "the mail store's, names the recipient"},
		{"envelope-to", "the mail store's, names the recipient"},
		{"x-envelope-*", "the mail store's"},
		{"x-original-to", "the mail store's, names the recipient"},
		{"x-apparently-to", "the mail store's, names the recipient"},
		{"x-delivered-to", "the mail store's, names the recipient"},
		{"delivery-date", "the mail store's"},
		{"x-keywords", "the mail reader's"},
		{"x-status", "the mail reader's"},
		{"status", "the mail reader's"},
		{"x-uid*", "the mail reader's"},
		{"x-mozilla-*", "the mail reader's"},
		{"authentication-results*", "the collector's check of the sender"},
		{"received-spf", "the collector's check of the sender"},
		{"x-authentication-warning", "the collector's check of the sender"},
		{"dkim-filter", "the collector's check of the sender"},
		{"x-sender-ip", "the collector's check of the sender"},
		{"x-sid-*", "the collector's check of the sender"},
		{"x-spam*", "a filter's result"},
		{"x-spamd-*", "a filter's result"},
		{"x-crm114-*", "a filter's result"},
		{"x-bogosity", "a filter's result"},
		{"x-ymailisg", "a filter's result"},
		{"x-mailscanner*", "a filter's result"},
		{"x-virus-*", "a filter's result"},
		{"x-mimecast-*", "a filter's result"},
		{"x-proofpoint-*", "a filter's result"},
		{"x-ironport-*", "a filter's result"},
		{"x-forefront-*", "a filter's result"},
		{"x-microsoft-antispam*", "a filter's result"},
		{"x-ms-*", "the collector's mail service"},
		{"x-eop*", "the collector's mail service"},
		{"x-incoming*", "the collector's mail service"},
		{"x-message-delivery", "the collector's mail service"},
		{"x-message-info", "the collector's mail service"},
	},
	Texts: []TextMark{
		text(`[a-z0-9._+-]*(?:phishing|phish|honey)@pot\b`, "recipient@recipient.example", "phishing-pot: the recipient"),
		text(`\b(?:yyyy|zzzz|q{5,}|jm|cpunks|mdom)(?:[-+][a-z0-9-]+)?\d*@[a-z0-9-]+(?:\.[a-z0-9-]+)*`,
			"recipient@recipient.example", "SpamAssassin corpus: the recipient"),
		text(`\b(?:yyyy|zzzz|q{5,})=`, "recipient=", "SpamAssassin corpus: the recipient, in a list's return address"),
		text(`\b(?:user|testuser|test|mjohnson|noname|marcy|kijitora|sironeko|recipient)@[a-z0-9.-]*example\.(?:com|org|net|jp|co\.jp)\b`,
			"recipient@recipient.example", "mail of today: the recipient"),
		text(`\b(?:[a-z0-9-]+\.)*(?:taint\.org|netnoteinc\.com|jmason\.org|slashnull\.org)\b`, "recipient.example", "SpamAssassin corpus: the recipient's domain, also in place of some lists'"),
		text(`\b(?:[a-z0-9-]+\.)*example\.(?:com|org|net)\b`, "recipient.example", "mail of today: domains made unrecognisable"),
		text(`\b(?:[a-z0-9-]+\.)*baddomain\.com\b`, "recipient.example", "mail of today: domains made unrecognisable"),
	},
}
