package world

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"time"

	"rempart/message"
)

// purpose is what a spam is for and on which channels. The grammar says it by the rules NAME_subject, NAME_body and
// NAME_sms.
type purpose struct {
	name     string
	category message.Category
	channels []message.Channel
	call     string // the manner of its calls
	scale    scale
	host     []string // of links; %s is the wave's
	names    []string // that the author of a mail goes by, and who calls
	senders  []string // of texts
}

// on reports whether a channel serves the purpose.
func (p *purpose) on(channel message.Channel) bool { return slices.Contains(p.channels, channel) }

var purposes = []purpose{
	{"parcel", message.Phishing, []message.Channel{message.Email, message.SMS, message.IM}, "", fee, []string{"parcel-redelivery-%s.example", "track-%s.test", "customs-fee-%s.example"}, []string{"Parcel Centre", "Delivery Service", "Customs Desk"}, []string{"PARCEL", "Pos7", "DELIVERY"}},
	{"bank", message.Phishing, []message.Channel{message.Email, message.SMS, message.Call}, "vishing", purchase, []string{"secure-login-%s.test", "account-verify-%s.example", "my-bank-%s.test"}, []string{"Security Team", "Bank Service", "Account Centre"}, []string{"BANK", "MyBank", "B4NK"}},
	{"fee", message.Scam, []message.Channel{message.Email}, "", fortune, []string{"%s.test"}, []string{"Barrister James", "Dr Okoro", "Mrs Adela"}, nil},
	{"pills", message.Commercial, []message.Channel{message.Email, message.SMS, message.IM}, "", purchase, []string{"pharma-%s.test", "best-meds-%s.example", "rx-%s.test"}, []string{"Online Pharmacy", "Health Shop", "Dr Slim"}, []string{"PHARMACY", "HEALTH"}},
	{"invoice", message.Scam, []message.Channel{message.Email}, "", purchase, []string{"invoice-doc-%s.example"}, []string{"Accounts", "Billing Department"}, nil},
	{"crypto", message.Scam, []message.Channel{message.Email, message.SMS, message.IM, message.Call}, "robocall", wages, []string{"coin-robot-%s.test", "wallet-%s.example", "trade-%s.test"}, []string{"Trading Desk", "Coin Robot", "Wallet Service"}, []string{"WALLET", "COIN"}},
	{"job", message.Scam, []message.Channel{message.SMS, message.IM}, "", wages, []string{"%s.test"}, []string{"Recruiting", "HR Desk"}, []string{""}},
	{"app", message.Malware, []message.Channel{message.SMS}, "", purchase, []string{"voicemail-%s.test", "update-%s.test"}, nil, []string{"Voicemail", "INFO", ""}},
	{"energy", message.Commercial, []message.Channel{message.Call}, "telemarketing", purchase, []string{"%s.test"}, []string{"Energy Advice", "Solar Team"}, nil},
	{"callback", message.Scam, []message.Channel{message.Call}, "wangiri", purchase, []string{"%s.test"}, nil, nil},
}

// infrastructure is how the mails of a campaign are sent.
type infrastructure int

const (
	bots      infrastructure = iota // infected machines at home
	servers                         // rented from hosts that answer nobody
	hijacking                       // accounts of honest people
)

// campaign is one gang's effort for one purpose; it comes in waves.
type campaign struct {
	name      string
	index     uint64
	purpose   *purpose
	languages []string
	infra     infrastructure
	machines  []machine // of bots
	victims   []*person // of hijacking
	tricks    []string
	period    time.Duration // from wave to wave
	duty      float64       // of the period is a wave
	phase     time.Duration
	current   *wave
}

type machine struct {
	address netip.Addr
	network *network
}

// wave is what a campaign changes from one wave to the next, and keeps within one.
type wave struct {
	number  int64
	seed    uint64
	hosts   []string // of links
	domain  string   // of the author
	servers []machine
	abroad  *country // where its numbers are
	numbers []string // that texts, messages and calls come from
	dear    []string // that nobody should call back
	hotline string   // of a bank; empty if none has one
	sender  string   // of texts; empty: a number
	tricks  []string
	frozen  int // so many wordings; 0: every message is worded anew
	link    int // how links look
}

const (
	machineCount = 60
	victimCount  = 6
	// quiet is what a campaign sends between two waves, of what it sends in one.
	quiet = 0.08
)

