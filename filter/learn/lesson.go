package learn

import (
	"hash/fnv"
	"slices"

	"rempart/message"
)

// Observe fills in what a lesson on msg has to carry for [Model.Apply]: the features and the signals as they stand now.
func (c *Combiner) Observe(l *message.Lesson, msg *message.Message, results []message.Result) {
	f := pool.Get().(*features)
	defer pool.Put(f)
	l.Channel, l.Direction, l.Extractor = c.channel, c.direction, Extractor
	l.Features, l.Signals = nil, nil
	for i := range learners {
		if learners[i].share[c.channel] == 0 || learners[i].extract == nil {
			continue
		}
		learners[i].extract(f, msg)
		f.unique()
		l.Features = append(l.Features, message.FeatureSet{Learner: learners[i].name, Hashes: f.sorted()})
	}
	for i, hashes := range correctionFeaturesOf(f, msg) {
		slices.Sort(hashes)
		l.Features = append(l.Features, message.FeatureSet{Learner: correctionViews[i].name, Hashes: hashes})
	}
	for i, r := range results {
		if r.State != message.StateAbsent {
			l.Signals = append(l.Signals, message.SignalValue{Name: c.signals[i].Name, State: r.State, Value: input(r)})
		}
	}
}

// Reconsider gives the verdict on a lesson's message from its features and signals. Signals in now are taken from there
// instead: they change with what is taught.
func (m *Model) Reconsider(c *Combiner, l *message.Lesson, now map[string]message.Result) *message.Verdict {
	results := make([]message.Result, len(c.signals))
	for _, s := range l.Signals {
		if i, ok := c.slots[s.Name]; ok {
			results[i] = message.Result{State: s.State, Value: s.Value.Float()}
		}
	}
	for name, r := range now {
		if i, ok := c.slots[name]; ok {
			results[i] = r
		}
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	k := m.kindOf(l.Scope)
	scores, _ := m.scores(l, k.own)
	views := correctionFeaturesIn(l)
	return m.verdict(c, results, scores, k, &views)
}

// Apply learns one lesson. It gives the label of the one that stood on the message before, message.Forget if none did, and
// whether this one is that again, of the same source. Lessons come in the order of the journal, from one goroutine.
func (m *Model) Apply(l *message.Lesson) (stood message.Label, again bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lessons++
	own := m.tenantTables(l.Scope.Tenant)
	key := ledgerKey(l.Scope, l.Message)
	past := m.ledger.get(key)
	var combined moves
	if past != nil {
		stood, combined = past.label, past.combined
		if stood != l.Label {
			m.takeBack(l, past, own)
		}
	}
	if l.Label == message.Forget {
		if stood != message.Forget {
			m.takeBackCombined(combined)
			m.ledger.put(key, message.Forget)
		}
		return stood, false
	}
	source := hashSource(l.Source)
	again = stood == l.Label && past.source == source
	if stood != l.Label {
		past = m.ledger.put(key, l.Label)
	}
	if l.Scope.Narrow() {
		m.teachNarrow(l, past, own)
		return stood, again
	}
	past.combined, past.source = combined, source
	rate := m.teachCombiner(l, past, own)
	spam := l.Label == message.Spam
	eachLearner(l, func(i int, hashes []uint32) {
		if own := tableOf(own, i, l.Channel); own != nil {
			past.own[i] += own.teach(hashes, spam, oneScore, m.shared[i])
		}
		if l.Scope.Tenant != "" {
			past.shared[i] += m.shared[i].teach(hashes, spam, rate*sharedRate/oneScore, nil)
		} else {
			past.shared[i] += m.shared[i].teach(hashes, spam, rate, nil)
		}
	})
	return stood, again
}

func hashSource(source string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(source))
	return h.Sum64()
}

// Taught is the label of the lesson that stands in that scope on the message with that key; message.Forget if there is none,
// or if it is so old that it could not be taken back.
func (m *Model) Taught(scope message.Scope, key string) message.Label {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if past := m.ledger.get(ledgerKey(scope, key)); past != nil {
		return past.label
	}
	return message.Forget
}

// eachLearner calls do for each learner of this build that has a share on the lesson's channel and sees its features. Those
// of another build's learners are passed over: they keep their own share there.
func eachLearner(l *message.Lesson, do func(i int, hashes []uint32)) {
	for _, set := range l.Features {
		i := learnerNamed(set.Learner)
		if i < 0 {
			continue
		}
		for view := viewOf(i); i < len(learners) && viewOf(i) == view; i++ {
			if learners[i].share[l.Channel] != 0 {
				do(i, set.Hashes)
			}
		}
	}
}

