package auth

import (
	"strings"

	"rempart/message"
	"rempart/message/dkim"
)

// maxResults are read of one field; real ones have some ten.
const maxResults = 100

// seen is what another server found out (RFC 8601): the results that count for DMARC.
type seen struct {
	spf, spfDomain   string
	dkim             []message.DKIM
	dmarc, dmarcFrom string // dmarcFrom: header.from, empty if the server did not say
}

// readResults reads the results of an Authentication-Results field, the name of the server taken off. What cannot be read is
// left out. Of several SPF or DMARC results the first counts.
func readResults(rest string) (out seen) {
	for n := 0; n < maxResults && rest != ""; n++ {
		var words []string
		words, rest = nextResult(rest)
		if len(words) == 0 {
			continue
		}
		method, result, _ := strings.Cut(strings.ToLower(words[0]), "=")
		method, _, _ = strings.Cut(method, "/") // its version
		properties := map[string]string{}
		for _, w := range words[1:] {
			if name, v, ok := strings.Cut(w, "="); ok {
				properties[strings.ToLower(name)] = v
			}
		}
		switch {
		case method == "spf" && out.spf == "":
			out.spf, out.spfDomain = result, domainIn(properties, "smtp.mailfrom", "smtp.mfrom", "smtp.helo")
		case method == "dkim" && len(out.dkim) < dkim.MaxSignatures:
			out.dkim = append(out.dkim, message.DKIM{Status: result, Domain: domainIn(properties, "header.d", "header.i"),
				Selector: properties["header.s"]})
		case method == "dmarc" && out.dmarc == "":
			out.dmarc, out.dmarcFrom = result, domainIn(properties, "header.from")
		}
	}
	return out
}

// domainIn is the domain of the first of these properties that is there.
func domainIn(properties map[string]string, names ...string) string {
	for _, name := range names {
		if v := properties[name]; v != "" {
			return dkim.ToDomain(v[strings.LastIndexByte(v, '@')+1:])
		}
	}
	return ""
}

// nextResult reads up to the next semicolon: words without comments, quotes taken off, and no space about an equals sign.
func nextResult(s string) (words []string, rest string) {
	var word strings.Builder
	glue := false // the next word belongs to this one: an equals sign stands between them
	end := func() {
		if word.Len() > 0 && !glue {
			words = append(words, word.String())
			word.Reset()
		}
	}
	for i := 0; i < len(s); {
		switch c := s[i]; c {
		case ';':
			glue = false
			end()
			return words, s[i+1:]
		case '(':
			i += commentEnd(s[i:])
			end()
		case '"':
			n := quotedEnd(s[i:])
			word.WriteString(strings.ReplaceAll(strings.Trim(s[i:i+n], `"`), `\`, ""))
			i, glue = i+n, false
		case ' ', '\t', '\r', '\n':
			end()
			i++
		case '=':
			if word.Len() == 0 && len(words) > 0 { // "spf = pass"
				word.WriteString(words[len(words)-1])
				words = words[:len(words)-1]
			}
			word.WriteByte(c)
			glue = true
			i++
		default:
			word.WriteByte(c)
			glue = false
			i++
		}
	}
	glue = false
	end()
	return words, ""
}

// commentEnd is the length of the comment that s begins with (RFC 5322 section 3.2.2).
func commentEnd(s string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(s)
}

// quotedEnd is the length of the quoted string that s begins with (RFC 5322 section 3.2.4).
func quotedEnd(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(s)
}
