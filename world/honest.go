package world

import (
	"strings"

	"rempart/message"
)

// personalShare is how much of honest traffic people write themselves; the rest comes from businesses.
const personalShare = 0.5

// honest makes a message that nobody minds.
func (w *World) honest(s *Sent) {
	s.Truth.Label = message.Ham
	personal := w.rng.Float64() < personalShare
	switch {
	case s.Channel == message.Call:
		w.honestCall(s, personal)
	case s.Channel == message.IM:
		w.honestIM(s, personal)
	case s.Channel == message.SMS && personal:
		w.personalText(s)
	case s.Channel == message.SMS:
		w.businessText(s)
	case personal:
		w.personalMail(s)
	default:
		w.businessMail(s)
	}
}

// personalMail is from someone whom the recipient knows.
func (w *World) personalMail(s *Sent) {
	p := pick(w.rng, w.others)
	to := pick(w.rng, p.friends)
	t := w.topicOf(p, to)
	speech := w.speech(t)
	d := draft{fromName: p.full(), from: p.address, toName: to.full(), to: to.address, program: p.program, html: p.html,
		subject: speech.say("personal_subject"), body: speech.say("personal_body"), date: s.At}
	if strings.HasPrefix(d.subject, "Re: ") || strings.HasPrefix(d.subject, "AW: ") {
		d.reference = w.messageID(operatorDomain)
	}
	if other := pick(w.rng, p.friends); other != to && w.rng.IntN(4) == 0 {
		d.cc = other
	}
	w.throughProvider(s, &d, p)
	s.Truth.Kind, s.Truth.Language = "personal", t.language
	w.post(s, &d)
}

func (w *World) topicOf(p, to *person) topic {
	return topic{language: p.country.language, country: p.country, known: map[string]string{
		"me": p.first, "to": to.first, "mefull": p.full(), "tofull": to.full(), "number": "+" + p.number}}
}

// throughProvider hands a mail over from the sender's provider.
func (w *World) throughProvider(s *Sent, d *draft, p *person) {
	home := p.home.address(w.rng)
	server := "out" + base36(uint64(1+w.rng.IntN(3))) + "." + p.provider.domain
	d.messageID = w.programID(d.program, p.provider.domain)
	d.hops = []hop{{from: "[" + literal(home) + "]", address: home, by: server, with: "ESMTPSA", at: s.At}}
	s.Mail = &Mail{Client: p.provider.host(20 + w.rng.IntN(3)), Name: server, Helo: server, From: p.address, To: []string{d.to}, QueueID: w.queueID()}
	if d.cc != nil {
		s.Mail.To = append(s.Mail.To, d.cc.address)
	}
	s.Truth.Country, s.Truth.Network, s.Truth.Path = p.provider.country.code, p.provider.number, pathOf(p.home, p.provider)
}

// businessMail is a receipt, a newsletter, a reminder.
func (w *World) businessMail(s *Sent) {
	b := pick(w.rng, w.businesses)
	rule := pick(w.rng, b.trade.mails)
	to := w.customerOf(b.country.language)
	t := w.topicOf(b.writer, to)
	t.known["company"] = b.name
	t.known["number"] = "+" + b.writer.number
	t.known["link"] = "https://www." + b.domain + "/" + pick(w.rng, []string{"order", "account", "news", "a"}) + "/" + w.token(8)
	t.known["unsubscribe"] = "https://www." + b.domain + "/unsubscribe/" + w.token(12)
	speech := w.speech(t)
	d := draft{fromName: b.name, from: pick(w.rng, []string{"info", "service", "noreply"}) + "@" + b.domain, toName: to.full(), to: to.address,
		subject: speech.say(rule + "_subject"), body: speech.say(rule + "_body"), html: rule != "appointment", date: s.At}
	if rule == "work" || rule == "school" {
		d.fromName, d.from, d.program, d.html = b.writer.full(), b.writer.address, b.writer.program, b.writer.html
	}
	if rule == "newsletter" {
		d.unsubscribe = t.known["unsubscribe"]
	}
	server := "mail." + b.domain
	d.messageID = w.programID(d.program, b.domain)
	d.hops = []hop{{from: "app." + b.domain, address: b.host.host(b.server + 1), by: server, with: "ESMTP", at: s.At}}
	s.Mail = &Mail{Client: b.host.host(b.server), Name: server, Helo: server, From: "bounce@" + b.domain, To: []string{to.address}, QueueID: w.queueID()}
	s.Truth.Kind, s.Truth.Language = rule, t.language
	s.Truth.Country, s.Truth.Network, s.Truth.Path = b.host.country.code, b.host.number, pathOf(b.host)
	w.post(s, &d)
}

// customerOf is a customer who reads a language.
func (w *World) customerOf(language string) *person {
	for {
		if p := pick(w.rng, w.customers); p.country.language == language || w.rng.IntN(20) == 0 {
			return p
		}
	}
}

// personalText is from someone whom the recipient knows.
func (w *World) personalText(s *Sent) {
	p := pick(w.rng, w.others)
	to := pick(w.rng, p.friends)
	t := w.topicOf(p, to)
	s.Truth.Kind, s.Truth.Language, s.Truth.Country = "personal", t.language, p.country.code
	w.text(s, systemPeople, p.number, tonInternational, to.number, w.speech(t).say("sms_personal"))
}

// noticeOf is what a business has to say shortly.
func (w *World) noticeOf(b *business, to *person) topic {
	t := w.topicOf(b.writer, to)
	t.known["company"] = b.name
	t.known["link"] = b.domain + "/" + w.token(6)
	return t
}

// businessText is a code, a reminder, a notice of a parcel.
func (w *World) businessText(s *Sent) {
	b := pick(w.rng, w.businesses)
	rule := pick(w.rng, b.trade.textsByRule)
	to := w.customerOf(b.country.language)
	t := w.noticeOf(b, to)
	s.Truth.Kind, s.Truth.Language, s.Truth.Country = rule[len("sms_"):], t.language, b.country.code
	system := systemBusiness
	if w.rng.IntN(8) == 0 {
		system = systemCheap
	}
	w.text(s, system, b.sender, tonAlphanumeric, to.number, w.speech(t).say(rule))
}
