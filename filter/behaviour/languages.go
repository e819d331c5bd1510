package behaviour

import (
	"hash/maphash"
	"strings"
	"sync"

	"rempart/message"
)

// Languages remembers which languages each mailbox gets honest mail in. Mailboxes are hashed with a key of the process. It is bounded:
// who had no mail for longest is forgotten first. It is safe for concurrent use; nothing of it outlives the process.
type Languages struct {
	seed maphash.Seed

	mu         sync.Mutex
	young, old map[uint64]languageHabit
}

// languageHabit has a bit for each language.
type languageHabit struct {
	once, again uint64 // in which honest mail came, once at least and more than once
	mails       uint8  // honest ones whose language was told, counted up to habitMails
}

const (
	habitGeneration = 1 << 16
	// HabitCapacity is the most mailboxes whose habit is known at one time, some 8 MB.
	HabitCapacity = 2 * habitGeneration
	// habitMails make a habit: who gets fewer may have a correspondent in every language of theirs still to come.
	habitMails = 20
)

// NewLanguages returns a table in which nobody has a habit.
func NewLanguages() *Languages { return &Languages{seed: maphash.MakeSeed()} }

// Had notes an honest mail in a language.
func (c *Languages) Had(mailbox Mailbox, l message.Language) {
	if l == message.LanguageUnknown {
		return
	}
	who, bit := c.hash(mailbox), uint64(1)<<l
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.find(who)
	h.again |= h.once & bit
	h.once |= bit
	h.mails = min(h.mails+1, habitMails)
	if c.young == nil || len(c.young) >= habitGeneration {
		c.old, c.young = c.young, make(map[uint64]languageHabit)
	}
	c.young[who] = h
}

// Habit reports whether a mailbox has a habit, and whether a language belongs to it: from the second honest mail on, since one that got
// through makes no habit.
func (c *Languages) Habit(mailbox Mailbox, l message.Language) (habit, usual bool) {
	who := c.hash(mailbox)
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.find(who)
	return h.mails >= habitMails, h.again>>l&1 == 1
}

// Clear forgets all: hashes do not tell whose they are.
func (c *Languages) Clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.young, c.old = nil, nil
}

func (c *Languages) hash(mailbox Mailbox) uint64 {
	var h maphash.Hash
	h.SetSeed(c.seed)
	_, _ = h.WriteString(strings.ToLower(mailbox.Tenant))
	_ = h.WriteByte(0)
	_, _ = h.WriteString(strings.ToLower(mailbox.Address))
	return h.Sum64()
}

func (c *Languages) find(who uint64) languageHabit {
	if h, ok := c.young[who]; ok {
		return h
	}
	return c.old[who]
}

// LanguageUnusual speaks against a mail in a language in which none of its recipients usually gets honest mail, if one of them gets
// enough to have a habit; where none has, it is absent. Value: 1. Argument: the language's code (ISO 639-1).
func LanguageUnusual(m *message.Message) message.Result {
	if !m.Facts.LanguageUnusual {
		return message.Absent
	}
	return message.Present(1, m.Facts.Language.String())
}
