package learn

import "math"

// counts is a table of how many lessons of spam and of honest mail had each feature: two cells a hash, and at the end two
// for the lessons themselves. It judges by rates (naive Bayes), where a linear table judges by what it got wrong; the two
// err on unlike messages.
//
// A feature's say is the log-odds of its rates times the square of their difference over their sum, so that the many that
// say next to nothing do not drown the few that tell. Both rates start from the feature's rate in all lessons: what was
// seen once says little, and nothing while only one kind was taught. As with the linear tables the sum is divided by the
// square root of the number of features.
type counts struct{ cells }

func newCounts(bits uint) table { return &counts{cells{size: 2<<bits + 2, shift: 32 - bits}} }

const (
	oneCount   = 64           // a lesson at full rate, so that one of a tenant still counts in the shared table
	priorCount = 2 * oneCount // lessons that the rate in all lessons weighs as much as
	sureScore  = 10 * oneScore
	sample     = 4 // one hash in so many is counted: rates tell as much by these, in a quarter of the time
)

func (t *counts) score(hashes []uint32) int64 {
	if t.values == nil {
		return 0
	}
	spam, ham := int64(t.values[t.size-2]), int64(t.values[t.size-1])
	prior := priorCount << 32 / max(1, spam+ham)
	perSpam, perHam := 1<<40/(spam+priorCount), 1<<40/(ham+priorCount)
	values, shift := t.values, t.shift
	var sum int64
	var n int
	var few [256]uint32
	var pairs [256][2]int32
	for len(hashes) > 0 {
		k := pick(&few, &hashes)
		for i, hash := range few[:k] { // by itself, so that the misses of the cache overlap
			pairs[i] = [2]int32(values[hash>>shift*2:])
		}
		for _, pair := range pairs[:k] {
			s, h := min(int64(pair[0]), spam), min(int64(pair[1]), ham)
			both := (s + h) * prior >> 16
			p, q := (s<<16+both)*perSpam, (h<<16+both)*perHam // rates, of 2^56
			d := int64(float64(p-q) / float64(p+q+1) * 1024)  // see inverseRoot
			sum += int64(oddsTable[1024+d])
		}
		n += k
	}
	const scale = 2 // the square root of sample: as if all were counted
	return sum * inverseRoot(n) * scale >> 30
}

// pick takes the hashes that are counted from the front of hashes, as many as are sure to fit, without a branch that the
// processor would have to guess.
func pick(few *[256]uint32, hashes *[]uint32) (k int) {
	front := (*hashes)[:min(len(*hashes), len(few))]
	*hashes = (*hashes)[len(front):]
	for _, h := range front {
		few[k&0xff] = h
		k += int((h%sample - 1) >> 31)
	}
	return k
}

// teach counts the message, unless the tables are sure of it.
func (t *counts) teach(hashes []uint32, spam bool, rate int64, beside table) (moved int64) {
	score := t.score(hashes)
	if beside != nil {
		score += beside.score(hashes)
	}
	if spam && score > sureScore || !spam && score < -sureScore {
		return 0
	}
	if moved = oneCount * rate / oneScore; moved == 0 {
		return 0
	}
	if !spam {
		moved = -moved
	}
	t.move(hashes, moved, abs(moved))
	return moved
}

func (t *counts) undo(hashes []uint32, moved int64) { t.move(hashes, moved, -abs(moved)) }

// move adds d to the counts of one label: spam where kind is positive.
func (t *counts) move(hashes []uint32, kind, d int64) {
	t.open()
	label := uint32(0)
	if kind < 0 {
		label = 1
	}
	add := func(i uint32) {
		t.values[i] = int32(min(max(int64(t.values[i])+d, 0), math.MaxInt32))
	}
	for _, h := range hashes {
		if h%sample == 0 {
			add(h>>t.shift*2 + label)
		}
	}
	add(uint32(t.size-2) + label)
}

// oddsTable is d²·ln((1+d)/(1-d)) of oneScore for d from -1 to 1 in 1/1024: what a feature says whose rates differ by d over
// their sum. The ends are as their neighbours.
var oddsTable = makeOddsTable()

func makeOddsTable() [2*1024 + 1]int32 {
	var table [2*1024 + 1]int32
	var odds int64 // ln((1024+d)/(1024-d)), of 2^40
	for d := int64(1); d < 1024; d++ {
		odds += lnStep(1023+d) + lnStep(1024-d)
		w := int32(odds >> 24 * d * d >> 20)
		table[1024+d], table[1024-d] = w, -w
	}
	table[2048], table[0] = table[2047], table[1]
	return table
}

// lnStep is ln((n+1)/n) of 2^40, as 2·(1/m + 1/3m³ + 1/5m⁵ ...) with m = 2n+1.
func lnStep(n int64) (sum int64) {
	m := 2*n + 1
	for power, k := int64(2<<40)/m, int64(1); power > 0; power, k = power/(m*m), k+2 {
		sum += power / k
	}
	return sum
}
