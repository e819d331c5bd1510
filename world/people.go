package world

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"strings"

	"rempart/message"
)

// person is someone who writes.
type person struct {
	first, last string
	country     *country
	address     string   // of mail
	number      string   // of the phone, international without plus
	carrier     *network // that the phone is with
	provider    *network // of the mail address; nil for customers of this operator
	home        *network // where the computer stands
	program     string   // User-Agent or X-Mailer
	html        bool
	device      string // User-Agent of the phone
	friends     []*person
}

func (p *person) full() string { return p.first + " " + p.last }

// business is someone who sends receipts and reminders.
type business struct {
	name, domain string
	trade        trade
	country      *country
	host         *network
	server       int    // of the host's addresses
	sender       string // of texts
	number       string // that its calls show
	hotline      string // that customers call and that never calls; empty if it has none
	writer       *person
}

// trade says what a business sends: rules of the grammar, for mails and for texts.
type trade struct {
	names       []string // {city} and {last} are put in
	mails       []string
	textsByRule []string
	calls       []string // kinds
}

var trades = []trade{
	{[]string{"{last} Books", "{last} & Co", "{city} Garden", "Bikes {last}", "Tea House {city}"}, []string{"receipt", "newsletter", "receipt"}, []string{"sms_parcel", "sms_code"}, []string{"call_centre"}},
	{[]string{"Bank of {city}", "{city} Savings", "{last} Credit Union"}, []string{"account"}, []string{"sms_bank", "sms_code", "sms_code"}, []string{"call_centre", "call_centre", "work"}},
	{[]string{"{city} Parcel", "Courier {last}", "{city} Post"}, []string{"receipt"}, []string{"sms_parcel"}, []string{"delivery"}},
	{[]string{"Dr {last}", "Dental {city}", "Physio {last}"}, []string{"appointment"}, []string{"sms_appointment"}, []string{"appointment", "appointment", "work"}},
	{[]string{"{city} School", "{last} Primary", "Music School {city}"}, []string{"school"}, []string{"sms_school"}, []string{"school", "work"}},
	{[]string{"{last} Media", "{city} Courier", "Radio {city}"}, []string{"newsletter"}, []string{"sms_code"}, []string{"call_centre"}},
	{[]string{"{last} Engineering", "{city} Works", "{last} Partners"}, []string{"work"}, []string{"sms_code"}, []string{"work"}},
}

var firstNames = map[string][]string{
	"en": {"Alice", "Ben", "Clara", "Daniel", "Ella", "Frank", "Grace", "Henry", "Isla", "Jack", "Kate", "Liam", "Mary", "Noah", "Olive", "Peter", "Rose", "Sam", "Tess", "Will"},
	"de": {"Anna", "Bernd", "Carla", "Dieter", "Eva", "Felix", "Greta", "Hans", "Ida", "Jörg", "Käthe", "Lukas", "Marie", "Nils", "Petra", "Rolf", "Sabine", "Till", "Ute", "Wolf"},
	"fr": {"Anne", "Bruno", "Chloé", "Denis", "Élise", "Fabien", "Gaëlle", "Hugo", "Inès", "Jean", "Léa", "Marc", "Noémie", "Paul", "René", "Sophie", "Théo", "Zoé"},
	"es": {"Ana", "Bruno", "Carmen", "Diego", "Elena", "Fermín", "Gloria", "Hugo", "Inés", "José", "Lucía", "Marta", "Nuria", "Óscar", "Pilar", "Rosa", "Tomás"},
}

var lastNames = map[string][]string{
	"en": {"Ashdown", "Barlow", "Cole", "Dunmore", "Ellery", "Fenwick", "Gale", "Hartley", "Ives", "Jessop", "Kerr", "Langley", "Marsh", "Norris", "Oakes"},
	"de": {"Albrecht", "Brandt", "Cramer", "Dietz", "Ebert", "Fuchs", "Grün", "Hoffer", "Jahn", "Keller", "Lorenz", "Möller", "Nolte", "Ott", "Pohl"},
	"fr": {"Aubert", "Blanchet", "Colin", "Dumas", "Fabre", "Girard", "Hubert", "Jolivet", "Lambert", "Morel", "Noël", "Perrin", "Roussel", "Tessier"},
	"es": {"Alonso", "Bravo", "Campos", "Durán", "Esteban", "Flores", "Gallego", "Herrero", "Lozano", "Marín", "Núñez", "Ortega", "Prieto", "Vega"},
}

var cities = []string{"Avon Bay", "Brenstadt", "Corville", "Dorada", "Estport", "Highmoor", "Lindau", "Marbel", "Northwick", "Port Sena", "Quill", "Rivermouth"}

// programs that people write with, whether they write HTML, and what each puts before the @ of its Message-IDs; nil if that has no shape.
var programs = []struct {
	name string
	html bool
	id   func(seed [sha256.Size]byte) string
}{
	{"User-Agent: Mozilla Thunderbird", false, uuid},
	{"X-Mailer: Apple Mail (2.3774)", true, capitalUUID},
	{"X-Mailer: Microsoft Outlook 16.0", true, outlookID},
	{"X-Mailer: Webmail 4.2", true, nil},
	{"User-Agent: K-9 Mail for Android", false, capitalUUID},
}

