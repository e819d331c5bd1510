// Package world makes simulated worlds from a seed: countries, operators, people, businesses and spammers, and the mails,
// texts, calls and instant messages that they send, each with the truth about it.
//
// A [World] is the same for the same [Config]: its people and its messages, byte for byte. [World.Next] gives the next
// message in the order of virtual time. Config.Stream chooses another stretch of traffic among the same people and the
// same gangs; spam comes in waves that depend on the virtual time alone, so that streams of one time share them.
//
// Nothing here is of the real world: addresses are from 2001:db8::/32 and 198.18.0.0/15, networks have private numbers
// (64512 to 65534), domains end in .example and .test, countries have user-assigned codes (XA to XE), and telephone
// numbers are from ranges set aside for fiction. All texts were written for it (text/*.toml). [World.Geography] places the
// addresses as an MMDB file, [World.NumberPlan] the numbers, and [World.Map] draws the countries.
//
// A World is for one goroutine. It does no I/O: package send plays it against front doors.
package world

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"rempart/message"
)

// Config says which world, and which stretch of its traffic.
type Config struct {
	Seed   uint64    // of countries, people, businesses and gangs
	Stream uint64    // of the traffic among them
	Start  time.Time // virtual time of the beginning; dates in messages follow it
	Rate   float64   // messages a second of virtual time, in the mean
}

// mix is what the traffic is made of. The share of spam is that of a mail system behind no filter but a few blocklists, of
// texts on a network whose grey routes are half closed, and of calls and messages where nobody was yet stopped.
var mix = []struct {
	channel     message.Channel
	share, spam float64 // of all messages; of the channel's
}{
	{message.Email, 0.50, 0.45},
	{message.SMS, 0.25, 0.20},
	{message.Call, 0.15, 0.30},
	{message.IM, 0.10, 0.25},
}

// Sent is one message, how it goes over the wire, and the truth about it. One of Mail, Text, Call and IM is there.
type Sent struct {
	Number  uint64        // 1 is the stream's first
	At      time.Time     // virtual
	Delay   time.Duration // since the one before
	Channel message.Channel
	Truth   Truth
	Mail    *Mail
	Text    *Text
	Call    *Call
	IM      *IM
}

// Truth is what no filter is told.
type Truth struct {
	Label    message.Label
	Category message.Category // none if it is no spam
	Kind     string           // "personal", "receipt", "parcel" ...
	Campaign string           // of a spam, the same on all channels; else empty
	Language string           // BCP 47
	Country  string           // where it comes from
	Network  uint32           // number of the system that handed it to the operator; 0 for texts
	Path     []string         // its real way, from the origin to who handed it to the operator: networks as "AS64512", submitters of texts by name
	Sender   string           // number with plus, sender ID, or domain of the author
	Hosts    []string         // of a spam: where the links of its campaign lead at that time
	Evasion  []string         // tricks played on this message
}

// Mail is a mail as it reaches the operator's server.
type Mail struct {
	Client  netip.Addr // of the server or machine that hands it over
	Name    string     // its host name; empty if it has none
	Helo    string
	From    string   // RFC 5321 reverse path; empty for none
	To      []string // recipients, all at this operator
	QueueID string   // of the operator's server
	Raw     []byte   // RFC 5322, CR LF; as the operator's server passes it on, without its own Received field
}

// Text is a text as it reaches the operator's message centre.
type Text struct {
	SystemID    string // who submits it
	Source      string // number without plus, or sender ID
	SourceTON   byte   // 1 international, 5 alphanumeric
	Destination string // international number without plus
	Encoding    string // gsm7 or ucs2
	DataCoding  byte
	Parts       []Part
	Body        string // what was written, before it was cut into parts
}

// Part is one short message of a text.
type Part struct {
	UserData []byte // with its header if UDHI is set
	UDHI     bool
}

// Call is a call as it reaches the operator, and what became of it if nobody stopped it.
type Call struct {
	SIP
	// Records are how it ended, and after it the calls back by who was called, as the operator's exchange writes them.
	Records []message.CallRecord
}

// IM is an instant message (SIP MESSAGE, RFC 3428) as it reaches the operator.
type IM struct {
	SIP
	Body string
}

// World is one simulated world.
type World struct {
	cfg       Config
	rng       *rand.Rand
	now       time.Time
	number    uint64
	languages map[string]grammar

	countries  []*country
	networks   []*network
	customers  []*person // of this operator: who gets everything
	others     []*person
	businesses []*business
	hotlines   []string
	campaigns  []*campaign
	burst      burst
}

// New makes the world of a configuration.
func New(c Config) (*World, error) {
	if c.Rate <= 0 {
		return nil, fmt.Errorf("world: rate %v: use a number above 0", c.Rate)
	}
	w := &World{cfg: c, now: c.Start, rng: rand.New(rand.NewPCG(c.Seed, streamBase+c.Stream))}
	var err error
	if w.languages, err = grammars(); err != nil {
		return nil, err
	}
	made := rand.New(rand.NewPCG(c.Seed, populationStream))
	w.place(made)
	w.populate(made)
	w.conspire(made)
	return w, nil
}

// The streams of one seed, kept apart: what the world is made of, its waves, its traffic.
const (
	populationStream = 1
	mapStream        = 2
	waveBase         = 1 << 20
	streamBase       = 1 << 40
)

// Next gives the next message.
func (w *World) Next() Sent {
	delay := time.Duration(w.rng.ExpFloat64() / w.cfg.Rate * float64(time.Second))
	w.now = w.now.Add(delay)
	w.number++
	m := mix[0]
	x := w.rng.Float64()
	for _, m = range mix {
		if x -= m.share; x < 0 {
			break
		}
	}
	s := Sent{Number: w.number, At: w.now, Delay: delay, Channel: m.channel}
	if w.rng.Float64() < m.spam {
		w.spam(&s)
	} else {
		w.honest(&s)
	}
	return s
}

// CatchUp moves virtual time ahead to t if it is behind: what would have been sent meanwhile is not. A player that stood
// still goes on with messages of today.
func (w *World) CatchUp(t time.Time) {
	if t.After(w.now) {
		w.now = t
	}
}

// Systems are the names by which texts are submitted: one SMPP bind each.
func (w *World) Systems() []string { return []string{systemPeople, systemBusiness, systemCheap} }

// Who submits texts: the interconnection with other mobile operators, an aggregator of businesses, and a cheap one that
// asks nobody for a name.
const (
	systemPeople   = "interconnect"
	systemBusiness = "aggregator-1"
	systemCheap    = "aggregator-2"
)

func pick[T any](rng *rand.Rand, from []T) T { return from[rng.IntN(len(from))] }