// takeBack undoes what the lesson of the other label did to the tables, exactly: its features are binary, so one number a
// table is all that it moved. What it did to the combiner a correction outweighs; see [Model.takeBackCombined] for Forget.
func (m *Model) takeBack(l *message.Lesson, past *effect, own []table) {
	if l.Scope.Narrow() {
		m.takeBackNarrow(l, past, own)
		return
	}
	eachLearner(l, func(i int, hashes []uint32) {
		m.shared[i].undo(hashes, past.shared[i])
		if own := tableOf(own, i, l.Channel); own != nil {
			own.undo(hashes, past.own[i])
		}
	})
}

// teachCombiner lets the combiner learn from the score that the lesson's message would have had, and compares heirs with
// the learners they replace. It returns the rate at which the learners shall learn the lesson.
func (m *Model) teachCombiner(l *message.Lesson, past *effect, own []table) (rate int64) {
	c := m.combinerFor(l.Channel, l.Direction)
	if c == nil {
		return oneScore
	}
	before := c.learned.numbers()
	scores, seen := m.scores(l, own)
	score := m.learnersScore(scores, c)
	spam := l.Label == message.Spam
	rate = oneScore
	if spam && score < -doubt || !spam && score > doubt {
		rate = doubtRate
	}
	score += c.signalsScore(l.Signals)
	err := (target(spam) - sigmoid(int64(score)*oneScore/int64(message.One))) * rate / oneScore
	for i, s := range scores {
		if share := m.shareOf(i, c); share != 0 {
			moved := share + scale(shareStep, err, bounded(s))
			c.learned.share[i] += min(max(moved, minShare), maxShare) - share
		}
	}
	m.succeed(l, scores, seen)
	c.teach(l.Signals, err)
	if spam {
		c.learned.spam++
	} else {
		c.learned.ham++
	}
	past.combined = c.combined(past.combined, before)
	return rate
}

// learnersScore is what the learners say together.
func (m *Model) learnersScore(scores []int64, c *Combiner) (sum message.LogOdds) {
	for i, s := range scores {
		sum += message.Contribution{Input: bounded(s), Coefficient: m.shareOf(i, c)}.Weight()
	}
	return sum
}

// signalsScore is what the signals say, with what was known before anything was seen.
func (c *Combiner) signalsScore(signals []message.SignalValue) message.LogOdds {
	sum := c.bias()
	for _, s := range signals {
		if i, ok := c.slots[s.Name]; ok {
			sum += message.Contribution{Input: s.Value, Coefficient: c.coefficient(i, s.State)}.Weight()
		}
	}
	return sum
}

// wholeScore is the score of a lesson's message but for corrections, of oneScore.
func (m *Model) wholeScore(l *message.Lesson, own []table, c *Combiner) int64 {
	if c == nil {
		return 0
	}
	scores, _ := m.scores(l, own)
	return int64(m.learnersScore(scores, c)+c.signalsScore(l.Signals)) * oneScore / int64(message.One)
}

// A lesson against what the learners together are sure of, by log-odds of doubt, counts less for all others: one mistake
// among many lessons must not undo them, and what is true comes again. In a tenant's own tables every lesson counts in
// full.
const (
	doubt     = 3 * message.One
	doubtRate = oneScore / 4
)

// scores are the learners' scores of a lesson's message, and which of them the lesson has features for.
func (m *Model) scores(l *message.Lesson, own []table) (scores []int64, seen []bool) {
	scores, seen = make([]int64, len(learners)), make([]bool, len(learners))
	eachLearner(l, func(i int, hashes []uint32) {
		seen[i] = true
		scores[i] = m.shared[i].score(hashes)
		if own := tableOf(own, i, l.Channel); own != nil {
			scores[i] += own.score(hashes)
		}
	})
	return scores, seen
}

// tenantTables returns the tenant's own tables, made at its first lesson; nil for the operator itself.
func (m *Model) tenantTables(tenant string) []table {
	if tenant == "" {
		return nil
	}
	own := m.tenants[tenant]
	if own == nil {
		for i := range learners {
			own = append(own, learners[i].make(tenantBits))
		}
		m.tenants[tenant] = own
	}
	return own
}

func (m *Model) combinerFor(c message.Channel, d message.Direction) *Combiner {
	for _, n := range m.combiners {
		if n.channel == c && n.direction == d {
			return n
		}
	}
	return nil
}

func learnerNamed(name string) int {
	for i := range learners {
		if learners[i].name == name {
			return i
		}
	}
	return -1
}
