package learn

import (
	"slices"
	"strconv"
	"sync"

	"rempart/message"
)

// Model is all that lessons change. Any number of goroutines may judge while one applies lessons. Scopes, of lessons too, are
// folded.
type Model struct {
	mu          sync.RWMutex
	shared      []table
	tenants     map[string][]table
	corrections map[message.Scope]*correction // by narrow scope: see whose
	influences  map[message.Scope]*influence
	combiners   []*Combiner
	ledger      ledger
	successions map[int]*succession // by place of the heir
	lessons     uint64
	scratch     bool
	silent      bool   // the learners have no share
	base        string // id of the weights that the priors come from; empty: none
}

// tenantBits: a tenant's table is small, since it holds only in what the tenant differs; a thousand of them fit in
// memory.
const tenantBits = 13

// sharedRate is how far a tenant's lesson moves the shared tables: three updates at full error add 3/8 to a score, so that
// one tenant's taste does not become everybody's.
const sharedRate = oneScore / 64

// New returns an untaught model. From scratch every prior counts as zero: what such a model knows it was taught. Base is the
// id of the weights that the priors come from; verdicts name it.
func New(scratch bool, base string) *Model {
	m := &Model{tenants: map[string][]table{}, corrections: map[message.Scope]*correction{},
		influences: map[message.Scope]*influence{}, ledger: newLedger(), successions: newSuccessions(), scratch: scratch, base: base}
	for i := range learners {
		m.shared = append(m.shared, learners[i].make(learners[i].bits))
	}
	return m
}

// Silence takes the learners out of every score: what is left is what the signals do alone, with the coefficients that they
// learn when nobody else speaks. Call it before lessons are applied.
func (m *Model) Silence() { m.silent = true }

// Combiner makes the combiner of one channel and direction over the signals of its table. Bias is its score before anything
// was seen or taught. Call it before lessons are applied.
func (m *Model) Combiner(c message.Channel, d message.Direction, bias message.LogOdds, signals []Signal) *Combiner {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := &Combiner{number: uint64(len(m.combiners)), channel: c, direction: d, priorBias: bias, signals: signals,
		slots: make(map[string]int, len(signals)), scratch: m.scratch, learned: newWeights(len(signals))}
	for i := range signals {
		n.slots[signals[i].Name] = i
	}
	m.combiners = append(m.combiners, n)
	return n
}

// Lessons is how many lessons were applied.
func (m *Model) Lessons() uint64 {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.lessons
}

// Judge gives the verdicts for those that the scopes name, in their order; those for whom the same lessons count share one.
// The results are those of the combiner's signals, in their order.
func (m *Model) Judge(c *Combiner, msg *message.Message, results []message.Result, scopes []message.Scope) []*message.Verdict {
	f := pool.Get().(*features)
	defer pool.Put(f)
	m.mu.RLock()
	defer m.mu.RUnlock()
	kinds, each := m.kindsOf(scopes)
	scores := make([][]int64, len(kinds)) // by kind, learner
	for i := range scores {
		scores[i] = make([]int64, len(learners))
	}
	view := -1
	for l := range learners {
		if m.shareOf(l, c) == 0 {
			continue
		}
		if v := viewOf(l); v != view {
			learners[v].extract(f, msg)
			f.unique()
			view = v
		}
		shared := m.shared[l].score(f.hashes)
		for k := range kinds {
			scores[k][l] = shared
			if own := tableOf(kinds[k].own, l, c.channel); own != nil {
				scores[k][l] += own.score(f.hashes)
			}
		}
	}
	var views correctionFeatures
	if slices.ContainsFunc(kinds, kind.corrects) {
		views = correctionFeaturesOf(f, msg)
	}
	model := strconv.Itoa(Extractor) + "/" + strconv.FormatUint(m.lessons, 10)
	if m.base != "" {
		model += "/" + m.base
	}
	verdicts := make([]*message.Verdict, len(kinds))
	for k := range kinds {
		verdicts[k] = m.verdict(c, results, scores[k], kinds[k], &views)
		verdicts[k].Model = model
	}
	out := make([]*message.Verdict, len(scopes))
	for i, k := range each {
		out[i] = verdicts[k]
	}
	return out
}

// kind is whose lessons count for a recipient beside everybody's.
type kind struct {
	own          []table // the tenant's; nil: it has none
	user, domain *correction
}

func (k kind) corrects() bool { return k.user != nil || k.domain != nil }

// kindsOf finds the unlike kinds among those that the scopes name, and which one each is of.
func (m *Model) kindsOf(scopes []message.Scope) (kinds []kind, each []int) {
	each = make([]int, len(scopes))
	if len(m.tenants) == 0 && len(m.corrections) == 0 {
		return []kind{{}}, each
	}
	if len(scopes) == 1 {
		return []kind{m.kindOf(scopes[0])}, each
	}
	type key struct {
		tenant       *table // the first of the tenant's
		user, domain *correction
	}
	at := make(map[key]int, 1)
	for i, s := range scopes {
		kind := m.kindOf(s)
		of := key{user: kind.user, domain: kind.domain}
		if kind.own != nil {
			of.tenant = &kind.own[0]
		}
		k, ok := at[of]
		if !ok {
			k = len(kinds)
			at[of] = k
			kinds = append(kinds, kind)
		}
		each[i] = k
	}
	return kinds, each
}

func (m *Model) kindOf(s message.Scope) kind {
	user, domain := m.correctionsOf(s)
	return kind{m.tenants[s.Tenant], user, domain}
}

func (m *Model) verdict(c *Combiner, results []message.Result, scores []int64, k kind, views *correctionFeatures) *message.Verdict {
	v := &message.Verdict{Calibration: message.Identity}
	speaking := 1 + len(scores) + 2 // the bias, the learners, the corrections
	for i := range results {
		if results[i].State != message.StateAbsent {
			speaking++
		}
	}
	v.Contributions = make([]message.Contribution, 0, speaking)
	add := func(part message.Contribution) {
		v.Score += part.Weight()
		v.Contributions = append(v.Contributions, part)
	}
	if bias := c.bias(); bias != 0 {
		add(message.Contribution{Name: BiasName, Method: message.Characteristic, State: message.StatePresent,
			Input: message.FixedOne, Coefficient: bias})
	}
	for i, r := range results {
		if r.State != message.StateAbsent {
			add(message.Contribution{Name: c.signals[i].Name, Method: c.signals[i].Method, State: r.State,
				Input: input(r), Coefficient: c.coefficient(i, r.State), Args: r.Args})
		}
	}
	for l, s := range scores {
		if share := m.shareOf(l, c); share != 0 && s != 0 {
			add(message.Contribution{Name: learners[l].name, Method: message.Content, State: message.StatePresent,
				Input: bounded(s), Coefficient: share})
		}
	}
	for _, own := range []struct {
		name string
		*correction
	}{{userLessons, k.user}, {domainLessons, k.domain}} {
		if s := own.score(views); s != 0 {
			add(message.Contribution{Name: own.name, Method: message.Characteristic, State: message.StatePresent,
				Input: message.Fixed(s), Coefficient: message.One})
		}
	}
	v.Probability = v.Calibration.Probability(v.Score)
	return v
}

// bounded turns a learner's score into the combiner's input.
func bounded(score int64) message.Fixed {
	const unit = int64(message.FixedOne) / oneScore
	return min(max(message.Fixed(score*unit), -maxLearnerScore), maxLearnerScore)
}
