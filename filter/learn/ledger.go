package learn

import (
	"rempart/message"
)

// ledger remembers what each lesson moved, so that a correction can take it back. It is bounded: lessons older than
// ledgerSize others are no longer taken back, only outweighed.
type ledger struct {
	effects map[string]*effect
	order   []string // ring of keys
	next    int
}

// ledgerSize bounds the ledger to some 40 MB.
const ledgerSize = 100_000

// effect is what the lessons on one message moved: its features are binary, so one number a table says it all. The moves of
// the combiners go on from a lesson to its correction, which leaves them, so that to forget the last takes all back.
type effect struct {
	label     message.Label
	shared    [maxLearners]int64
	own       [maxLearners]int64
	corrected [len(correctionViews)]int64
	combined  moves
	source    uint64 // hash of the latest lesson's; 0: not known
}

// maxLearners is the number of rows of the table of learners, with room for those of a coming extractor.
const maxLearners = 10

func newLedger() ledger { return ledger{effects: map[string]*effect{}} }

// ledgerKey is the message under the scope that taught it.
func ledgerKey(scope message.Scope, about string) string {
	return scope.Tenant + "\x00" + scope.Domain + "\x00" + scope.User + "\x00" + about
}

func (l *ledger) get(key string) *effect { return l.effects[key] }

func (l *ledger) put(key string, label message.Label) *effect {
	if _, again := l.effects[key]; !again {
		if len(l.order) < ledgerSize {
			l.order = append(l.order, key)
		} else {
			delete(l.effects, l.order[l.next])
			l.order[l.next] = key
			l.next = (l.next + 1) % ledgerSize
		}
	}
	e := &effect{label: label}
	l.effects[key] = e
	return e
}
