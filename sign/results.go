package sign

import (
	"strings"

	"rempart/message"
	"rempart/message/dkim"
)

// resultsOf is what was found out about a mail, as ARC-Authentication-Results has it behind the name of who says so (RFC 8617
// section 4.1.1, RFC 8601 section 2.2): each result on a line of its own. Where a trusted sealer's word counts here, it is still
// what this node saw itself that is said. Values are names that DNS can have, so that no sender can write into it.
func resultsOf(m *message.Message) string {
	a := &m.Facts.Auth
	arc := a.ARC
	if a.Here != nil {
		a = a.Here
	}
	var b strings.Builder
	result := func(method, status string, properties ...string) {
		if status == "" {
			return
		}
		b.WriteString(";\r\n\t" + method + "=" + status)
		for i := 0; i < len(properties); i += 2 {
			if v := dkim.ToDomain(properties[i+1]); v != "" {
				b.WriteString(" " + properties[i] + "=" + v)
			}
		}
	}
	result("arc", arc.Status)
	identity := "smtp.mailfrom"
	if m.MailFrom == "" {
		identity = "smtp.helo"
	}
	result("spf", a.SPF, identity, a.SPFDomain)
	for _, d := range a.DKIM {
		result("dkim", d.Status, "header.d", d.Domain, "header.s", d.Selector)
	}
	if len(a.DKIM) == 0 {
		result("dkim", "none")
	}
	result("dmarc", a.DMARC, "header.from", m.From.Domain)
	return b.String()
}
