package message

import "math"

// LogOdds is a score or a part of it: natural log-odds in millionths. Integers, so that contributions add up to the score
// exactly and replay gives the same sum on every machine.
type LogOdds int64

// One is a log-odds of 1.
const One LogOdds = 1_000_000

// Odds converts from natural log-odds.
func Odds(f float64) LogOdds { return LogOdds(math.Round(f * float64(One))) }

// Float converts to natural log-odds.
func (l LogOdds) Float() float64 { return float64(l) / float64(One) }

// Probability is the logistic function of l.
func (l LogOdds) Probability() float64 { return 1 / (1 + math.Exp(-l.Float())) }

// MarshalJSON writes natural log-odds.
func (l LogOdds) MarshalJSON() ([]byte, error) { return appendFloat(nil, l.Float()), nil }

// Fixed is a combiner's input with 16 binary places.
type Fixed int64

// FixedOne is an input of 1.
const FixedOne Fixed = 1 << 16

// ToFixed rounds to the nearest 1/65536.
func ToFixed(f float64) Fixed { return Fixed(math.Round(f * float64(FixedOne))) }

// Float converts back.
func (f Fixed) Float() float64 { return float64(f) / float64(FixedOne) }

// Contribution is one part of a score: an input of the combiner, its coefficient, and what an operator can read out
// about it. Signals and learners stand side by side here.
type Contribution struct {
	Name        string // of the signal or learner; key of its sentence in the catalogue
	Method      Method
	State       State
	Input       Fixed   // the combiner's input
	Coefficient LogOdds // log-odds for an input of 1
	Args        []any   // string or int64
}

// Weight is what this contribution adds to the score.
func (c Contribution) Weight() LogOdds {
	return LogOdds(int64(c.Input) * int64(c.Coefficient) >> 16)
}

// Verdict is the filter's view of a message for one recipient.
type Verdict struct {
	Score         LogOdds // the sum of the contributions' weights
	Probability   float64 // that it is spam: calibrated; see Calibration
	Category      Category
	Contributions []Contribution // in the order of the signal table, then learners; absent ones left out
	Calibration   Calibration
	Model         string // algorithm version and state of the weights that judged
}

// Calibration turns a score into a probability: logistic(Slope·score + Offset). It is recorded with the verdict so that
// the probability can be made again.
type Calibration struct {
	Slope  Fixed
	Offset LogOdds
}

// Identity is the calibration that leaves the score as it is.
var Identity = Calibration{Slope: FixedOne}

// Probability applies the calibration.
func (c Calibration) Probability(score LogOdds) float64 {
	return c.Odds(score).Probability()
}

// Odds is the calibrated score.
func (c Calibration) Odds(score LogOdds) LogOdds {
	return LogOdds(int64(c.Slope)*int64(score)>>16) + c.Offset
}

// Sum adds up the contributions; it equals Score in every verdict the filter gives.
func (v *Verdict) Sum() LogOdds {
	var sum LogOdds
	for _, c := range v.Contributions {
		sum += c.Weight()
	}
	return sum
}

// Judgement is the verdicts for all recipients of a message, in their order. Recipients without lessons of their own
// share one verdict (the same pointer).
type Judgement struct {
	Verdicts []*Verdict
}

// Worst is the verdict with the highest probability; nil if there is none.
func (j Judgement) Worst() *Verdict {
	var worst *Verdict
	for _, v := range j.Verdicts {
		if worst == nil || v.Probability > worst.Probability {
			worst = v
		}
	}
	return worst
}
