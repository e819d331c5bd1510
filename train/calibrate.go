package train

import (
	"math"
	"slices"
)

const (
	// parts into which the groups are cut to find scores of mails that were not learned.
	parts = 3

	// tagOdds are those of probability 0.9, from which the default policy tags.
	tagOdds = 2.1972245773362196

	// maxHit is the share of honest mail that may reach it: of each age, as it came and in the other forms.
	maxHit = 0.004
)

// judged is the score of a mail that was not learned.
type judged struct {
	*example
	score float64
}

// calibrate finds slope and offset of scores: the slope makes log-odds of them, the offset puts the default policy's
// threshold where at most [maxHit] of honest mail of any age or form reaches it.
func calibrate(r *reader, all []example) (slope, offset float64) {
	var out []judged
	for part := range parts {
		var learned []example
		for _, e := range all {
			if e.age == primerAge || e.group%parts != part {
				learned = append(learned, e)
			}
		}
		w := r.fitModel(learned)
		for i := range all {
			if all[i].age != primerAge && all[i].group%parts == part {
				out = append(out, judged{&all[i], score(w, all[i].row)})
			}
		}
	}
	slope = steepness(out)
	return slope, tagOdds - slope*threshold(out)
}

// threshold is the score that at most maxHit of each kind of honest mail reaches. Where that is no whole number of mails, it lies as
// far between the scores of two.
func threshold(all []judged) float64 {
	type kind struct {
		age int
		own bool
	}
	scores := map[kind][]float64{}
	for _, j := range all {
		if !j.spam {
			k := kind{j.age, j.own}
			scores[k] = append(scores[k], j.score)
		}
	}
	most := math.Inf(-1)
	for _, s := range scores {
		slices.Sort(s)
		allowed := maxHit * float64(len(s))
		at := len(s) - 1 - int(allowed)
		between := allowed - math.Floor(allowed)
		most = max(most, s[at]*(1-between)+s[max(at-1, 0)]*between+1e-6)
	}
	return most
}

// steepness is the slope of the logistic regression of labels on scores (Platt 1999), by Newton's method.
func steepness(all []judged) float64 {
	a, b := 1.0, 0.0
	for range 50 {
		var ga, gb, haa, hab, hbb float64
		for _, j := range all {
			p := 1 / (1 + math.Exp(-a*j.score-b))
			d, h := p, p*(1-p)
			if j.spam {
				d--
			}
			ga += j.weight * d * j.score
			gb += j.weight * d
			haa += j.weight * h * j.score * j.score
			hab += j.weight * h * j.score
			hbb += j.weight * h
		}
		det := haa*hbb - hab*hab
		if det < 1e-12 {
			break
		}
		a, b = a-(hbb*ga-hab*gb)/det, b-(haa*gb-hab*ga)/det
	}
	return min(max(a, 0.1), 10)
}
