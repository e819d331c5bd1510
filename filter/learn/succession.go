package learn

import (
	"encoding/binary"

	"rempart/message"
	"rempart/wire"
)

// succession is how a new extractor takes over from the one it replaces. Both see every lesson; the old one keeps its
// share of the combiner until the new one is as good on the lessons since the upgrade: an upgrade never loses what was
// taught.
type succession struct {
	lessons            uint64 // both saw
	oldError, newError int64  // running means of the error before each lesson, of oneProb
	done               bool
}

const (
	minSuccession = 200 // lessons before the two are compared
	errorWindow   = 64  // lessons that the running means remember
)

// compare takes in how wrong both were on a lesson before it was learned.
func (s *succession) compare(oldScore, newScore int64, spam bool) {
	s.lessons++
	s.oldError += (abs(target(spam)-sigmoid(oldScore)) - s.oldError) / errorWindow
	s.newError += (abs(target(spam)-sigmoid(newScore)) - s.newError) / errorWindow
	if s.lessons >= minSuccession && s.newError <= s.oldError {
		s.done = true
	}
}

// shareOf is a learner's coefficient now: what it had before anything was taught, and what lessons made of it.
func (m *Model) shareOf(l int, c *Combiner) message.LogOdds {
	if m.silent {
		return 0
	}
	if s := m.successions[l]; s != nil && !s.done {
		return 0
	}
	for heir, s := range m.successions {
		if s.done && learners[heir].replaces == learners[l].name {
			return 0
		}
	}
	share := learners[l].share[c.channel]
	if share == 0 {
		return 0
	}
	return share + c.learned.share[l]
}

// succeed compares each heir with the learner it replaces on a lesson that is about to be learned. With its place an heir
// takes what lessons made of the other's share.
func (m *Model) succeed(l *message.Lesson, scores []int64, seen []bool) {
	for heir, s := range m.successions {
		old := learnerNamed(learners[heir].replaces)
		if old < 0 || !seen[heir] || !seen[old] || s.done {
			continue
		}
		s.compare(scores[old], scores[heir], l.Label == message.Spam)
		for _, c := range m.combiners {
			c.learned.share[heir] = c.learned.share[old]
		}
	}
}

func newSuccessions() map[int]*succession {
	all := map[int]*succession{}
	for i := range learners {
		if learners[i].replaces != "" {
			all[i] = &succession{oldError: oneProb / 2, newError: oneProb / 2}
		}
	}
	return all
}

func (s *succession) appendSnapshot(b []byte, heir string) []byte {
	b = wire.AppendString(b, 1, heir)
	return wire.AppendRecord(b, 2, func(b []byte) []byte {
		b = binary.AppendUvarint(b, s.lessons)
		b = binary.AppendVarint(b, s.oldError)
		b = binary.AppendVarint(b, s.newError)
		if s.done {
			return append(b, 1)
		}
		return append(b, 0)
	})
}

// readSuccession reads one; an heir that this build has not is passed over.
func (m *Model) readSuccession(b wire.Content) error {
	var heir string
	return wire.Fields(b, func(tag wire.Tag, c wire.Content) error {
		if tag == 1 {
			heir = c.String()
			return nil
		}
		s := m.successions[learnerNamed(heir)]
		if tag != 2 || s == nil {
			return nil
		}
		var n [3]int
		s.lessons, n[0] = binary.Uvarint(c)
		if n[0] <= 0 {
			return wire.ErrShort
		}
		s.oldError, n[1] = binary.Varint(c[n[0]:])
		if n[1] <= 0 {
			return wire.ErrShort
		}
		s.newError, n[2] = binary.Varint(c[n[0]+n[1]:])
		rest := n[0] + n[1] + n[2]
		if n[2] <= 0 || rest >= len(c) {
			return wire.ErrShort
		}
		s.done = c[rest] == 1
		return nil
	})
}
