package learn

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestOddsTable(t *testing.T) {
	for i, got := range oddsTable {
		d := float64(min(max(i-1024, -1023), 1023)) / 1024
		want := d * math.Abs(d) * math.Log((1+d)/(1-d))
		if d < 0 {
			want = -d * d * math.Log((1-d)/(1+d))
		}
		if math.Abs(float64(got)/oneScore-want) > 1e-4 {
			t.Errorf("oddsTable[%d] = %v, want %v", i, float64(got)/oneScore, want)
		}
	}
}

// What was seen in spam alone speaks for spam once both kinds were taught, and for nothing before.
func TestCountsNeedBothKinds(t *testing.T) {
	offer, dinner := counted(1, 40), counted(2, 40)
	c := newCounts(10)
	if c.teach(offer, true, oneScore, nil) != oneCount || c.score(offer) != 0 {
		t.Errorf("score %d after one lesson of one kind, want 0", c.score(offer))
	}
	if c.teach(dinner, false, oneScore, nil) != -oneCount || c.score(offer) <= 0 || c.score(dinner) >= 0 {
		t.Errorf("score %d of what was spam, %d of what was honest", c.score(offer), c.score(dinner))
	}
	sure := false
	for range 10 {
		c.teach(offer, true, oneScore, nil)
		sure = c.score(dinner) < -sureScore
		if moved := c.teach(dinner, false, oneScore, nil); (moved == 0) != sure {
			t.Errorf("sure: %v, moved %d", sure, moved)
		}
	}
	if !sure {
		t.Errorf("score %d after ten lessons of each kind", c.score(dinner))
	}
}

// Whatever was taught between, taking a lesson back leaves the cells as if it had never come.
func TestCountsUndo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, without := newCounts(6), newCounts(6) // small: hashes share cells
		lesson := counted(rapid.Uint32().Draw(t, "lesson"), 30)
		moved := c.teach(lesson, rapid.Bool().Draw(t, "spam"), oneScore/64, nil)
		for _, n := range rapid.SliceOf(rapid.Uint32Range(0, 9)).Draw(t, "others") {
			c.(*counts).move(counted(n, 30), int64(n%2)*2-1, oneCount)
			without.(*counts).move(counted(n, 30), int64(n%2)*2-1, oneCount)
		}
		c.undo(lesson, moved)
		want := without.store().values
		for i, got := range c.store().values {
			if want == nil && got != 0 || want != nil && got != want[i] {
				t.Fatalf("cell %d is %d", i, got)
			}
		}
	})
}

// counted makes n hashes that the table counts.
func counted(seed uint32, n int) (hashes []uint32) {
	for i := range uint32(n) {
		hashes = append(hashes, mix(seed*1000+i)&^(sample-1))
	}
	return hashes
}
