package rspamd

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"rempart/catalogue"
	"rempart/message"
	"rempart/policy"
)

// points are thousandths of rspamd's score.
type points int64

// The thresholds of rspamd's own configuration, which clients' rules are written for.
const (
	greylistAt  points = 4_000
	addHeaderAt points = 6_000
	rejectAt    points = 15_000
)

// Where a recipient tags from probability 0.9 on, as is the default, the score is the log-odds times perOdds: 0 is as
// likely spam as not, and 6 is nine to one.
var (
	defaultMark = math.Log(0.9 / 0.1)
	perOdds     = float64(addHeaderAt) / defaultMark
)

// scaled maps log-odds onto rspamd's scale by the recipient's own thresholds. The mildest one that does anything short of
// refusing is 6, the mildest that refuses is 15, straight between them and with perOdds outside; 15 is not reached where
// nothing refuses. It is monotone in odds.
func scaled(odds float64, thresholds []message.Threshold) points {
	mark, refuse := math.Inf(1), math.Inf(1)
	for _, t := range thresholds {
		if t.Action == message.Greylist {
			continue // it depends on who comes for the first time; what is greylisted is bounded
		}
		at := math.Log(t.From / (1 - t.From))
		if actionOf(t.Action) == reject {
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
		return rejectAt + rounded(perOdds*(odds-refuse))
	case odds < mark || math.IsInf(refuse, 1):
		return min(addHeaderAt+rounded(perOdds*(odds-mark)), rejectAt-1)
	}
	return addHeaderAt + rounded(float64(rejectAt-addHeaderAt)*(odds-mark)/(refuse-mark))
}

// bounded keeps a score where a client that looks at the score alone does what was decided. What passes by a rule, a
// majority or in shadow stays below 4, so that such a client does not even greylist it.
func bounded(p points, d message.Decision) points {
	switch actionOf(d.Effective()) {
	case reject:
		return max(p, rejectAt)
	case addHeader, rewriteSubject:
		return min(max(p, addHeaderAt), rejectAt-1)
	case softReject:
		return min(max(p, greylistAt), rejectAt-1)
	case greylist:
		return min(max(p, greylistAt), addHeaderAt-1)
	}
	if d.Mode == message.ModeJudge && d.Rule == policy.RuleNone {
		return min(p, addHeaderAt-1)
	}
	return min(p, greylistAt-1)
}

// symbol is one part of a score.
type symbol struct {
	Name        string   `json:"name"`
	Score       float64  `json:"score"`
	MetricScore float64  `json:"metric_score"` // for an input of 1
	Description string   `json:"description"`
	Options     []string `json:"options,omitempty"` // arguments of the description
}

// scaleSymbol makes up the difference between the signals, each at perOdds, and the score.
const scaleSymbol = "REMPART_SCALE"

// symbols are the contributions of v on rspamd's scale; their scores add up to total exactly.
func symbols(v *message.Verdict, total points) map[string]symbol {
	all := make(map[string]symbol, len(v.Contributions)+1)
	var sum message.LogOdds
	var given points
	for _, c := range v.Contributions {
		sum += c.Weight()
		upTo := rounded(sum.Float() * perOdds) // rounding the sum, not the part, loses nothing
		s := symbol{Name: strings.ToUpper(c.Name), Score: (upTo - given).score(), MetricScore: rounded(c.Coefficient.Float() * perOdds).score(),
			Description: catalogue.Seen(catalogue.English().Explain(c)), Options: options(c)}
		all[s.Name] = s
		given = upTo
	}
	if rest := total - given; rest != 0 {
		all[scaleSymbol] = symbol{Name: scaleSymbol, Score: rest.score(), MetricScore: rest.score(),
			Description: catalogue.English().Say("rspamd.scale")}
	}
	return all
}

func options(c message.Contribution) (list []string) {
	if c.State == message.StateUnknown {
		return []string{c.State.String()}
	}
	for _, a := range c.Args {
		list = append(list, catalogue.Seen(fmt.Sprint(a)))
	}
	return list
}

func rounded(f float64) points { return points(math.Round(f)) }

func (p points) score() float64 { return float64(p) / 1000 }

// spam reports whether rspamd counts a mail with that action as spam.
func spam(action string) bool {
	return slices.Contains([]string{addHeader, rewriteSubject, softReject, reject}, action)
}