// conspire makes the campaigns: two of each purpose. The first gang never rests, so that there is always phishing by mail
// and by text; it changes its hosts with every wave like the others.
func (w *World) conspire(rng *rand.Rand) {
	tricks := []string{"homoglyph", "zero_width", "spaced", "leet", "hidden", "base64", "link_text"}
	languages := []string{"en", "de", "fr", "es"}
	for i := range 2 * len(purposes) {
		p := &purposes[i%len(purposes)]
		c := &campaign{name: fmt.Sprintf("%s-%d", p.name, 1+i/len(purposes)), index: uint64(i), purpose: p, infra: infrastructure((i + i/len(purposes)) % 3),
			period: time.Duration(4+rng.IntN(16)) * time.Minute, duty: 0.25 + rng.Float64()/3, phase: time.Duration(rng.IntN(1200)) * time.Second}
		rng.Shuffle(len(languages), func(i, j int) { languages[i], languages[j] = languages[j], languages[i] })
		c.languages = append([]string{"en"}, languages[:1+rng.IntN(3)]...)
		rng.Shuffle(len(tricks), func(i, j int) { tricks[i], tricks[j] = tricks[j], tricks[i] })
		c.tricks = append([]string(nil), tricks[:2]...)
		for range machineCount {
			n := pick(rng, w.networksOf(fixed, nil))
			c.machines = append(c.machines, machine{n.address(rng), n})
		}
		for range victimCount {
			c.victims = append(c.victims, pick(rng, w.others))
		}
		if i == 0 {
			c.duty = 1
		}
		w.campaigns = append(w.campaigns, c)
	}
}

// at is the campaign's wave at a time, and how much it sends then.
func (w *World) at(c *campaign, t time.Time) (*wave, float64) {
	since := t.Add(c.phase).UnixNano()
	number := since / int64(c.period)
	if c.current == nil || c.current.number != number {
		c.current = w.wave(c, number)
	}
	if float64(since%int64(c.period)) < c.duty*float64(c.period) {
		return c.current, 1
	}
	return c.current, quiet
}

// wave makes a campaign's n-th wave, the same in every stream of this world.
func (w *World) wave(c *campaign, n int64) *wave {
	rng := rand.New(rand.NewPCG(w.cfg.Seed, waveBase+c.index<<32+uint64(n&0xffffffff)))
	v := &wave{number: n, seed: rng.Uint64(), frozen: rng.IntN(4), link: rng.IntN(8), tricks: c.tricks[:rng.IntN(len(c.tricks)+1)]}
	word := func() string { return base36(46656 + rng.Uint64N(1600000)) }
	for range 1 + rng.IntN(4) {
		v.hosts = append(v.hosts, fmt.Sprintf(pick(rng, c.purpose.host), word()))
	}
	v.domain = fmt.Sprintf(pick(rng, []string{"mail-%s.test", "notice-%s.example", "%s.test"}), word())
	for range 2 + rng.IntN(4) {
		n := pick(rng, w.networksOf(lawless, nil))
		v.servers = append(v.servers, machine{n.address(rng), n})
	}
	if len(c.purpose.senders) > 0 && rng.IntN(2) == 0 {
		v.sender = pick(rng, c.purpose.senders)
	}
	v.abroad = pick(rng, w.countries)
	for range 8 {
		v.numbers = append(v.numbers, v.abroad.anyNumber(rng))
		c := pick(rng, w.countries)
		if c.has(message.Premium) {
			v.dear = append(v.dear, c.number(rng, message.Premium))
		} else {
			v.dear = append(v.dear, c.number(rng, message.FixedLine))
		}
	}
	if len(w.hotlines) > 0 {
		v.hotline = pick(rng, w.hotlines)
	}
	return v
}

// choose picks a campaign that sends on the channel now, those in a wave far more often.
func (w *World) choose(channel message.Channel) (*campaign, *wave) {
	total := 0.0
	weights := make([]float64, len(w.campaigns))
	for i, c := range w.campaigns {
		if c.purpose.on(channel) {
			_, weights[i] = w.at(c, w.now)
			total += weights[i]
		}
	}
	x := w.rng.Float64() * total
	for i, c := range w.campaigns {
		if x -= weights[i]; x < 0 {
			return c, c.current
		}
	}
	for _, c := range w.campaigns { // rounding left a rest
		if c.purpose.on(channel) {
			return c, c.current
		}
	}
	panic("world: no campaign for channel " + channel.String()) // the table of purposes has one for each
}

// link is a link of a wave: the host changes within it, the path with every message.
func (w *World) link(v *wave, text bool) string {
	host := pick(w.rng, v.hosts)
	path := "/" + w.token(5+w.rng.IntN(4))
	switch {
	case text && v.link%2 == 0: // with www, for the reserved names of this world alone are no links to anybody
		return "www." + host + path
	case v.link == 1 && len(v.servers) > 0 && v.servers[0].address.Is4():
		return "http://" + v.servers[0].address.String() + path
	case v.link == 3:
		return "https://" + strings.Join([]string{"www", "secure", "login", "customer"}, ".") + "." + host + path
	case v.link == 5:
		return "http://" + host + ":8080" + path
	}
	return "https://" + host + path + pick(w.rng, []string{"", "?id=" + w.token(6), "/" + w.token(4)})
}
