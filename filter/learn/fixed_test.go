package learn

import (
	"math"
	"testing"
)

func TestSigmoid(t *testing.T) {
	for s := -25.0; s <= 25; s += 0.037 {
		got := float64(sigmoid(int64(s*oneScore))) / oneProb
		want := 1 / (1 + math.Exp(-s))
		if math.Abs(got-want) > 1e-5 {
			t.Errorf("sigmoid(%v) = %v, want %v", s, got, want)
		}
	}
}
