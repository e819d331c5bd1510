package dns

import (
	"sync"
	"time"

	mdns "github.com/miekg/dns"
)

// answer is what one question brought.
type answer struct {
	records []mdns.RR
	err     error
	ttl     time.Duration
}

const (
	maxTTL             = time.Hour       // a list entry must not outlive its removal for long
	maxNegativeTTL     = 5 * time.Minute // RFC 2308 section 5 allows hours; a new listing must be seen soon
	defaultNegativeTTL = time.Minute     // of an answer without SOA
	failureTTL         = 5 * time.Second // a dead server is asked again soon, but not by every message
	maxCached          = 100_000         // answers; about 50 MB
)

func seconds(n uint32) time.Duration { return time.Duration(n) * time.Second }

// cache holds answers until they expire, or until there are too many: then any are dropped, since the map's random order
// is as good a choice as any for names that come and go with the spam.
type cache struct {
	mu      sync.Mutex
	entries map[string]cached
}

type cached struct {
	answer
	expires time.Time
}

func newCache() *cache { return &cache{entries: map[string]cached{}} }

func (c *cache) get(key string) (answer, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[key]
	if !ok || time.Now().After(e.expires) {
		return answer{}, false
	}
	return e.answer, true
}

func (c *cache) put(key string, a answer) {
	if a.ttl <= 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for k := range c.entries {
		if len(c.entries) < maxCached {
			break
		}
		delete(c.entries, k)
	}
	c.entries[key] = cached{a, time.Now().Add(a.ttl)}
}
