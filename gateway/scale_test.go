package gateway

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"rempart/message"
	"rempart/policy"
)

func odds(p float64) float64 { return math.Log(p / (1 - p)) }

// thousandths is rspamd's scale, tenths is SpamAssassin's.
var (
	thousandths = Scale{PerScore: 1000, Greylist: 4_000, Mark: 6_000, Refuse: 15_000}
	tenths      = Scale{PerScore: 10, Greylist: 40, Mark: 50, Refuse: 150}
)

func TestScalePoints(t *testing.T) {
	standard := []message.Threshold{{Action: message.Tag, From: 0.9}}
	strict := []message.Threshold{{Action: message.Tag, From: 0.5}, {Action: message.Hold, From: 0.7}, {Action: message.Reject, From: 0.99}}
	s := thousandths
	for _, tt := range []struct {
		name       string
		thresholds []message.Threshold
		p          float64
		want       Points
	}{
		{"even odds", standard, 0.5, 0},
		{"as likely honest", standard, 0.1, -6000},
		{"threshold", standard, 0.9, 6000},
		{"nothing refuses", standard, 0.999999, 14999},
		{"own threshold", strict, 0.5, 6000},
		{"below it", strict, 0.1, 0},
		{"between", strict, 1 / (1 + math.Exp(-odds(0.99)/2)), 10500},
		{"refused", strict, 0.99, 15000},
		{"beyond", strict, 0.999, 15000 + rounded(s.PerOdds()*(odds(0.999)-odds(0.99)))},
		{"greylisting is no mark", append([]message.Threshold{{Action: message.Greylist, From: 0.3}}, standard...), 0.9, 6000},
		{"nothing on", nil, 0.9, 6000},
		{"refused alone", []message.Threshold{{Action: message.Reject, From: 0.8}}, 0.8, 15000},
		{"refused alone, not reached", []message.Threshold{{Action: message.Reject, From: 0.8}}, 0.7, 6000 + rounded(s.PerOdds()*(odds(0.7)-odds(0.8)))},
		{"refused before marked", []message.Threshold{{Action: message.Tag, From: 0.9}, {Action: message.Discard, From: 0.8}}, 0.85, 15000 + rounded(s.PerOdds()*(odds(0.85)-odds(0.8)))},
		{"refused at certainty only", []message.Threshold{{Action: message.Tag, From: 0.9}, {Action: message.Reject, From: 1}}, 0.9, 6000},
	} {
		if got := s.Points(odds(tt.p), tt.thresholds); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// Whatever the thresholds and the signals: the scale is monotone, the score lies where a client does what was decided, and
// the parts add up to it.
func TestScaleProperties(t *testing.T) {
	probability := rapid.Float64Range(0.001, 1)
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.SampledFrom([]Scale{thousandths, tenths}).Draw(t, "scale")
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
		if s.Points(a, thresholds) > s.Points(b, thresholds) {
			t.Fatalf("%v is above %v", s.Points(a, thresholds), s.Points(b, thresholds))
		}
		v := &message.Verdict{}
		for i, w := range rapid.SliceOfN(rapid.Float64Range(-9, 9), 0, 8).Draw(t, "weights") {
			c := message.Contribution{Name: string(rune('a' + i)), Input: message.FixedOne, Coefficient: message.Odds(w)}
			v.Contributions = append(v.Contributions, c)
			v.Score += c.Weight()
		}
		d := message.Decision{Mode: message.Mode(rapid.IntRange(0, 2).Draw(t, "mode")),
			Rule: rapid.SampledFrom([]string{policy.RuleNone, policy.RuleThreshold, policy.RuleMajority}).Draw(t, "rule")}
		decided := Reaction(rapid.IntRange(int(Pass), int(Refused)).Draw(t, "reaction"))
		total := s.Bounded(s.Points(v.Score.Float(), thresholds), d, decided)
		var sum Points
		for _, p := range s.Parts(v, total) {
			sum += p.Points
		}
		if sum != total {
			t.Fatalf("parts add up to %v, the score is %v", sum, total)
		}
		// What a client does that has the peer's own thresholds and looks at nothing else.
		client := Pass
		switch {
		case total >= s.Refuse:
			client = Refused
		case total >= s.Mark:
			client = Marked
		case total >= s.Greylist:
			client = PutOff
		}
		switch {
		case decided == PutOff && client != Refused && client != Pass: // the scale has no place for it
		case decided == Pass && d.Mode == message.ModeJudge && d.Rule == policy.RuleNone && client == PutOff: // the verdict alone says so
		case decided != client:
			t.Fatalf("decided %v, score %v is %v", decided, total, client)
		}
	})
}

// With the default policy a part is its weight times PerOdds, and nothing is left to explain.
func TestDefaultScaleIsPlain(t *testing.T) {
	v := &message.Verdict{Score: message.Odds(2.5), Contributions: []message.Contribution{
		{Name: "bias", Input: message.FixedOne, Coefficient: message.Odds(-1)},
		{Name: "link_address", Input: message.FixedOne, Coefficient: message.Odds(3.5)}}}
	standard := []message.Threshold{{Action: message.Tag, From: 0.9}}
	parts := thousandths.Parts(v, thousandths.Points(v.Score.Float(), standard))
	if len(parts) != 2 || parts[0].Name != "BIAS" || parts[0].Points != -2731 || parts[1].Points != 9558 || parts[1].PerInput != 9558 {
		t.Errorf("%+v", parts)
	}
}
