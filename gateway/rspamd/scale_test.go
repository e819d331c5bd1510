package rspamd

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"rempart/message"
	"rempart/policy"
)

func odds(p float64) float64 { return math.Log(p / (1 - p)) }

func TestScaled(t *testing.T) {
	standard := []message.Threshold{{Action: message.Tag, From: 0.9}}
	strict := []message.Threshold{{Action: message.Tag, From: 0.5}, {Action: message.Hold, From: 0.7}, {Action: message.Reject, From: 0.99}}
	for _, tt := range []struct {
		name       string
		thresholds []message.Threshold
		p          float64
		want       points
	}{
		{"even odds", standard, 0.5, 0},
		{"as likely honest", standard, 0.1, -6000},
		{"threshold", standard, 0.9, 6000},
		{"nothing refuses", standard, 0.999999, 14999},
		{"own threshold", strict, 0.5, 6000},
		{"below it", strict, 0.1, 0},
		{"between", strict, 1 / (1 + math.Exp(-odds(0.99)/2)), 10500},
		{"refused", strict, 0.99, 15000},
		{"beyond", strict, 0.999, 15000 + rounded(perOdds*(odds(0.999)-odds(0.99)))},
		{"greylisting is no mark", append([]message.Threshold{{Action: message.Greylist, From: 0.3}}, standard...), 0.9, 6000},
		{"nothing on", nil, 0.9, 6000},
		{"refused alone", []message.Threshold{{Action: message.Reject, From: 0.8}}, 0.8, 15000},
		{"refused alone, not reached", []message.Threshold{{Action: message.Reject, From: 0.8}}, 0.7, 6000 + rounded(perOdds*(odds(0.7)-odds(0.8)))},
		{"refused before marked", []message.Threshold{{Action: message.Tag, From: 0.9}, {Action: message.Discard, From: 0.8}}, 0.85, 15000 + rounded(perOdds*(odds(0.85)-odds(0.8)))},
		{"refused at certainty only", []message.Threshold{{Action: message.Tag, From: 0.9}, {Action: message.Reject, From: 1}}, 0.9, 6000},
	} {
		if got := scaled(odds(tt.p), tt.thresholds); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// Whatever the thresholds and the signals: the scale is monotone, the score lies where a client does what was decided, and
// the symbols add up to it.
func TestScaleProperties(t *testing.T) {
	probability := rapid.Float64Range(0.001, 1)
	rapid.Check(t, func(t *rapid.T) {
		var thresholds []message.Threshold
		for _, a := range []message.Action{message.Greylist, message.Tag, message.Rewrite, message.Hold, message.Quarantine, message.Tempfail, message.Reject, message.Discard} {
			if rapid.Bool().Draw(t, "on") {
				thresholds = append(thresholds, message.Threshold{Action: a, From: probability.Draw(t, a.String())})
			}
		}
		a, b := rapid.Float64Range(-40, 40).Draw(t, "a"), rapid.Float64Range(-40, 40).Draw(t, "b")
		if a > b {
			a, b = b, a
		}
		if scaled(a, thresholds) > scaled(b, thresholds) {
			t.Fatalf("%v is above %v", scaled(a, thresholds), scaled(b, thresholds))
		}
		v := &message.Verdict{}
		for i, w := range rapid.SliceOfN(rapid.Float64Range(-9, 9), 0, 8).Draw(t, "weights") {
			c := message.Contribution{Name: string(rune('a' + i)), Input: message.FixedOne, Coefficient: message.Odds(w)}
			v.Contributions = append(v.Contributions, c)
			v.Score += c.Weight()
		}
		d := message.Decision{Action: message.Action(rapid.IntRange(1, 14).Draw(t, "action")), Mode: message.Mode(rapid.IntRange(0, 2).Draw(t, "mode")),
			Rule: rapid.SampledFrom([]string{policy.RuleNone, policy.RuleThreshold, policy.RuleMajority}).Draw(t, "rule")}
		total := bounded(scaled(v.Score.Float(), thresholds), d)
		var sum points
		for _, s := range symbols(v, total) {
			sum += rounded(s.Score * 1000)
		}
		if sum != total {
			t.Fatalf("symbols add up to %v, the score is %v", sum, total)
		}
		// What a client does that has rspamd's own thresholds and looks at nothing else.
		var client string
		switch {
		case total >= rejectAt:
			client = reject
		case total >= addHeaderAt:
			client = addHeader
		case total >= greylistAt:
			client = greylist
		default:
			client = noAction
		}
		switch decided := actionOf(d.Effective()); {
		case decided == softReject && client != reject && client != noAction: // the scale has no place for it
		case decided == rewriteSubject && client == addHeader: // rspamd's own is off
		case decided == noAction && d.Mode == message.ModeJudge && d.Rule == policy.RuleNone && client == greylist: // ours, too
		case decided != client:
			t.Fatalf("decided %v, score %v is %v", decided, total, client)
		}
	})
}

// With the default policy a symbol's score is its weight times perOdds, and nothing is left to explain.
func TestDefaultScaleIsPlain(t *testing.T) {
	v := &message.Verdict{Score: message.Odds(2.5), Contributions: []message.Contribution{
		{Name: "bias", Input: message.FixedOne, Coefficient: message.Odds(-1)},
		{Name: "link_address", Input: message.FixedOne, Coefficient: message.Odds(3.5)}}}
	all := symbols(v, scaled(v.Score.Float(), []message.Threshold{{Action: message.Tag, From: 0.9}}))
	if len(all) != 2 || all["BIAS"].Score != -2.731 || all["LINK_ADDRESS"].Score != 9.558 || all["LINK_ADDRESS"].MetricScore != 9.558 {
		t.Errorf("%+v", all)
	}
}
