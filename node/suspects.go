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
	latest map[message.Scope]suspect // by tenant and account, folded
}

type suspect struct {
	last  time.Time // when such a mail came
	write time.Time // from when on its owner may be written to again
}

const (
	// suspectFor is how long after its last such mail an account is still shown.
	suspectFor = 24 * time.Hour
	// maxSuspects bounds the map; where so many are stolen at once, one more name tells nobody more.
	maxSuspects = 1000
)

// note takes one event and reports whether its account is one to tell about in the log, as it was not suspected before, and whether its
// owner is to be written to.
func (s *suspects) note(e *message.Event) (tell, write bool) {
	o := e.Worst()
	if e.Direction != message.Out || e.Account == "" || o == nil || o.Decision.Action == message.Accept {
		return false, false
	}
	account := message.Scope{Tenant: e.Tenant, User: e.Account}.Folded()
	s.mu.Lock()
	defer s.mu.Unlock()
	before, known := s.latest[account]
	if !known && len(s.latest) >= maxSuspects {
		s.forget(e.Time)
		if len(s.latest) >= maxSuspects {
			return false, false
		}
	}
	if s.latest == nil {
		s.latest = map[message.Scope]suspect{}
	}
	now := suspect{last: e.Time, write: before.write}
	if write = stopped(o.Decision.Effective()) && !e.Time.Before(before.write); write {
		now.write = e.Time.Add(suspectFor)
	}
	s.latest[account] = now
	return !known || e.Time.Sub(before.last) >= suspectFor, write
}

// stopped reports whether an action keeps a mail from going out, rather than putting it off or sending it another way.
func stopped(a message.Action) bool {
	switch a {
	case message.Hold, message.Quarantine, message.Reject, message.Discard, message.Remove:
		return true
	}
	return false
}

// later lets an account's owner be written to again at a time: what was to be sent was not.
func (s *suspects) later(account message.Scope, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if one, ok := s.latest[account.Folded()]; ok {
		one.write = at
		s.latest[account.Folded()] = one
	}
}

// list is the accounts that are suspected at now, the latest first.
func (s *suspects) list(now time.Time) []message.Scope {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(now)
	return slices.SortedFunc(maps.Keys(s.latest), func(a, b message.Scope) int { return s.latest[b].last.Compare(s.latest[a].last) })
}

// forget drops those whose time is over; s.mu is held.
func (s *suspects) forget(now time.Time) {
	maps.DeleteFunc(s.latest, func(_ message.Scope, one suspect) bool { return now.Sub(one.last) >= suspectFor })
}

// drop forgets accounts whose owners asked for it, in every tenant.
func (s *suspects) drop(isAccount func(string) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.latest, func(a message.Scope, _ suspect) bool { return isAccount(a.User) })
}

// tellSuspect tells whoever reads the log, once until the account was quiet for a day, and has the account's owner written to.
func (n *Node) tellSuspect(m *message.Message, e *message.Event, mask bool) {
	tell, write := n.suspects.note(e)
	if write {
		n.writeOwner(m, e)
	}
	if !tell {
		return
	}
	name := e.Account
	if mask {
		name = message.Masked(name)
	}
	o := e.Worst()
	n.log.Warn("an account's mail was not let pass: is it stolen? tell its owner", "account", name, "tenant", e.Tenant, "id", e.ID,
		"action", o.Decision.Action.String(), "mode", o.Decision.Mode.String(), "probability", e.Verdicts[o.Verdict].Probability)
}
