package learn

import "math"

// linear is a table of weights of oneScore, one for each hash, folded to its size. The score of a message is the sum of its
// features' weights over the square root of their number, so that long and short messages are on one scale.
type linear struct{ cells }

func newLinear(bits uint) table { return &linear{cells{size: 1 << bits, shift: 32 - bits}} }

func (t *linear) score(hashes []uint32) int64 {
	if t.values == nil {
		return 0
	}
	values, shift := t.values, t.shift&31
	n := len(hashes)
	var a, b, c, d int64 // apart, so that more weights are on their way from memory at one time
	for ; len(hashes) >= 4; hashes = hashes[4:] {
		a += int64(values[hashes[0]>>shift])
		b += int64(values[hashes[1]>>shift])
		c += int64(values[hashes[2]>>shift])
		d += int64(values[hashes[3]>>shift])
	}
	for _, h := range hashes {
		a += int64(values[h>>shift])
	}
	return (a + b + c + d) * inverseRoot(n) >> 30
}

// Learning goes on until the learner is sure, also when the sign is right already.
const (
	step       = 8           // of oneScore: one update at full error moves the score by this much
	maxUpdates = 3           // of one lesson
	sureError  = oneProb / 7 // below it the learner is sure
)

// teach moves the weights towards the label (spam is 1). Features are binary, so one number says by how much each of their
// weights moved.
func (t *linear) teach(hashes []uint32, spam bool, rate int64, beside table) (moved int64) {
	others := int64(0)
	if beside != nil {
		others = beside.score(hashes)
	}
	for range maxUpdates {
		err := target(spam) - sigmoid(others+t.score(hashes))
		d := spread(err*step>>14*rate/oneScore, len(hashes)) // oneProb to oneScore
		t.move(hashes, d)
		moved += d
		if abs(err) < sureError {
			break
		}
	}
	return moved
}

func (t *linear) undo(hashes []uint32, moved int64) { t.move(hashes, -moved) }

// spread is what each weight gets when the score of a message with n features is to move by g.
func spread(g int64, n int) int64 { return g * inverseRoot(n) / (1 << 30) }

// move adds d to the weight of each feature.
func (t *linear) move(hashes []uint32, d int64) {
	t.open()
	for _, h := range hashes {
		w := &t.values[h>>t.shift]
		*w = int32(min(max(int64(*w)+d, math.MinInt32), math.MaxInt32))
	}
}

func abs(v int64) int64 {
	if v < 0 {
		return -v
	}
	return v
}
