package learn

import (
	"maps"

	"rempart/message"
)

// influence is how far one user's lessons, or one domain's, have moved the verdicts of all others lately. It leaks away.
type influence struct {
	spent int64 // of oneScore, at that time
	at    int64 // seconds of the Unix epoch
}

// A narrow scope's lessons move no other verdict by more than one half of log-odds in any hour: the bucket holds a fifth and
// empties within the hour, so an hour sees at most two of it, and the rest is for features that share a weight.
const (
	maxInfluence  = oneScore / 5
	influenceHour = 3600
)

// left is what may still be spent at a time, after what has leaked away.
func (n *influence) left(at int64) int64 {
	if elapsed := at - n.at; elapsed > 0 {
		n.spent = max(0, n.spent-maxInfluence*min(elapsed, influenceHour)/influenceHour)
		n.at = at
	}
	return maxInfluence - n.spent
}

// influenceOf returns the account of a narrow scope. Those that are empty again are dropped now and then: only the active are
// kept.
func (m *Model) influenceOf(s message.Scope, at int64) *influence {
	if m.lessons%influenceSweep == 0 {
		maps.DeleteFunc(m.influences, func(_ message.Scope, n *influence) bool { return n.left(at) == maxInfluence })
	}
	key := whose(s)
	n := m.influences[key]
	if n == nil {
		n = &influence{at: at}
		m.influences[key] = n
	}
	return n
}

// influenceSweep is the number of lessons after which empty accounts are dropped: by lessons, not by time, so that a replay
// drops the same ones.
const influenceSweep = 1024

// teachNarrow learns a lesson of one user or domain: in their own correction in full, in the tables of all others by what
// their influence allows. Only the linear tables are moved: what one lesson moves in them moves no other score by more than
// its own (Cauchy-Schwarz), while counts and the combiner have no such bound.
func (m *Model) teachNarrow(l *message.Lesson, past *effect, own []table) {
	spam := l.Label == message.Spam
	c := m.combinerFor(l.Channel, l.Direction)
	views := correctionFeaturesIn(l)
	others := m.wholeScore(l, own, c)
	if l.Scope.User != "" {
		_, domain := m.correctionsOf(l.Scope)
		others += domain.score(&views)
	}
	for i, d := range m.correctionOf(l.Scope).teach(&views, spam, others) {
		past.corrected[i] += d
	}
	if c == nil {
		return
	}
	account := m.influenceOf(l.Scope, l.Time.Unix())
	rate := m.narrowRate(account.left(l.Time.Unix())/2, c)
	eachLearner(l, func(i int, hashes []uint32) {
		if _, ok := m.shared[i].(*linear); !ok || rate == 0 {
			return
		}
		var mine, all int64
		if own := tableOf(own, i, l.Channel); own != nil {
			mine = own.teach(hashes, spam, rate, m.shared[i])
		}
		if l.Scope.Tenant != "" {
			all = m.shared[i].teach(hashes, spam, rate*sharedRate/oneScore, nil)
		} else {
			all = m.shared[i].teach(hashes, spam, rate, nil)
		}
		past.own[i] += mine
		past.shared[i] += all
		account.spent += m.say(i, c, mine+all, len(hashes))
	})
}

// takeBackNarrow undoes a lesson of one user or domain: in their own correction exactly, for others as far as their influence
// allows now.
func (m *Model) takeBackNarrow(l *message.Lesson, past *effect, own []table) {
	views := correctionFeaturesIn(l)
	m.correctionOf(l.Scope).undo(&views, past.corrected)
	c := m.combinerFor(l.Channel, l.Direction)
	if c == nil {
		return
	}
	var cost int64
	eachLearner(l, func(i int, hashes []uint32) {
		cost += m.say(i, c, past.own[i]+past.shared[i], len(hashes))
	})
	account := m.influenceOf(l.Scope, l.Time.Unix())
	most := min(cost, account.left(l.Time.Unix())/2)
	if cost == 0 || most <= 0 {
		return
	}
	account.spent += most
	eachLearner(l, func(i int, hashes []uint32) {
		m.shared[i].undo(hashes, past.shared[i]*most/cost)
		if own := tableOf(own, i, l.Channel); own != nil {
			own.undo(hashes, past.own[i]*most/cost)
		}
	})
}

// say is by how much a verdict's score may change, of oneScore, when each of n features' weights in a learner moves.
func (m *Model) say(learner int, c *Combiner, moved int64, n int) int64 {
	return abs(moved) * int64(n) * inverseRoot(n) >> 30 * int64(m.shareOf(learner, c)) / int64(message.One)
}

// narrowRate is the rate at which a lesson moves no score by more than most, of oneScore, in all linear learners together.
func (m *Model) narrowRate(most int64, c *Combiner) int64 {
	var shares int64
	for i := range learners {
		if _, ok := m.shared[i].(*linear); ok {
			shares += int64(m.shareOf(i, c))
		}
	}
	if shares == 0 {
		return 0
	}
	return most * int64(message.One) / shares / (step * maxUpdates)
}
