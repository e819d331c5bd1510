package behaviour

import (
	"hash/maphash"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unique"

	"rempart/message"
)

// Accounts remembers what each account of the operator's own sends by mail: how many recipients an hour against its habit, to how
// many to whom it never wrote, under how many authors, from where, and what came back. It learns from what the node judged, and
// from nothing else. It is bounded: accounts that sent nothing for longest are forgotten first. It is safe for concurrent use;
// nothing of it outlives the process.
type Accounts struct {
	seed maphash.Seed

	mu         sync.Mutex
	young, old map[accountKey]*account // two generations, as of Callers
	sent       [2]map[uint64]outgoing
}

// outgoing is a mail that went out.
type outgoing struct {
	account accountKey
	back    uint32 // how often it can come back yet: once for each of its recipients
}

// accountName says whose account it is: two tenants may each have one of the same name, and who judges for one of them must not
// move the other's. It is folded.
type accountName struct{ tenant, account string }

// accountKey is one name kept once, for many Message-IDs are of one account.
type accountKey = unique.Handle[accountName]

func keyOf(m *message.Message) accountKey {
	s := m.ScopeOf(nil)
	return unique.Make(accountName{s.Tenant, s.User})
}

const (
	accountGeneration = 8192
	// AccountCapacity is the most accounts known at one time, some 15 MB.
	AccountCapacity = 2 * accountGeneration
	// sentGeneration bounds the Message-IDs that went out, by which returned mail is known; some 8 MB.
	sentGeneration = 1 << 16
	// maxAccountName is the longest name that is kept: that of an address (RFC 5321 section 4.5.3.1).
	maxAccountName = 320
)

type account struct {
	first      int64  // second of the first mail
	hour       window // recipients
	strangers  window // of those, to whom it never wrote before; by hour
	day        window // recipients
	returned   window // by day
	complained window // by day
	busy       uint32 // recipients of the busiest hour of the running day
	usual      uint32 // of the busiest hour of a day, followed slowly
	recipients [2]known
	authors    bitmap // of this day
	places     [accountPlaces]place
}

// accountPlaces: home, work, the phone's network, and one to spare, each with its country.
const accountPlaces = 8

type place struct {
	hash          uint64
	first, latest int64 // seconds
}

// known are those to whom an account wrote, as a Bloom filter of two bits each (Bloom 1970): of 300, one stranger in thirty is
// taken for known.
type known struct {
	bits [32]uint64
	n    int
}

const knownGeneration = 300

func (k *known) has(hash uint64) bool {
	const size = 64 * uint64(len(known{}.bits))
	a, b := hash%size, hash>>32%size
	return k.bits[a/64]>>(a%64)&1 == 1 && k.bits[b/64]>>(b%64)&1 == 1
}

func (k *known) add(hash uint64) {
	const size = 64 * uint64(len(known{}.bits))
	a, b := hash%size, hash>>32%size
	k.bits[a/64] |= 1 << (a % 64)
	k.bits[b/64] |= 1 << (b % 64)
	k.n++
}

// NewAccounts returns a table that knows nobody.
func NewAccounts() *Accounts { return &Accounts{seed: maphash.MakeSeed()} }

