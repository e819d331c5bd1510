package mailbox

import (
	"sync"
	"time"
)

const (
	// cacheTime: a changed table counts after a minute, and a busy mailbox costs one question a minute.
	cacheTime = time.Minute
	// maxCached entries of each of two generations, some 20 MB at most in usual addresses.
	maxCached = 50_000
)

// cache keeps what a table answered, that there is no entry too. When a generation is full, the one before it is forgotten.
type cache struct {
	mu       sync.Mutex
	now, old map[string]answer
}

type answer struct {
	value string
	ok    bool
	until time.Time
}

func (c *cache) get(key string, now time.Time) (value string, ok, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, found := c.now[key]
	if !found {
		a, found = c.old[key]
	}
	if !found || !now.Before(a.until) {
		return "", false, false
	}
	return a.value, a.ok, true
}

// put keeps short answers only: an entry of thousands of addresses is nobody's mailbox.
func (c *cache) put(key, value string, ok bool, now time.Time) {
	if len(key)+len(value) > maxTCPTable {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now == nil || len(c.now) >= maxCached {
		c.now, c.old = make(map[string]answer), c.now
	}
	c.now[key] = answer{value, ok, now.Add(cacheTime)}
}
