package world

import (
	"maps"
	"sync"

	"rempart/message"
)

// Ledger counts the truth about messages as tallies count what was measured, so that both can stand side by side. Fill the
// fields, then use it from any goroutine.
type Ledger struct {
	Doors  map[message.Channel]string // the name of each channel's front door: where routes end
	Sender func(string) string        // how tallies name a sender; it bounds how many there are

	mu       sync.Mutex
	volumes  map[message.Channel]Count
	networks map[string]Count
	senders  map[message.Channel]map[string]Count
	edges    map[Hand]Count
}

// Count is messages, and those of them that are spam.
type Count struct{ All, Spam uint64 }

// Hand is one hand-over of a real way: who gave to whom.
type Hand struct{ From, By string }

// Add counts one message: one part of a text.
func (l *Ledger) Add(s *Sent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.volumes == nil {
		l.volumes, l.networks, l.edges = map[message.Channel]Count{}, map[string]Count{}, map[Hand]Count{}
		l.senders = map[message.Channel]map[string]Count{}
	}
	spam := s.Truth.Label == message.Spam
	count(l.volumes, s.Channel, spam)
	if s.Truth.Network != 0 {
		count(l.networks, s.Truth.Path[len(s.Truth.Path)-1], spam)
	}
	of := l.senders[s.Channel]
	if of == nil {
		of = map[string]Count{}
		l.senders[s.Channel] = of
	}
	count(of, l.Sender(s.Truth.Sender), spam)
	for i, from := range s.Truth.Path {
		by := l.Doors[s.Channel]
		if i+1 < len(s.Truth.Path) {
			by = s.Truth.Path[i+1]
		}
		count(l.edges, Hand{from, by}, spam)
	}
}

func count[K comparable](m map[K]Count, k K, spam bool) {
	c := m[k]
	c.All++
	if spam {
		c.Spam++
	}
	m[k] = c
}

// Volume is the messages of a channel.
func (l *Ledger) Volume(c message.Channel) Count {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.volumes[c]
}

// Networks are the messages by who handed them to the operator, as "AS64512"; texts have none.
func (l *Ledger) Networks() map[string]Count {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.networks)
}

// Senders are the messages of a channel by sender.
func (l *Ledger) Senders(c message.Channel) map[string]Count {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.senders[c])
}

// Edges are the hand-overs of the real ways; the last one of each is to the door.
func (l *Ledger) Edges() map[Hand]Count {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.edges)
}
