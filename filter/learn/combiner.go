package learn

import (
	"rempart/message"
)

// Signal is one input of a combiner beside the learners: a row of a signal table.
type Signal struct {
	Name   string
	Method message.Method
	Prior  message.LogOdds // log-odds for a value of 1 before anything was taught
	Fades  bool            // the prior counts the less the more was taught; see [Combiner.faded]
}

// Combiner adds signals and learners of one channel and direction to one score. It is made by [Model.Combiner]; what it
// learned is guarded by the model's lock.
type Combiner struct {
	number    uint64 // among the model's, from 0
	channel   message.Channel
	direction message.Direction
	priorBias message.LogOdds
	signals   []Signal
	slots     map[string]int // signal name -> index
	scratch   bool           // every prior is zero
	learned   weights
}

// weights is what a combiner learned: beside the priors of the tables, which a new build may change.
type weights struct {
	bias    message.LogOdds
	present []message.LogOdds // by signal
	unknown []message.LogOdds // by signal: an outage is never learned as "no signal"
	share   [maxLearners]message.LogOdds
	spam    int64 // lessons
	ham     int64
}

func newWeights(signals int) weights {
	return weights{present: make([]message.LogOdds, signals), unknown: make([]message.LogOdds, signals)}
}

// BiasName is the contribution of what is known before anything was seen of a message.
const BiasName = "bias"

func (c *Combiner) coefficient(i int, state message.State) message.LogOdds {
	if state == message.StateUnknown {
		return c.learned.unknown[i]
	}
	if c.scratch {
		return c.learned.present[i]
	}
	prior := c.signals[i].Prior
	if c.signals[i].Fades {
		prior = c.faded(prior)
	}
	return prior + c.learned.present[i]
}

// faded is what is left of a prior that stands in for lessons until there are any: half of it after [fadeLessons] of the
// rarer kind, a third after twice as many. One kind alone teaches nobody to tell the two apart, so the rarer one counts.
func (c *Combiner) faded(prior message.LogOdds) message.LogOdds {
	return prior * fadeLessons / message.LogOdds(fadeLessons+min(c.learned.spam, c.learned.ham))
}

// fadeLessons: by then the learners tell a mailbox's own spam from its own honest mail about as well as what was shipped.
const fadeLessons = 100

func (c *Combiner) bias() message.LogOdds {
	if c.scratch {
		return c.learned.bias
	}
	return c.priorBias + c.learned.bias
}

// input is the combiner's input for a signal's result: its value where it is present, 1 where it is unknown.
func input(r message.Result) message.Fixed {
	if r.State == message.StateUnknown {
		return message.FixedOne
	}
	return message.ToFixed(r.Value)
}

// maxLearnerScore bounds a learner's say: one view alone must not drown what the others see.
const maxLearnerScore = 12 * message.FixedOne

// Steps of the combiner's own learning, in log-odds for an input of 1 at full error.
const (
	biasStep   = message.One / 50
	signalStep = message.One / 100
	shareStep  = message.One / 1000
)

// Bounds of a learner's share, whatever lessons make of it: none is silenced, none decides alone.
const (
	minShare = message.One / 50
	maxShare = message.One
)

// teach moves the coefficients of what was seen against err, the error of the whole score.
func (c *Combiner) teach(signals []message.SignalValue, err int64) {
	c.learned.bias += scale(biasStep, err, message.FixedOne)
	for _, s := range signals {
		i, ok := c.slots[s.Name]
		if !ok {
			continue // a signal of another build
		}
		switch s.State {
		case message.StatePresent:
			w := &c.learned.present[i]
			*w = clamp(*w + scale(signalStep, err, min(s.Value, message.FixedOne)))
		case message.StateUnknown:
			w := &c.learned.unknown[i]
			*w = clamp(*w + scale(signalStep, err, message.FixedOne))
		}
	}
}

// scale is step · err · value.
func scale(step message.LogOdds, err int64, value message.Fixed) message.LogOdds {
	return message.LogOdds(int64(step) * err >> 30 * int64(value) >> 16)
}

// maxLearned bounds what lessons can make of one signal.
const maxLearned = 6 * message.One

func clamp(w message.LogOdds) message.LogOdds { return min(max(w, -maxLearned), maxLearned) }
