package clamav

import (
	"sync"
	"time"
)

// outage switches a clamd off that does not answer, so that mails do not each wait out their budget for nothing.
type outage struct {
	mu     sync.Mutex
	failed int       // scans in a row
	until  time.Time // it is not asked before
}

const (
	// maxFailed scans in a row: one mail may be too much for its time.
	maxFailed = 3
	// offTime is how long nothing is asked then, until one mail tries again.
	offTime = 10 * time.Second
)

// ask reports whether clamd may be asked. When its time is over the first to come asks, and the rest wait for what becomes of it.
func (o *outage) ask(now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.failed < maxFailed {
		return true
	}
	if now.Before(o.until) {
		return false
	}
	o.until = now.Add(offTime)
	return true
}

// fails counts a scan without an answer and reports whether it switches clamd off.
func (o *outage) fails(now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.failed++
	o.until = now.Add(offTime)
	return o.failed == maxFailed
}

// answers reports whether an answer ends an outage.
func (o *outage) answers() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	over := o.failed >= maxFailed
	o.failed = 0
	return over
}

func (o *outage) down() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.failed >= maxFailed
}
