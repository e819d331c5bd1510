package content

import (
	"bytes"
	"strings"

	"rempart/message"
	"rempart/message/link"
)

// OneClick speaks for bulk mail that a program can end with one request (RFC 8058): List-Unsubscribe-Post, an https address in
// List-Unsubscribe, and a valid DKIM signature over both, so that its sender answers for it. Unknown where signatures were not
// verified. Value: 1. Argument: the domain that signed.
func OneClick(m *message.Message) message.Result {
	post := m.Header.Get("List-Unsubscribe-Post")
	if post == "" || !strings.EqualFold(strings.ReplaceAll(post, " ", ""), "List-Unsubscribe=One-Click") ||
		!strings.Contains(m.Header.Get("List-Unsubscribe"), "https://") {
		return message.Absent
	}
	covered := false
	for i := range m.Header {
		f := &m.Header[i]
		if len(f.Name) != len("DKIM-Signature") || !strings.EqualFold(f.Name, "DKIM-Signature") {
			continue
		}
		domain, selector, covers := signature(f.Value)
		if !covers {
			continue
		}
		covered = true
		for _, d := range m.Facts.Auth.DKIM {
			if d.Status == "pass" && strings.EqualFold(d.Domain, domain) && d.Selector == selector {
				return message.Present(1, quote(domain))
			}
		}
	}
	if covered && len(m.Facts.Auth.DKIM) == 0 {
		return message.Unknown
	}
	return message.Absent
}

// signature reads the tags d, s and h of a DKIM signature (RFC 6376 section 3.5): whose it is, and whether it covers how to
// unsubscribe.
func signature(value string) (domain, selector string, covers bool) {
	for tag := range strings.SplitSeq(value, ";") {
		name, v, _ := strings.Cut(tag, "=")
		v = strings.TrimSpace(v)
		switch strings.TrimSpace(name) {
		case "d":
			domain = v
		case "s":
			selector = v
		case "h":
			fields := ":" + strings.ToLower(strings.Join(strings.Fields(v), "")) + ":"
			covers = strings.Contains(fields, ":list-unsubscribe:") && strings.Contains(fields, ":list-unsubscribe-post:")
		}
	}
	return domain, selector, covers
}

// UnsubscribeOwn speaks for bulk mail that is ended (List-Unsubscribe, RFC 2369) at its author's own domain. Value: 1. Argument:
// the host.
func UnsubscribeOwn(m *message.Message) message.Result {
	field, author := m.Header.Get("List-Unsubscribe"), m.Facts.Guise.Author
	if field == "" || author == "" {
		return message.Absent
	}
	for uri := range strings.SplitSeq(field, ",") {
		uri = strings.Trim(uri, " <>\t")
		_, host := link.Split(uri)
		if rest, ok := strings.CutSuffix(host, author); ok && (rest == "" || strings.HasSuffix(rest, ".")) {
			return message.Present(1, quote(host))
		}
	}
	return message.Absent
}

// maxReturned is how far behind its type the header of a returned mail is looked for.
const maxReturned = 16 << 10

// Backscatter speaks a little against a report of non-delivery (RFC 3464) of a mail that the recipient's organisation did not
// send: neither its author nor its Message-ID is of the recipient's domain. Spammers forge senders, and servers that accept
// first and refuse later write to them. Value: 1. Argument: the author of the returned mail.
func Backscatter(m *message.Message) message.Result {
	header := returnedHeader(m)
	if len(m.Facts.Guise.Own) == 0 || header == "" {
		return message.Absent
	}
	from, id := returned(header, "\nFrom:"), returned(header, "\nMessage-I")
	if from == "" || id == "" {
		return message.Absent
	}
	for _, own := range m.Facts.Guise.Own {
		if strings.HasSuffix(from, own) || strings.HasSuffix(id, own) {
			return message.Absent
		}
	}
	return message.Present(1, quote(from))
}

// returnedHeader is the header of the mail that a report of non-delivery returns, with what follows it; "" of other mail.
func returnedHeader(m *message.Message) string {
	if !strings.HasPrefix(strings.ToLower(m.Header.Get("Content-Type")), "multipart/report") {
		return ""
	}
	for at, next := 0, 0; ; at += len("rfc822") {
		if next = bytes.Index(m.Raw[at:], []byte("rfc822")); next < 0 {
			return ""
		}
		at += next
		if bytes.HasPrefix(m.Raw[max(at-8, 0):], []byte("message/rfc822")) || bytes.HasPrefix(m.Raw[max(at-5, 0):], []byte("text/rfc822-headers")) {
			return string(m.Raw[at:min(len(m.Raw), at+maxReturned)])
		}
	}
}

// ReturnedID is the Message-ID, without brackets, of the mail that a report of non-delivery returns (RFC 3462); "" if m is none.
func ReturnedID(m *message.Message) string {
	_, line, _ := strings.Cut(strings.ToLower(returnedHeader(m)), "\nmessage-id:")
	line, _, _ = strings.Cut(line, ">")
	_, id, _ := strings.Cut(line, "<")
	if strings.ContainsAny(id, "< \r\n") {
		return ""
	}
	return id
}

// returned is the domain behind the last @ of a field, lower case.
func returned(header, field string) string {
	i := strings.Index(header, field)
	if i < 0 {
		return ""
	}
	line, _, _ := strings.Cut(header[i+1:], "\n")
	_, domain, ok := strings.Cut(line, "@")
	if !ok {
		return ""
	}
	end := 0
	for end < len(domain) && (wordByte(domain[end]) || domain[end] == '.' || domain[end] == '-') {
		end++
	}
	return strings.ToLower(domain[:end])
}
