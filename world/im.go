package world

// honestIM is an instant message that nobody minds.
func (w *World) honestIM(s *Sent, personal bool) {
	if personal {
		from, to := w.acquaintances()
		t := w.topicOf(from, to)
		s.Truth.Kind, s.Truth.Language = "personal", t.language
		x := w.sip(s, from.number, to.number, pick(w.rng, []string{"", from.full()}), w.wayOf(from.carrier))
		x.UserAgent = from.device
		s.IM = &IM{SIP: x, Body: w.speech(t).say("sms_personal")}
		return
	}
	b := pick(w.rng, w.businesses)
	rule := pick(w.rng, b.trade.textsByRule)
	to := w.customerOf(b.country.language)
	t := w.noticeOf(b, to)
	s.Truth.Kind, s.Truth.Language = rule[len("sms_"):], t.language
	x := w.sip(s, b.number, to.number, b.name, w.wayOf(b.host))
	x.UserAgent = "Chat Desk 2"
	s.IM = &IM{SIP: x, Body: w.speech(t).say(rule)}
}

// spamIM is an instant message of a campaign. It has the words and the links of the campaign's texts.
func (w *World) spamIM(s *Sent, c *campaign, v *wave, to *person, t topic) {
	body := w.wordedText(s, c, v, t)
	m := pick(w.rng, v.servers)
	name := v.sender
	if name == "" && len(c.purpose.names) > 0 {
		name = pick(w.rng, c.purpose.names)
	}
	x := w.sip(s, pick(w.rng, v.numbers), to.number, name, w.wayOf(m.network))
	x.Via[len(x.Via)-1].Address = m.address
	if v.seed%2 == 0 {
		x.Asserted = ""
	}
	s.IM = &IM{SIP: x, Body: body}
}
