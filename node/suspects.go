package node

import (
	"maps"
	"slices"
	"sync"
	"time"

	"rempart/message"
)

// suspects are accounts of the operator's own whose mail policy did not let pass, or would not have: somebody has to look at
// them and tell their owners.
type suspects struct {
	mu     sync.Mutex
	latest map[message.Scope]time.Time // of the last such mail, by tenant and account, folded
}

const (
	// suspectFor is how long after its last such mail an account is still shown.
	suspectFor = 24 * time.Hour
	// maxSuspects bounds the map; where so many are stolen at once, one more name tells nobody more.
	maxSuspects = 1000
)

// note takes one event and reports whether its account is one to tell about: it was not suspected before.
func (s *suspects) note(e *message.Event) bool {
	o := e.Worst()
	if e.Direction != message.Out || e.Account == "" || o == nil || o.Decision.Action == message.Accept {
		return false
	}
	account := message.Scope{Tenant: e.Tenant, User: e.Account}.Folded()
	s.mu.Lock()
	defer s.mu.Unlock()
	last, known := s.latest[account]
	if !known && len(s.latest) >= maxSuspects {
		s.forget(e.Time)
		if len(s.latest) >= maxSuspects {
			return false
		}
	}
	if s.latest == nil {
		s.latest = map[message.Scope]time.Time{}
	}
	s.latest[account] = e.Time
	return !known || e.Time.Sub(last) >= suspectFor
}

// list is the accounts that are suspected at now, the latest first.
func (s *suspects) list(now time.Time) []message.Scope {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(now)
	return slices.SortedFunc(maps.Keys(s.latest), func(a, b message.Scope) int { return s.latest[b].Compare(s.latest[a]) })
}

// forget drops those whose time is over; s.mu is held.
func (s *suspects) forget(now time.Time) {
	maps.DeleteFunc(s.latest, func(_ message.Scope, last time.Time) bool { return now.Sub(last) >= suspectFor })
}

// drop forgets accounts whose owners asked for it, in every tenant.
func (s *suspects) drop(isAccount func(string) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.latest, func(a message.Scope, _ time.Time) bool { return isAccount(a.User) })
}

// tellSuspect tells whoever reads the log, once until the account was quiet for a day.
func (n *Node) tellSuspect(e *message.Event, mask bool) {
	if !n.suspects.note(e) {
		return
	}
	name := e.Account
	if mask {
		name = masked(name)
	}
	o := e.Worst()
	n.log.Warn("an account's mail was not let pass: is it stolen? tell its owner", "account", name, "tenant", e.Tenant, "id", e.ID,
		"action", o.Decision.Action.String(), "mode", o.Decision.Mode.String(), "probability", e.Verdicts[o.Verdict].Probability)
}
