package guise

import (
	"strings"

	"rempart/message"
	"rempart/message/link"
)

// outgoing are the domains of the hosts that hand on the mail of the great free mailboxes, by registered domain of the mailbox.
var outgoing = map[string]string{
	"gmail.com": "google.com gmail.com", "googlemail.com": "google.com gmail.com",
	"hotmail.com": "outlook.com hotmail.com live.com", "outlook.com": "outlook.com hotmail.com", "live.com": "outlook.com hotmail.com live.com",
	"msn.com": "outlook.com hotmail.com msn.com", "yahoo.com": "yahoo.com yahoodns.net", "ymail.com": "yahoo.com yahoodns.net",
	"aol.com": "aol.com yahoo.com mx.aol.com", "icloud.com": "icloud.com me.com apple.com", "me.com": "icloud.com me.com apple.com mac.com",
	"mail.ru": "mail.ru", "yandex.ru": "yandex.net yandex.ru", "yandex.com": "yandex.net yandex.ru", "qq.com": "qq.com",
	"163.com": "163.com netease.com", "126.com": "126.com 163.com", "gmx.de": "gmx.net gmx.de", "gmx.net": "gmx.net gmx.de",
	"web.de": "web.de", "proton.me": "protonmail.ch proton.me", "protonmail.com": "protonmail.ch protonmail.com",
}

// FreemailAround speaks against an author at one of the great free mailboxes whose mail went by none of its provider's hosts:
// neither a hop (RFC 5321 section 4.4) nor the Message-ID is theirs. Lists and answers are left out, since lists cut hops. Value: 1.
// Argument: the mailbox's domain.
func FreemailAround(m *message.Message) message.Result {
	hosts, ok := outgoing[m.From.Domain]
	if !ok || len(m.Route) == 0 || m.Direction == message.Out || m.Source.Trusted || talks(m) {
		return message.Absent
	}
	_, id, _ := strings.Cut(m.MessageID, "@")
	if through(id, hosts) || m.Source.Name != "" && through(m.Source.Name, hosts) {
		return message.Absent
	}
	for i := range m.Route {
		if h := &m.Route[i]; through(h.From, hosts) || through(h.By, hosts) {
			return message.Absent
		}
	}
	return message.Present(1, quote(m.From.Domain))
}

// through reports a host under one of the domains.
func through(host, domains string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	for d := range strings.FieldsSeq(domains) {
		if rest, ok := strings.CutSuffix(host, d); ok && (rest == "" || strings.HasSuffix(rest, ".")) {
			return true
		}
	}
	return false
}

// IDElsewhere says that the Message-ID (RFC 5322 section 3.6.4) was made in another organisation than the author's: at a mailing
// service, or by who took the name. Lists and answers are left out. Value: 1. Argument: what stands behind its @.
func IDElsewhere(m *message.Message) message.Result {
	_, right, _ := strings.Cut(m.MessageID, "@")
	author := m.Facts.Guise.Author
	if !strings.Contains(right, ".") || author == "" || talks(m) || len(right) > 253 {
		return message.Absent
	}
	right = strings.ToLower(right)
	if strings.HasSuffix(right, author) || link.Organisation(right) == author {
		return message.Absent
	}
	return message.Present(1, quote(right))
}
