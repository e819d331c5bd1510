package world

import (
	"math"
	"time"

	"rempart/message"
)

// manner is how calls of one kind go.
type manner struct {
	kind     string
	answered float64       // of all
	median   time.Duration // of those answered
	byCaller float64       // of those, ended by the caller
	back     float64       // of all, called back by who was called
	agents   []string      // User-Agent
}

// manners: people talk for minutes and either one ends it, machines speak their sentence, and from who sells something
// the callee hangs up. The one that rings once waits to be called back.
var manners = []manner{
	{"personal", 0.72, 110 * time.Second, 0.5, 0.12, nil},
	{"work", 0.65, 150 * time.Second, 0.5, 0.10, exchanges},
	{"call_centre", 0.55, 75 * time.Second, 0.45, 0.10, exchanges},
	{"delivery", 0.60, 18 * time.Second, 0.7, 0.15, devices},
	{"appointment", 0.70, 22 * time.Second, 0.85, 0.05, exchanges},
	{"school", 0.75, 18 * time.Second, 0.9, 0.02, exchanges},
	{"vishing", 0.50, 45 * time.Second, 0.3, 0.03, dialers},
	{"telemarketing", 0.40, 11 * time.Second, 0.12, 0.01, dialers},
	{"robocall", 0.45, 5 * time.Second, 0.08, 0.01, dialers},
	{"wangiri", 0, 0, 1, 0.06, dialers},
}

var (
	exchanges = []string{"Office Exchange 18.4", "CloudPBX/7", "TK-Anlage 5000"}
	dialers   = []string{"autodial/3.1", "voip-gw 1.0", ""}
)

func mannerOf(kind string) *manner {
	for i := range manners {
		if manners[i].kind == kind {
			return &manners[i]
		}
	}
	return &manners[0]
}

// call makes a call in the manner of a kind, with the records of how it ended.
func (w *World) call(s *Sent, x SIP, kind string) {
	m := mannerOf(kind)
	if len(m.agents) > 0 {
		x.UserAgent = pick(w.rng, m.agents)
	}
	r := message.CallRecord{CallID: x.CallID, Caller: "+" + x.Caller, Callee: "+" + x.Callee, Begun: s.At, HungUp: message.Caller}
	if w.rng.Float64() < m.answered {
		r.Answered, r.Duration = true, w.lasting(m.median)
		if w.rng.Float64() >= m.byCaller {
			r.HungUp = message.Callee
		}
	}
	s.Call = &Call{SIP: x, Records: []message.CallRecord{r}}
	if w.rng.Float64() >= m.back {
		return
	}
	back := message.CallRecord{CallID: w.token(12) + "@" + operatorVoice, Caller: r.Callee, Callee: r.Caller,
		Begun: s.At.Add(r.Duration + time.Duration(20+w.rng.IntN(100))*time.Second), Answered: w.rng.IntN(4) > 0, HungUp: message.Caller}
	if back.Answered {
		back.Duration = w.lasting(time.Minute)
	}
	s.Call.Records = append(s.Call.Records, back)
}

// longestCall: whoever forgets to hang up is cut off.
const longestCall = 2 * time.Hour

// lasting is a duration about a median, as those of calls are spread: log-normal, in whole seconds.
func (w *World) lasting(median time.Duration) time.Duration {
	d := time.Duration(float64(median) * math.Exp(0.8*w.rng.NormFloat64()))
	return max(time.Second, min(longestCall, d.Round(time.Second)))
}

// acquaintances are two who know each other; the second is a customer.
func (w *World) acquaintances() (from, to *person) {
	from = pick(w.rng, w.others)
	if w.rng.IntN(3) == 0 {
		if c := pick(w.rng, w.customers); len(c.friends) > 0 {
			from = c
		}
	}
	return from, pick(w.rng, from.friends)
}

// honestCall is one that nobody minds.
func (w *World) honestCall(s *Sent, personal bool) {
	switch {
	case w.burst.left > 0 && w.rng.IntN(5) > 0:
		w.burst.left--
		w.businessCall(s, w.burst.school, "school", w.parentOf(w.burst.school))
		return
	case personal:
		from, to := w.acquaintances()
		s.Truth.Kind, s.Truth.Language = "personal", from.country.language
		x := w.sip(s, from.number, to.number, pick(w.rng, []string{"", from.full()}), w.wayOf(from.carrier))
		x.UserAgent = from.device
		w.call(s, x, "personal")
		return
	}
	b := pick(w.rng, w.businesses)
	kind := pick(w.rng, b.trade.calls)
	if kind == "school" { // one letter to all parents, read out by a machine
		w.burst = burst{b, 8 + w.rng.IntN(24)}
	}
	w.businessCall(s, b, kind, w.customerOf(b.country.language))
}

// burst is the calls of one school that are still to come.
type burst struct {
	school *business
	left   int
}

// parentOf is a customer whose child is at the school: one in a row of forty.
func (w *World) parentOf(b *business) *person {
	return w.customers[(b.server*7+w.rng.IntN(40))%len(w.customers)]
}

func (w *World) businessCall(s *Sent, b *business, kind string, to *person) {
	s.Truth.Kind, s.Truth.Language = kind, b.country.language
	origin := w.carrierOf(b.number)
	if kind == "call_centre" {
		origin = b.host
	}
	w.call(s, w.sip(s, b.number, to.number, b.name, w.wayOf(origin)), kind)
}

// spamCall is a call of a campaign: who calls how, and what the callee is shown.
func (w *World) spamCall(s *Sent, c *campaign, v *wave, to *person) {
	kind := c.purpose.call
	m := pick(w.rng, v.servers)
	number, spoofed := w.shown(kind, v, to)
	name := ""
	if len(c.purpose.names) > 0 && v.seed%3 > 0 {
		name = pick(w.rng, c.purpose.names)
	}
	way := w.wayOf(m.network)
	x := w.sip(s, number, to.number, name, way)
	x.Via[len(x.Via)-1].Address = m.address
	if v.seed%2 == 0 {
		x.Asserted = ""
	}
	if v.seed%4 == 1 { // a forged hop: as if it came from an honest carrier
		x.Via = append(x.Via, w.via(w.networksOf(mobile, nil)[v.seed%5]))
		s.Truth.Evasion = append(s.Truth.Evasion, "forged_hop")
	}
	if spoofed {
		s.Truth.Evasion = append(s.Truth.Evasion, "spoofed_number")
	}
	w.call(s, x, kind)
}

// shown is the number that a spam call shows, and whether it is somebody else's or nobody's.
func (w *World) shown(kind string, v *wave, to *person) (number string, spoofed bool) {
	switch {
	case kind == "wangiri":
		return pick(w.rng, v.dear), false
	case kind == "vishing" && v.seed%4 > 1:
		return w.neighbour(to.number), true
	case kind == "vishing" && v.hotline != "" && w.rng.IntN(3) > 0:
		return v.hotline, true
	case kind != "telemarketing" && w.rng.IntN(6) == 0:
		return w.impossible(), true
	}
	return v.numbers[w.rng.IntN(3)], false
}
