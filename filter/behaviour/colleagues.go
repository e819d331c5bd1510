package behaviour

import (
	"hash/maphash"
	"slices"
	"strings"
	"sync"
	"time"
)

// Colleagues remembers under which names, and from which addresses, people of a tenant's own organisations write: those whose mail
// went out on several days. Names and addresses are hashed with a key of the process. It is bounded: who wrote nothing for longest is
// forgotten first, and a domain with very many names is no organisation, whose people know each other. It is safe for
// concurrent use; nothing of it outlives the process.
type Colleagues struct {
	seed maphash.Seed

	mu         sync.Mutex
	young, old colleagueGeneration
}

// colleagueGeneration is what was seen since the last turn, by hash.
type colleagueGeneration struct {
	people map[uint64]colleague
	names  map[uint64]int // of each domain
}

type colleague struct {
	day       uint32 // of the latest mail, since 1970
	days      uint8  // on which there was mail; knownDays: they are known
	addresses [colleagueAddresses]uint64
}

const (
	// colleagueAddresses of one person; the latest count.
	colleagueAddresses = 4
	peopleGeneration   = 1 << 16
	// PeopleCapacity is the most people known at one time, some 10 MB.
	PeopleCapacity = 2 * peopleGeneration
	// maxColleagues is how many people an organisation may have so that one's namesake outside is odd: in a provider's domain,
	// which thousands share, everybody has one.
	maxColleagues = 1000
)

// NewColleagues returns a table that knows nobody.
func NewColleagues() *Colleagues { return &Colleagues{seed: maphash.MakeSeed()} }

// Wrote notes that a person wrote from an address of a tenant's own domain, as mail that went out shows them.
func (c *Colleagues) Wrote(tenant, domain, person, address string, at time.Time) {
	who, house, from := c.hash(tenant, domain, person), c.hash(tenant, domain, ""), c.hash(strings.ToLower(address))
	c.mu.Lock()
	defer c.mu.Unlock()
	p, seen := c.find(who)
	if !seen && c.provider(house) {
		return
	}
	if day := uint32(at.Unix() / dayLength); day > p.day {
		p.day, p.days = day, min(p.days+1, knownDays)
	}
	if !slices.Contains(p.addresses[:], from) {
		copy(p.addresses[1:], p.addresses[:])
		p.addresses[0] = from
	}
	if c.young.people == nil || len(c.young.people) >= peopleGeneration {
		c.old, c.young = c.young, colleagueGeneration{map[uint64]colleague{}, map[uint64]int{}}
	}
	if _, young := c.young.people[who]; !young {
		c.young.names[house]++
	}
	c.young.people[who] = p
}

// Namesake reports whether a person of that name is known in a tenant's domain, and whether the address is theirs.
func (c *Colleagues) Namesake(tenant, domain, person, address string) (named, theirs bool) {
	who, house, from := c.hash(tenant, domain, person), c.hash(tenant, domain, ""), c.hash(strings.ToLower(address))
	c.mu.Lock()
	defer c.mu.Unlock()
	p, _ := c.find(who)
	if p.days < knownDays || c.provider(house) {
		return false, false
	}
	return true, slices.Contains(p.addresses[:], from)
}

// Empty reports that nobody is known.
func (c *Colleagues) Empty() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.young.people) == 0
}

// Clear forgets all: hashes do not tell whose they are.
func (c *Colleagues) Clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.young, c.old = colleagueGeneration{}, colleagueGeneration{}
}

func (c *Colleagues) hash(parts ...string) uint64 {
	var h maphash.Hash
	h.SetSeed(c.seed)
	for _, p := range parts {
		_, _ = h.WriteString(p)
		_ = h.WriteByte(0)
	}
	return h.Sum64()
}

func (c *Colleagues) provider(house uint64) bool {
	return max(c.young.names[house], c.old.names[house]) > maxColleagues
}

func (c *Colleagues) find(who uint64) (colleague, bool) {
	if p, ok := c.young.people[who]; ok {
		return p, true
	}
	p, ok := c.old.people[who]
	return p, ok
}
