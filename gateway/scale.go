package gateway

import (
	"math"
	"strings"

	"rempart/catalogue"
	"rempart/message"
	"rempart/policy"
)

// Points are scores on a peer's scale, in its smallest step, so that parts add up to the whole exactly.
type Points int64

// Scale is the scale of scores of a peer whose protocol we speak, by the thresholds that its clients' rules are written for.
type Scale struct {
	PerScore Points // points to a score of 1
	Greylist Points // below, a client does nothing at all
	Mark     Points
	Refuse   Points
}

// Reaction is what a client is to do with a mail, as far as a score can say it.
type Reaction uint8

// Reactions. PutOff has no place on a scale: anything short of refusing.
const (
	Pass Reaction = iota
	PutOff
	Marked
	Refused
)

// Where a recipient tags from probability 0.9 on, as is the default, the score is the log-odds times [Scale.PerOdds]: 0 is as
// likely spam as not, and the mark is nine to one.
var defaultMark = math.Log(0.9 / 0.1)

// PerOdds is the points of one log-odds.
func (s Scale) PerOdds() float64 { return float64(s.Mark) / defaultMark }

// Points maps log-odds onto the scale by the recipient's own thresholds, so that rules that a client has on the score keep
// their meaning. The mildest threshold that does anything short of refusing is Mark, the mildest that refuses is Refuse,
// straight between them and with PerOdds outside; Refuse is not reached where nothing refuses. It is monotone in odds.
func (s Scale) Points(odds float64, thresholds []message.Threshold) Points {
	mark, refuse := math.Inf(1), math.Inf(1)
	for _, t := range thresholds {
		if t.Action == message.Greylist {
			continue // it depends on who comes for the first time; what is greylisted is bounded
		}
		at := math.Log(t.From / (1 - t.From))
		if t.Action == message.Reject || t.Action == message.Discard {
			refuse = min(refuse, at)
		} else {
			mark = min(mark, at)
		}
	}
	if math.IsInf(mark, 1) {
		mark = defaultMark
	}
	mark = min(mark, refuse)
	switch {
	case odds >= refuse:
		return s.Refuse + rounded(s.PerOdds()*(odds-refuse))
	case odds < mark || math.IsInf(refuse, 1):
		return min(s.Mark+rounded(s.PerOdds()*(odds-mark)), s.Refuse-1)
	}
	return s.Mark + rounded(float64(s.Refuse-s.Mark)*(odds-mark)/(refuse-mark))
}

// Bounded keeps a score where a client that looks at the score alone does what was decided. What passes by a rule, a
// majority or in shadow stays below Greylist, so that such a client does not even greylist it.
func (s Scale) Bounded(p Points, d message.Decision, r Reaction) Points {
	switch r {
	case Refused:
		return max(p, s.Refuse)
	case Marked:
		return min(max(p, s.Mark), s.Refuse-1)
	case PutOff:
		return min(max(p, s.Greylist), s.Refuse-1)
	}
	if d.Mode == message.ModeJudge && d.Rule == policy.RuleNone {
		return min(p, s.Mark-1)
	}
	return min(p, s.Greylist-1)
}

// Score is p as the peer writes it.
func (s Scale) Score(p Points) float64 { return float64(p) / float64(s.PerScore) }

// Part is one part of a score.
type Part struct {
	Name         string // in upper case, as peers name their rules
	Points       Points
	PerInput     Points                // for an input of 1
	Reason       string                // a sentence that can be read out
	Contribution *message.Contribution // nil of [PartOfScale]
}

// PartOfScale is the name of the part that makes up the difference between the signals, each at PerOdds, and the score.
const PartOfScale = "REMPART_SCALE"

// Parts are the contributions of v on the scale, in their order; they add up to total exactly.
func (s Scale) Parts(v *message.Verdict, total Points) []Part {
	parts := make([]Part, 0, len(v.Contributions)+1)
	var sum message.LogOdds
	var given Points
	for i := range v.Contributions {
		c := &v.Contributions[i]
		sum += c.Weight()
		upTo := rounded(sum.Float() * s.PerOdds()) // rounding the sum, not the part, loses nothing
		parts = append(parts, Part{strings.ToUpper(c.Name), upTo - given, rounded(c.Coefficient.Float() * s.PerOdds()),
			catalogue.Seen(catalogue.English().Explain(*c)), c})
		given = upTo
	}
	if rest := total - given; rest != 0 {
		parts = append(parts, Part{PartOfScale, rest, rest, catalogue.English().Say("scale.rest"), nil})
	}
	return parts
}

func rounded(f float64) Points { return Points(math.Round(f)) }
