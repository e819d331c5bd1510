package mailbox

import (
	"strings"
	"sync"
	"time"
)

const (
	// cacheTime: a changed table counts after a minute, and a busy mailbox costs one question a minute.
	cacheTime = time.Minute
	// maxCached bytes in each of two generations, which hold 50,000 usual addresses or more; entryBytes is what an answer takes beside its
	// texts.
	maxCached  = 10 << 20
	entryBytes = 100
)

// cache keeps what a table answered, that there is no entry too. When a generation is full, the one before it is forgotten.
type cache struct {
	mu       sync.Mutex
	now, old map[string]answer
	size     int // bytes of now
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
	size := len(key) + len(value) + entryBytes
	if c.now == nil || c.size+size > maxCached {
		c.now, c.old, c.size = make(map[string]answer), c.now, 0
	}
	if before, again := c.now[key]; again {
		c.size -= len(key) + len(before.value) + entryBytes
	}
	c.now[strings.Clone(key)] = answer{value, ok, now.Add(cacheTime)} // the key may be a piece of something large
	c.size += size
}
