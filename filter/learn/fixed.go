package learn

import (
	"math"
	"math/bits"
)

// All arithmetic on weights is on integers: floating point may be fused or rounded differently from one machine to the
// next, and a replayed journal must give the same weights to the bit everywhere.

const (
	oneScore = 1 << 16 // a log-odds of 1 in a weight or a learner's score
	oneProb  = 1 << 30 // a probability of 1
)

// expStep is e^(-1/64) with 62 binary places; the table of the logistic function is made from it by multiplication.
const expStep = 4540188453729421604

const (
	sigmoidSteps = 64 // a unit of log-odds
	sigmoidEnd   = 20 // beyond it the table is flat: 2e-9 from certainty
)

var sigmoidTable = makeSigmoidTable()

func makeSigmoidTable() [sigmoidEnd*sigmoidSteps + 1]int64 {
	var table [sigmoidEnd*sigmoidSteps + 1]int64
	e := uint64(1 << 62) // e^-x
	for i := range table {
		// 1/(1+e) = 2^30 · 2^62 / (2^62 + e)
		q, _ := bits.Div64(1<<28, 0, 1<<62+e)
		table[i] = int64(q)
		hi, lo := bits.Mul64(e, expStep)
		e = hi<<2 | lo>>62
	}
	return table
}

// sigmoid is the logistic function of a score, as a probability of [oneProb].
func sigmoid(score int64) int64 {
	if score < 0 {
		return oneProb - sigmoid(-score)
	}
	const width = oneScore / sigmoidSteps
	i := score / width
	if i >= int64(len(sigmoidTable)-1) {
		return sigmoidTable[len(sigmoidTable)-1]
	}
	lo, hi := sigmoidTable[i], sigmoidTable[i+1]
	return lo + (hi-lo)*(score%width)/width
}

// target is the probability that a label says is right.
func target(spam bool) int64 {
	if spam {
		return oneProb
	}
	return 0
}

// inverseRoot is 2^30/sqrt(n). Division and square root are correctly rounded on every machine (IEEE 754) and cannot be
// fused.
func inverseRoot(n int) int64 {
	if n == 0 {
		return 0
	}
	return int64(math.Sqrt(float64(1<<60) / float64(n)))
}
