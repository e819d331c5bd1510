package dns

import (
	"sync/atomic"
	"time"
)

// health notices that no server answers any more, so that messages do not each wait out their budget for nothing.
//
// Down, questions fail at once, and one at a time is asked beside them: with its answer all are asked again.
type health struct {
	unanswered atomic.Int32 // questions in a row that no server answered
	since      atomic.Int64 // of the first of them, Unix nanoseconds
	probing    atomic.Bool
}

const (
	// downAfter so many questions in a row: a few names whose own servers are dead are no outage.
	downAfter = 50
	// downTime is how long nothing may have been answered before the servers count as down.
	downTime = 3 * time.Second
)

func (h *health) down() bool {
	return h.unanswered.Load() >= downAfter && time.Now().UnixNano()-h.since.Load() > int64(downTime)
}

func (h *health) answered() { h.unanswered.Store(0) }

func (h *health) failed() {
	if h.unanswered.Load() == 0 {
		h.since.Store(time.Now().UnixNano())
	}
	h.unanswered.Add(1)
}

// Down reports whether no server answers: names are unknown at once until one does.
func (r *Resolver) Down() bool { return r.health.down() }
