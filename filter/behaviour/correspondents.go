package behaviour

import (
	"hash/maphash"
	"strings"
	"sync"
	"time"

	"rempart/message"
)

// Correspondents remembers who is known to whom: to whom a mailbox wrote, under which Message-IDs, and from which authors and lists it
// had mail that was judged honest, on several days. Pairs are hashed with a key of the process. It is bounded: pairs of which nothing was seen for longest
// are forgotten first. It is safe for concurrent use; nothing of it outlives the process.
type Correspondents struct {
	seed maphash.Seed

	mu         sync.Mutex
	young, old map[uint64]acquaintance
}

// Mailbox is whose correspondence it is. Who judges for one tenant makes nobody known to another's mailbox of the same address.
// It counts in any case.
type Mailbox struct{ Tenant, Address string }

type acquaintance struct {
	day  uint32 // of the latest mail, since 1970
	days uint8  // on which there was honest mail; knownDays: they are known
}

const (
	pairGeneration = 1 << 18
	// PairCapacity is the most pairs known at one time, some 20 MB.
	PairCapacity = 2 * pairGeneration
	// knownDays: one mail that got through makes nobody known, nor do many of one day.
	knownDays = 3
)

// NewCorrespondents returns a table in which nobody knows anybody.
func NewCorrespondents() *Correspondents { return &Correspondents{seed: maphash.MakeSeed()} }

// Wrote notes that a mailbox wrote to somebody, or a Message-ID, which is known to it from now on.
func (c *Correspondents) Wrote(mailbox Mailbox, what string, at time.Time) {
	c.note(c.pair(mailbox, what), at, knownDays)
}

// Had notes that a mailbox had honest mail of somebody.
func (c *Correspondents) Had(mailbox Mailbox, who string, at time.Time) {
	c.note(c.pair(mailbox, who), at, 1)
}

// Known reports whether who is known to the mailbox.
func (c *Correspondents) Known(mailbox Mailbox, who string) bool {
	p := c.pair(mailbox, who)
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.find(p).days >= knownDays
}

// Clear forgets all: pairs do not tell whose they are.
func (c *Correspondents) Clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.young, c.old = nil, nil
}

func (c *Correspondents) pair(mailbox Mailbox, who string) uint64 {
	return maphash.String(c.seed, strings.ToLower(mailbox.Tenant+"\x00"+mailbox.Address+"\x00"+who))
}

func (c *Correspondents) find(p uint64) acquaintance {
	if a, ok := c.young[p]; ok {
		return a
	}
	return c.old[p]
}

func (c *Correspondents) note(p uint64, at time.Time, days uint8) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.find(p)
	if day := uint32(at.Unix() / dayLength); day > a.day || days > 1 {
		a.day, a.days = max(day, a.day), min(a.days+days, knownDays)
	}
	if c.young == nil || len(c.young) >= pairGeneration {
		c.old, c.young = c.young, make(map[uint64]acquaintance)
	}
	c.young[p] = a
}

// VerifiedAuthor is the author's address if SPF, DKIM or DMARC shows that the mail comes from the author's domain; else "".
func VerifiedAuthor(m *message.Message) string {
	a := &m.Facts.Auth
	domain := strings.ToLower(m.From.Domain)
	if domain != "" && (a.DMARC == "pass" || vouched(a, func(d string) bool { return d == domain })) {
		return m.From.String()
	}
	return ""
}

// VerifiedList is the identifier of the mailing list that a mail comes from (List-Id, RFC 2919), if SPF or DKIM passed for the
// list's domain; else "".
func VerifiedList(m *message.Message) string {
	_, id, _ := strings.Cut(m.Header.Get("List-Id"), "<")
	id, _, ok := strings.Cut(strings.ToLower(id), ">")
	if !ok || id == "" || !vouched(&m.Facts.Auth, func(d string) bool { return strings.Contains(d, ".") && strings.HasSuffix("."+id, "."+d) }) {
		return ""
	}
	return id
}

func vouched(a *message.Authentication, fits func(domain string) bool) bool {
	if a.SPF == "pass" && fits(strings.ToLower(a.SPFDomain)) {
		return true
	}
	for _, d := range a.DKIM {
		if d.Status == "pass" && fits(strings.ToLower(d.Domain)) {
			return true
		}
	}
	return false
}

// KnownSender speaks for mail of somebody whom all its recipients know: they wrote to them, or had honest mail of them, or of that
// list, on three days. Only a verified author or list is anybody. Value: 1. Argument: the author or list.
func KnownSender(m *message.Message) message.Result {
	if m.Facts.KnownSender == "" {
		return message.Absent
	}
	return message.Present(1, quote(m.Facts.KnownSender))
}

// AnswersOurs speaks for mail of a verified author that names a Message-ID which one of its recipients sent from here (In-Reply-To,
// References; RFC 5322 section 3.6.4). Value: 1.
func AnswersOurs(m *message.Message) message.Result {
	if !m.Facts.AnswersOurs {
		return message.Absent
	}
	return message.Present(1)
}
