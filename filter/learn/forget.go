package learn

import (
	"maps"
	"strings"

	"rempart/message"
)

// Forget drops a user's own corrections and what the ledger holds in their name: their lessons can no longer be taken back
// one by one. The little they moved in the weights stays, mixed with all others'.
func (m *Model) Forget(isUser func(string) bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, key := range m.ledger.order {
		part := strings.SplitN(key, "\x00", 4) // see ledgerKey
		if len(part) == 4 && part[2] != "" && isUser(part[2]) {
			delete(m.ledger.effects, key)
			m.ledger.order[i] = "" // its place is used again when the ring comes round
		}
	}
	isTheirs := func(s message.Scope) bool { return s.User != "" && isUser(s.User) }
	maps.DeleteFunc(m.corrections, func(s message.Scope, _ *correction) bool { return isTheirs(s) })
	maps.DeleteFunc(m.influences, func(s message.Scope, _ *influence) bool { return isTheirs(s) })
}