// Send notes a mail that an account sends; its source is placed.
func (c *Accounts) Send(m *message.Message) {
	if m.Account == "" || len(m.Account) > maxAccountName {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now, key := m.Arrived.Unix(), keyOf(m)
	a := c.account(key, now)
	a.turn(now)
	all, strangers := uint32(max(1, len(m.Recipients))), uint32(0)
	for i := range m.Recipients {
		if a.writes(maphash.String(c.seed, m.Recipients[i].Address)) {
			strangers++
		}
	}
	a.hour.addN(now, hourLength, all)
	a.day.addN(now, dayLength, all)
	a.strangers.addN(now, hourLength, strangers)
	a.busy = max(a.busy, a.hour.count(now, hourLength))
	a.authors.set(maphash.String(c.seed, m.From.String()))
	for _, where := range placesOf(m) {
		if where == "" {
			continue
		}
		a.comes(maphash.String(c.seed, where), now)
	}
	if m.MessageID != "" {
		c.remember(c.mail(key.Value().tenant, m.MessageID), outgoing{key, all})
	}
}

const (
	hourLength = 3600
	dayLength  = 24 * hourLength
)

// Return notes that a mail came back to a tenant, if an account of that tenant that is known sent it. Anybody can write a report of
// non-delivery, but nobody outside knows the Message-IDs of mail that they never got, and who got one can return it, or complain about
// it, no more often than it had recipients.
func (c *Accounts) Return(tenant, messageID string, at time.Time) {
	c.hear(tenant, messageID, func(a *account) { a.returned.addN(at.Unix(), dayLength, 1) })
}

// Complain notes that somebody complained about a mail. It is bounded as [Accounts.Return] is.
func (c *Accounts) Complain(tenant, messageID string, at time.Time) {
	c.hear(tenant, messageID, func(a *account) { a.complained.addN(at.Unix(), dayLength, 1) })
}

// hear finds who sent a mail of which a recipient is heard.
func (c *Accounts) hear(tenant, messageID string, note func(*account)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	hash := c.mail(tenant, messageID)
	for _, generation := range c.sent {
		o, ok := generation[hash]
		if !ok {
			continue
		}
		if a := c.find(o.account); a != nil && o.back > 0 {
			note(a)
			o.back--
			generation[hash] = o
		}
		return
	}
}

// Of is what the account of m did until m arrived.
func (c *Accounts) Of(m *message.Message) message.Sending {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.find(keyOf(m))
	if a == nil {
		return message.Sending{Known: m.Account != ""}
	}
	now := m.Arrived.Unix()
	s := message.Sending{Known: true, Hour: a.hour.count(now, hourLength), Usual: a.usual,
		Day: a.day.count(now, dayLength), Returned: a.returned.count(now, dayLength),
		Complained: a.complained.count(now, dayLength), Authors: a.unlikeAuthors(now)}
	if now-a.first >= settled {
		s.Strangers = a.strangers.count(now, hourLength)
		where := placesOf(m)
		s.NewNetwork, s.NewCountry = c.newPlace(a, where[0], now), c.newPlace(a, where[1], now)
	}
	return s
}

// settled is how long an account is watched before people and places are new to it, and newFor how long the place stays so.
const (
	settled = 3 * dayLength
	newFor  = dayLength
)

func (c *Accounts) newPlace(a *account, where string, now int64) bool {
	hash := maphash.String(c.seed, where)
	return where != "" && slices.ContainsFunc(a.places[:], func(p place) bool { return p.hash == hash && now-p.first < newFor })
}

// placesOf are the network and the country that a mail is sent from; "" where one is not known.
func placesOf(m *message.Message) (where [2]string) {
	if m.Source.Network != 0 {
		where[0] = "AS" + strconv.FormatUint(uint64(m.Source.Network), 10)
	}
	where[1] = m.Source.Country
	return where
}

// Forget drops what is known of accounts, in every tenant.
func (c *Accounts) Forget(isAccount func(string) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, generation := range []map[accountKey]*account{c.young, c.old} {
		maps.DeleteFunc(generation, func(key accountKey, _ *account) bool { return isAccount(key.Value().account) })
	}
	for _, generation := range c.sent {
		maps.DeleteFunc(generation, func(_ uint64, o outgoing) bool { return isAccount(o.account.Value().account) })
	}
}

func (c *Accounts) find(key accountKey) *account {
	if a := c.young[key]; a != nil {
		return a
	}
	return c.old[key]
}

// account finds or opens an account.
func (c *Accounts) account(key accountKey, now int64) *account {
	if a := c.young[key]; a != nil {
		return a
	}
	a := c.old[key]
	if a == nil {
		a = &account{first: now}
	}
	if c.young == nil || len(c.young) >= accountGeneration {
		c.old, c.young = c.young, make(map[accountKey]*account)
	}
	c.young[key] = a
	return a
}

// remember notes a mail that went out; one that the account gives to the server in parts, each to other recipients, is one mail.
func (c *Accounts) remember(hash uint64, o outgoing) {
	for _, generation := range c.sent {
		if part, ok := generation[hash]; ok {
			if part.account == o.account {
				o.back += part.back
			}
			break
		}
	}
	if c.sent[0] == nil || len(c.sent[0]) >= sentGeneration {
		c.sent[1], c.sent[0] = c.sent[0], make(map[uint64]outgoing)
	}
	c.sent[0][hash] = o
}

// mail is what a Message-ID of a tenant's is kept under.
func (c *Accounts) mail(tenant, messageID string) uint64 {
	return maphash.String(c.seed, tenant+"\x00"+strings.ToLower(messageID))
}

// turn closes the days that ended before now. The habit follows the busiest hour of a day by half, and at most doubles, so that
// who steals an account cannot make a flood its habit within a day; it falls by an eighth.
func (a *account) turn(now int64) {
	if a.day.span == 0 || now/dayLength <= a.day.span {
		return
	}
	if a.busy > a.usual {
		a.usual += (min(a.busy, 2*a.usual+smallHour) - a.usual + 1) / 2
	} else {
		a.usual -= (a.usual - a.busy) / 8
	}
	a.busy = 0
	a.authors = bitmap{}
}

// smallHour is how many recipients within an hour are nothing to speak of, whoever sends.
const smallHour = 30

// writes notes a recipient and reports whether it is a stranger.
func (a *account) writes(hash uint64) bool {
	if a.recipients[0].has(hash) {
		return false
	}
	stranger := !a.recipients[1].has(hash)
	if a.recipients[0].n >= knownGeneration {
		a.recipients[1], a.recipients[0] = a.recipients[0], known{}
	}
	a.recipients[0].add(hash)
	return stranger
}

// comes notes a place; the one that was not seen for longest makes room.
func (a *account) comes(hash uint64, now int64) {
	at := &a.places[0]
	for i := range a.places {
		p := &a.places[i]
		if p.hash == hash {
			p.latest = now
			return
		}
		if p.latest < at.latest {
			at = p
		}
	}
	*at = place{hash, now, now}
}

func (a *account) unlikeAuthors(now int64) uint32 {
	if now/dayLength > a.day.span {
		return 0
	}
	return a.authors.estimate()
}
