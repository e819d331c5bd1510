package learn

import "math"

// table is the weights of one linear learner: one for each hash, folded to its size. The score of a message is the sum
// of its features' weights over the square root of their number, so that long and short messages are on one scale.
type table struct {
	weights []int32 // of oneScore; nil, and taking no memory, until something is taught
	shift   uint    // a 32-bit hash's upper bits are the index
}

func newTable(bits uint) *table { return &table{shift: 32 - bits} }

// score is the log-odds that this table gives a message with these features.
func (t *table) score(hashes []uint32) int64 {
	if t.weights == nil {
		return 0
	}
	var sum int64
	for _, h := range hashes {
		sum += int64(t.weights[h>>t.shift])
	}
	return sum * inverseRoot(len(hashes)) >> 30
}

// spread is what each weight gets when the score of a message with n features is to move by g.
func spread(g int64, n int) int64 { return g * inverseRoot(n) / (1 << 30) }

// move adds d to the weight of each feature; moving by -d takes it back exactly, unless a weight met its bound between.
func (t *table) move(hashes []uint32, d int64) {
	t.open()
	for _, h := range hashes {
		w := &t.weights[h>>t.shift]
		*w = int32(min(max(int64(*w)+d, math.MinInt32), math.MaxInt32))
	}
}

// open makes the weights before the first of them moves.
func (t *table) open() {
	if t.weights == nil {
		t.weights = make([]int32, 1<<(32-t.shift))
	}
}

// Learning goes on until the learner is sure, also when the sign is right already.
const (
	step       = 8           // of oneScore: one update at full error moves the score by this much
	maxUpdates = 3           // of one lesson
	sureError  = oneProb / 7 // below it the learner is sure
)

// teach moves the first table towards the label (spam is 1) until the tables together are sure, and returns by how much
// each weight was moved in all: with it the lesson can be taken back.
func teach(hashes []uint32, spam bool, rate int64, tables ...*table) (moved int64) {
	target := int64(0)
	if spam {
		target = oneProb
	}
	for range maxUpdates {
		score := int64(0)
		for _, t := range tables {
			score += t.score(hashes)
		}
		err := target - sigmoid(score)
		d := spread(err*step>>14*rate/oneScore, len(hashes)) // oneProb to oneScore
		tables[0].move(hashes, d)
		moved += d
		if abs(err) < sureError {
			break
		}
	}
	return moved
}

func abs(v int64) int64 {
	if v < 0 {
		return -v
	}
	return v
}