// uuid is one of version 4 (RFC 9562).
func uuid(seed [sha256.Size]byte) string {
	seed[6], seed[8] = seed[6]&0x0f|0x40, seed[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", seed[:4], seed[4:6], seed[6:8], seed[8:10], seed[10:16])
}

func capitalUUID(seed [sha256.Size]byte) string { return strings.ToUpper(uuid(seed)) }

// outlookID is a number and the time, and twice whatever: "000b01d52900$31ca7bb0$955f7310$".
func outlookID(seed [sha256.Size]byte) string {
	return fmt.Sprintf("00%x01dc%x$%x$%x$", seed[:1], seed[1:3], seed[4:8], seed[8:12])
}

// devices that people call and chat with.
var devices = []string{"Handset/14.2 IMS", "Pocket 9 VoLTE", "Deskphone 480", "Softphone 5.1", "IMS-UE/3GPP-R16"}

// operatorDomain is where this operator's customers have their mail.
const operatorDomain = "harbour-mail.example"

// How many live here: enough that people write to each other again, few enough that they are known after some minutes.
const (
	customerCount = 240
	otherCount    = 400
	businessCount = 42
	friendCount   = 7
)

// populate makes people who know each other, and businesses.
func (w *World) populate(rng *rand.Rand) {
	for i := range customerCount {
		w.customers = append(w.customers, w.person(rng, nil, i))
	}
	for i := range otherCount {
		providers := w.networksOf(mailProvider, nil)
		w.others = append(w.others, w.person(rng, pick(rng, providers), i))
	}
	for _, p := range w.others {
		for range 1 + rng.IntN(friendCount) {
			if c := pick(rng, w.customers); c.country.language == p.country.language || rng.IntN(6) == 0 {
				p.friends = append(p.friends, c)
			}
		}
		if len(p.friends) == 0 {
			p.friends = append(p.friends, pick(rng, w.customers))
		}
	}
	for _, p := range w.customers {
		for range 1 + rng.IntN(friendCount) {
			c := pick(rng, w.customers)
			if c != p && (c.country.language == p.country.language || rng.IntN(6) == 0) {
				p.friends, c.friends = append(p.friends, c), append(c.friends, p)
			}
		}
	}
	for i := range businessCount {
		b := w.business(rng, trades[i%len(trades)], i)
		w.businesses = append(w.businesses, b)
		if b.hotline != "" {
			w.hotlines = append(w.hotlines, b.hotline)
		}
	}
}

func (w *World) person(rng *rand.Rand, provider *network, i int) *person {
	c := pick(rng, w.countries)
	domain := operatorDomain
	if provider != nil {
		c, domain = provider.country, provider.domain
	}
	program := pick(rng, programs)
	p := &person{first: pick(rng, firstNames[c.language]), last: pick(rng, lastNames[c.language]), country: c, number: c.anyNumber(rng),
		provider: provider, home: pick(rng, w.networksOf(fixed, c)), program: program.name, html: program.html, device: pick(rng, devices)}
	p.carrier = w.networksOf(own, nil)[0]
	if provider != nil {
		p.carrier = w.carrierOf(p.number)
	}
	local := plain(p.first) + pick(rng, []string{".", "-", ""}) + plain(p.last)
	p.address = local + base36(uint64(i)) + "@" + domain
	return p
}

func (w *World) business(rng *rand.Rand, t trade, i int) *business {
	c := pick(rng, w.countries)
	last, city := pick(rng, lastNames[c.language]), pick(rng, cities)
	name := strings.NewReplacer("{last}", last, "{city}", city).Replace(pick(rng, t.names))
	word := strings.ReplaceAll(plain(name), " ", "-")
	word = strings.NewReplacer("--", "-", "&", "", "'", "").Replace(word)
	b := &business{name: name, domain: strings.Trim(word, "-") + base36(uint64(i)) + ".example", trade: t, country: c,
		host: pick(rng, w.networksOf(hosting, nil)), server: 10 + rng.IntN(30)}
	b.writer = w.person(rng, nil, i)
	b.writer.country = c
	b.writer.address = plain(b.writer.first) + "@" + b.domain
	b.sender = strings.ReplaceAll(asciiFold(name), " ", "")
	b.sender = strings.ReplaceAll(b.sender, "&", "")
	b.sender = b.sender[:min(len(b.sender), 11)]
	b.number = c.number(rng, message.FixedLine)
	if strings.Contains(name, "Bank") || strings.Contains(name, "Savings") {
		if c.has(message.TollFree) {
			b.hotline = c.number(rng, message.TollFree)
		}
	}
	return b
}

// plain is a name as it stands in an address.
func plain(s string) string { return strings.ToLower(asciiFold(s)) }

var folds = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "Ö", "Oe", "é", "e", "É", "E", "è", "e", "ë", "e", "ï", "i", "í", "i", "ó", "o",
	"Ó", "O", "á", "a", "ú", "u", "ñ", "n", "ß", "ss")

func asciiFold(s string) string { return folds.Replace(s) }
