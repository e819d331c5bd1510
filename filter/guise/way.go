package guise

import (
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"rempart/filter/content"
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
	if through(id, hosts) || wentBy(m, hosts) {
		return message.Absent
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

// services are where the Message-IDs of much honest mail are made that its authors send by others' hosts: services for bulk mail
// and for programs, and those that carry the mail of companies' own domains.
const services = "amazonses.com sendgrid.net sparkpostmail.com mcsv.net mcdlv.net rsgsv.net mandrillapp.com mailgun.org " +
	"mailgun.net mtasv.net postmarkapp.com klaviyomail.com ccsend.com constantcontact.com createsend.com cmail19.com cmail20.com " +
	"exacttarget.com salesforce.com sfdc.net hubspotemail.net hubspot.com mailin.fr sendinblue.com brevo.com mailjet.com " +
	"zendesk.com freshdesk.com intercom-mail.com intercom.io elasticemail.com emarsys.net mlsend.com mailerlite.com mailersend.net " +
	"getresponse.com aweber.com infusionmail.com sailthru.com responsys.net rsys2.com mktomail.com mktdns.com pardot.com en25.com " +
	"dotdigital-email.com iterable.com customeriomail.com sendpulse.com smtp2go.com socketlabs.com turbo-smtp.com " +
	"mail.gmail.com prod.outlook.com zoho.com mail.yahoo.com messagingengine.com github.com"

// named reports a host below a suffix of the Internet: one of "localdomain" or of a cluster's own names is nobody's.
func named(host string) bool {
	suffix, public := publicsuffix.PublicSuffix(host)
	return public || strings.Contains(suffix, ".")
}

// IDElsewhere speaks against a Message-ID (RFC 5322 section 3.6.4) that was made in another organisation than the author's and at none
// of the known services: by who took the name. Lists and answers are left out. Value: 1; 0.5 if the mail went by a host of that
// organisation. Argument: what stands behind its @.
func IDElsewhere(m *message.Message) message.Result {
	_, right, _ := strings.Cut(m.MessageID, "@")
	author := m.Facts.Guise.Author
	if !strings.Contains(right, ".") || author == "" || len(right) > 253 || content.StampedID(m.MessageID) || talks(m) {
		return message.Absent
	}
	right = strings.ToLower(right)
	maker := link.Organisation(right)
	if strings.HasSuffix(right, author) || maker == author || through(right, services) || !named(right) {
		return message.Absent
	}
	value := 1.0
	if wentBy(m, maker) {
		value = 0.5
	}
	return message.Present(value, quote(right))
}

// wentBy reports a mail that a host under one of the domains handed on, or took.
func wentBy(m *message.Message, domains string) bool {
	return through(m.Source.Name, domains) ||
		slices.ContainsFunc(m.Route, func(h message.Hop) bool { return through(h.From, domains) || through(h.By, domains) })
}
