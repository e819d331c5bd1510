package world

import (
	"math/rand/v2"
	"strings"
	"time"

	"rempart/message"
)

// spam makes a message of one of the campaigns.
func (w *World) spam(s *Sent) {
	c, v := w.choose(s.Channel)
	to := pick(w.rng, w.customers)
	language := pick(w.rng, c.languages)
	for range 3 { // gangs know roughly who reads what
		if to.country.language == language {
			break
		}
		to = pick(w.rng, w.customers)
	}
	t := topic{language: language, country: pick(w.rng, w.countries), scale: c.purpose.scale, known: map[string]string{"to": to.first, "tofull": to.full()}}
	t.known["link"] = w.link(v, s.Channel != message.Email)
	s.Truth = Truth{Label: message.Spam, Category: c.purpose.category, Kind: c.purpose.name, Campaign: c.name, Language: language, Hosts: v.hosts}
	switch s.Channel {
	case message.SMS:
		w.spamText(s, c, v, to, t)
	case message.Call:
		w.spamCall(s, c, v, to)
	case message.IM:
		w.spamIM(s, c, v, to, t)
	default:
		w.spamMail(s, c, v, to, t)
	}
}

// worded is the voice of a campaign: within a wave it may have a few wordings only, while names, amounts, numbers and
// links change.
func (w *World) worded(v *wave, t topic) speech {
	speech := w.speech(t)
	if v.frozen > 0 {
		speech.rng = rand.New(rand.NewPCG(v.seed, uint64(w.rng.IntN(v.frozen))))
	}
	return speech
}

// wordedText is a text of a campaign, with its tricks played.
func (w *World) wordedText(s *Sent, c *campaign, v *wave, t topic) string {
	body := w.worded(v, t).say(c.purpose.name + "_sms")
	for _, trick := range v.tricks {
		if w.rng.IntN(3) > 0 {
			if changed := w.disguise(trick, body); changed != body {
				body = changed
				s.Truth.Evasion = append(s.Truth.Evasion, trick)
			}
		}
	}
	return body
}

func (w *World) spamText(s *Sent, c *campaign, v *wave, to *person, t topic) {
	body := w.wordedText(s, c, v, t)
	s.Truth.Country = v.abroad.code
	if v.sender == "" {
		w.text(s, systemPeople, pick(w.rng, v.numbers), tonInternational, to.number, body)
		return
	}
	w.text(s, systemCheap, v.sender, tonAlphanumeric, to.number, body)
}

func (w *World) spamMail(s *Sent, c *campaign, v *wave, to *person, t topic) {
	speech := w.worded(v, t)
	d := draft{fromName: pick(w.rng, c.purpose.names), toName: to.full(), to: to.address, subject: speech.say(c.purpose.name + "_subject"),
		body: speech.say(c.purpose.name + "_body"), date: s.At, html: v.seed%3 > 0}
	if c.purpose.name == "fee" {
		d.fromName, d.html = t.known["mefull"], false
	}
	if w.rng.IntN(4) == 0 {
		d.toName = ""
	}
	for _, trick := range v.tricks {
		if w.rng.IntN(3) > 0 && w.disguiseMail(trick, &d, t) {
			s.Truth.Evasion = append(s.Truth.Evasion, trick)
		}
	}
	if strings.Contains(strings.ToLower(d.body), "attach") || c.purpose.name == "invoice" && w.rng.IntN(2) == 0 {
		d.attachment = w.invoice(t)
	}
	switch c.infra {
	case bots:
		w.byBot(s, &d, c, v)
	case servers:
		w.byServer(s, &d, v)
	case hijacking:
		victim := pick(w.rng, c.victims)
		d.from, d.program = victim.address, victim.program
		if w.rng.IntN(2) == 0 {
			d.replyTo = plain(strings.ReplaceAll(d.fromName, " ", ".")) + "@" + v.domain
		}
		w.throughProvider(s, &d, victim)
	}
	w.post(s, &d)
}

// invoice is an attachment of a page that asks for money; it holds nothing that runs.
func (w *World) invoice(t topic) *attachment {
	page := "<html><body><h1>" + t.known["order"] + "</h1><form action=\"" + t.known["link"] + "\"><input name=\"card\"></form></body></html>\n"
	return &attachment{name: "invoice-" + w.token(6) + ".html", kind: "text/html", data: []byte(page)}
}

// byBot sends from an infected machine: no host name, a made-up HELO, an invented author, a forged hop at times.
func (w *World) byBot(s *Sent, d *draft, c *campaign, v *wave) {
	m := pick(w.rng, c.machines)
	d.from = plain(pick(w.rng, firstNames["en"])) + w.token(3) + "@" + pick(w.rng, []string{v.domain, "mail-avaria.example", "post-brenland.example"})
	d.program = pick(w.rng, []string{"X-Mailer: Microsoft Outlook Express 6.00.2900", "X-Mailer: The Bat! (v2.00.8)", ""})
	if w.rng.IntN(3) > 0 {
		d.messageID = w.token(12) + "@" + pick(w.rng, []string{"localhost", "pc-" + w.token(4), v.domain})
	}
	if w.rng.IntN(10) == 0 {
		d.date = d.date.Add(26 * time.Hour)
	}
	if w.rng.IntN(3) == 0 {
		d.hops = []hop{{from: "mx." + v.domain, address: pick(w.rng, w.networks).address(w.rng), by: "relay." + v.domain, with: "SMTP", at: s.At.Add(-time.Hour)}}
	}
	helo := pick(w.rng, []string{"user-pc", "localhost", v.domain, "[" + literal(m.address) + "]"})
	name := ""
	if w.rng.IntN(2) == 0 && m.address.Is4() {
		name = "dyn-" + strings.ReplaceAll(m.address.String(), ".", "-") + "." + m.network.domain
	}
	s.Mail = &Mail{Client: m.address, Name: name, Helo: helo, From: d.from, To: []string{d.to}, QueueID: w.queueID()}
	s.Truth.Country, s.Truth.Network, s.Truth.Path = m.network.country.code, m.network.number, pathOf(m.network)
}

// byServer sends from a rented server, well formed, with a way to unsubscribe that leads nowhere.
func (w *World) byServer(s *Sent, d *draft, v *wave) {
	m := pick(w.rng, v.servers)
	server := "mta" + base36(uint64(1+w.rng.IntN(4))) + "." + v.domain
	d.from = pick(w.rng, []string{"info", "service", "no-reply", "news"}) + "@" + v.domain
	d.messageID = w.messageID(v.domain)
	if v.seed%4 == 0 {
		d.unsubscribe = "https://" + v.domain + "/u/" + w.token(8)
	}
	d.noPlain = v.seed%5 == 0
	s.Mail = &Mail{Client: m.address, Name: server, Helo: server, From: "b-" + w.token(6) + "@" + v.domain, To: []string{d.to}, QueueID: w.queueID()}
	s.Truth.Country, s.Truth.Network, s.Truth.Path = m.network.country.code, m.network.number, pathOf(m.network)
}
