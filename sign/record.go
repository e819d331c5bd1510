package sign

import "strings"

// maxString is what one string of a TXT record holds (RFC 1035 section 3.3).
const maxString = 255

// Zone is a record as a zone's file has it (RFC 1035 section 5.1): BIND, NSD, Knot and PowerDNS read it.
func Zone(name, text string) string {
	var b strings.Builder
	b.WriteString(name + ". IN TXT (")
	for len(text) > 0 {
		n := min(len(text), maxString)
		b.WriteString("\n\t\"" + text[:n] + "\"")
		text = text[n:]
	}
	b.WriteString(" )\n")
	return b.String()
}
