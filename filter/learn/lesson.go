package learn

import "rempart/message"

// Observe fills in what a lesson on msg has to carry for [Model.Apply]: the features and the signals as they stand now.
func (c *Combiner) Observe(l *message.Lesson, msg *message.Message, results []message.Result) {
	f := pool.Get().(*features)
	defer pool.Put(f)
	l.Channel, l.Direction, l.Extractor = c.channel, c.direction, Extractor
	l.Features, l.Signals = nil, nil
	for i := range learners {
		if learners[i].share[c.channel] == 0 {
			continue
		}
		learners[i].extract(f, msg)
		l.Features = append(l.Features, message.FeatureSet{Learner: learners[i].name, Hashes: f.sorted()})
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
	scores, _ := m.scores(l, m.tenants[l.Scope.Tenant])
	return m.verdict(c, results, scores)
}

// Apply learns one lesson and reports whether it took an earlier one back. Lessons come in the order of the journal, from
// one goroutine.
func (m *Model) Apply(l *message.Lesson) (corrected bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lessons++
	own := m.tenantTables(l.Scope.Tenant)
	key := ledgerKey(l.Scope, l.Message)
	past := m.ledger.get(key)
	if past != nil && past.label != l.Label {
		m.takeBack(l, past, own)
		past, corrected = nil, true
	}
	if past == nil {
		past = m.ledger.put(key, l.Label)
	}
	m.teachCombiner(l, own)
	for _, set := range l.Features {
		i := learnerNamed(set.Learner)
		if i < 0 {
			continue // a learner of another build: it keeps its own share there
		}
		rate := int64(oneScore)
		if own != nil {
			past.own[i] += teach(set.Hashes, l.Label == message.Spam, rate, own[i], m.shared[i])
			rate = sharedRate
		}
		past.shared[i] += teach(set.Hashes, l.Label == message.Spam, rate, m.shared[i])
	}
	return corrected
}

// Taught is the label of the lesson that stands in that scope on the message with that key; 0 if there is none, or if it is
// so old that it could not be taken back.
func (m *Model) Taught(scope message.Scope, key string) message.Label {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if past := m.ledger.get(ledgerKey(scope, key)); past != nil {
		return past.label
	}
	return 0
}

// takeBack undoes what the lesson of the other label did to the tables, exactly: its features are binary, so one number a
// table is all that it moved.
func (m *Model) takeBack(l *message.Lesson, past *effect, own []*table) {
	for _, set := range l.Features {
		i := learnerNamed(set.Learner)
		if i < 0 {
			continue
		}
		m.shared[i].move(set.Hashes, -past.shared[i])
		if own != nil {
			own[i].move(set.Hashes, -past.own[i])
		}
	}
}

// teachCombiner lets the combiner learn from the score that the lesson's message would have had, and compares heirs with
// the learners they replace.
func (m *Model) teachCombiner(l *message.Lesson, own []*table) {
	c := m.combinerFor(l.Channel, l.Direction)
	if c == nil {
		return
	}
	score := c.bias()
	for _, s := range l.Signals {
		if i, ok := c.slots[s.Name]; ok {
			score += message.Contribution{Input: s.Value, Coefficient: c.coefficient(i, s.State)}.Weight()
		}
	}
	scores, seen := m.scores(l, own)
	for i, s := range scores {
		score += message.Contribution{Input: bounded(s), Coefficient: m.shareOf(i, l.Channel)}.Weight()
	}
	m.succeed(l, scores, seen)
	c.teach(l.Signals, score, l.Label == message.Spam)
}

// scores are the learners' scores of a lesson's message, and which of them the lesson has features for.
func (m *Model) scores(l *message.Lesson, own []*table) (scores []int64, seen []bool) {
	scores, seen = make([]int64, len(learners)), make([]bool, len(learners))
	for _, set := range l.Features {
		i := learnerNamed(set.Learner)
		if i < 0 {
			continue
		}
		seen[i] = true
		scores[i] = m.shared[i].score(set.Hashes)
		if own != nil {
			scores[i] += own[i].score(set.Hashes)
		}
	}
	return scores, seen
}

// tenantTables returns the tenant's own tables, made at its first lesson; nil for the operator itself.
func (m *Model) tenantTables(tenant string) []*table {
	if tenant == "" {
		return nil
	}
	own := m.tenants[tenant]
	if own == nil {
		for range learners {
			own = append(own, newTable(tenantBits))
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
