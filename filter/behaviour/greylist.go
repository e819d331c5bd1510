package behaviour

import (
	"strings"
	"sync"
	"time"

	"github.com/minio/highwayhash"

	"rempart/message"
)

// Greylist remembers which mail was put off because nothing was known of who handed it over, and which hosts came again
// (greylisting, RFC 6647): mail servers do, many programs that send spam do not. A mail is known by the host, the envelope sender and
// the recipient; a host is the domain for which SPF passed, or else its network (/24, /48). Of all that it keeps hashes with a key
// of its own. It is bounded: what happened longest ago is forgotten first. It is safe for concurrent use.
type Greylist struct {
	key [32]byte

	mu      sync.Mutex
	waiting generations[uint32] // second of the first attempt, since 1970
	passed  generations[uint32] // hosts that came again: day of the latest mail, since 1970
}

const (
	waitingGeneration = 1 << 17
	passedGeneration  = 1 << 16
	// WaitingCapacity is the most mails that are waited for at one time, some 8 MB; PassedCapacity the most hosts that came again,
	// some 4 MB.
	WaitingCapacity = 2 * waitingGeneration
	PassedCapacity  = 2 * passedGeneration

	// RetryWindow: who comes later than this begins anew; RFC 6647 section 5 wants this by default.
	RetryWindow = 24 * time.Hour
	// passDays: a host that comes again is not put off for so long, from its latest mail on: a monthly newsletter's too.
	passDays = 36
	// maxGreylisted: a server takes so many recipients at once at least (RFC 5321 section 4.5.3.1.8); the others are put off with
	// the last of them.
	maxGreylisted = 100
)

// NewGreylist returns a table that put nobody off.
func NewGreylist() *Greylist {
	return &Greylist{key: newKey(), waiting: generations[uint32]{size: waitingGeneration}, passed: generations[uint32]{size: passedGeneration}}
}

// Of is what is known of m's host, and since when copies of m are waited for.
func (g *Greylist) Of(m *message.Message) (known message.Greylisting) {
	host := hostOf(m)
	if host == "" {
		return known
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	known.Waited = make([]time.Duration, min(len(m.Recipients), maxGreylisted))
	for i := range known.Waited {
		first, ok := g.waiting.get(g.mail(m, host, i))
		if waited := m.Arrived.Sub(time.Unix(int64(first), 0)); ok && waited <= RetryWindow {
			known.Waited[i] = max(waited, 1)
		}
	}
	for _, tenant := range tenantsOf(m) {
		day, ok := g.passed.get(g.hash(tenant, host))
		known.Passed = known.Passed || ok && dayOf(m) <= day+passDays
	}
	return known
}

// PutOff notes that m was put off for its i-th recipient.
func (g *Greylist) PutOff(m *message.Message, i int) {
	host := hostOf(m)
	if host == "" || i >= min(len(m.Recipients), maxGreylisted) {
		return
	}
	key, now := g.mail(m, host, i), m.Arrived.Unix()
	g.mu.Lock()
	defer g.mu.Unlock()
	if first, ok := g.waiting.get(key); !ok || now-int64(first) > int64(RetryWindow/time.Second) {
		g.waiting.put(key, uint32(now))
	}
}

// Pass notes a mail that was taken of a host that came again.
func (g *Greylist) Pass(m *message.Message) {
	host := hostOf(m)
	if host == "" {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, tenant := range tenantsOf(m) {
		g.passed.put(g.hash(tenant, host), dayOf(m))
	}
}

// Clear forgets all mail that is waited for: hashes do not tell whose it is. Hosts that came again stay.
func (g *Greylist) Clear() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting.clear()
}

// hostOf is who would have to come again; "" if that is not known.
func hostOf(m *message.Message) string {
	if m.Facts.Auth.SPF == "pass" && m.Facts.Auth.SPFDomain != "" {
		return "spf " + strings.ToLower(m.Facts.Auth.SPFDomain)
	}
	return networkOf(m)
}

func (g *Greylist) mail(m *message.Message, host string, i int) uint64 {
	to := &m.Recipients[i]
	return g.hash(m.ScopeOf(to).Tenant, host, strings.ToLower(m.MailFrom), strings.ToLower(to.Address))
}

func (g *Greylist) hash(parts ...string) uint64 {
	return highwayhash.Sum64([]byte(strings.Join(parts, "\x00")), g.key[:])
}

func dayOf(m *message.Message) uint32 { return uint32(m.Arrived.Unix() / dayLength) }
