package learn

import "strings"

// Forget drops what the ledger holds in the name of a user: their own lessons can no longer be taken back one by one. What
// they moved in the weights stays, mixed with all others'.
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
}
