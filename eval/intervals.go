package eval

import (
	"math/rand/v2"
	"slices"

	"rempart/campaign"
)

// Intervals are 95 % intervals of a run's figures: percentiles of the figures of [replicates] resamplings (bootstrap,
// Efron 1979). What is drawn are groups of near copies, each whole: a template that came a hundred times says little more
// than one that came once. They say what another sample of such mail would have given, with the lessons as they were.
type Intervals struct {
	OneMinusROCA Interval `json:"one_minus_roca_percent"`
	SMAtHM01     Interval `json:"sm_at_hm_0_1"`
	SMAtHM05     Interval `json:"sm_at_hm_0_5"`
	Accuracy     Interval `json:"accuracy"`
}

// Interval is a lower and an upper bound.
type Interval [2]float64

// replicates: the bounds are the 50th from either end.
const replicates = 2000

// Resample gives the intervals of the mean over runs of the same messages in other orders; every resampling draws the same
// groups in each of them. The same runs give the same intervals.
func Resample(runs ...[]Result) Intervals {
	groups, count := nearCopies(runs)
	ranked := make([]ranking, len(runs))
	for i, r := range runs {
		ranked[i] = newRanking(r, groups[i])
	}
	random := rand.New(rand.NewPCG(1, 0))
	weight := make([]int32, count)
	means := make([]Figures, replicates)
	all := make([]Figures, len(runs))
	for k := range means {
		clear(weight)
		for range count {
			weight[random.IntN(count)]++
		}
		for i, r := range ranked {
			all[i] = r.figures(weight)
		}
		means[k] = Mean(all)
	}
	return Intervals{
		OneMinusROCA: interval(means, func(f *Figures) float64 { return f.OneMinusROCA }),
		SMAtHM01:     interval(means, func(f *Figures) float64 { return f.SMAtHM01 }),
		SMAtHM05:     interval(means, func(f *Figures) float64 { return f.SMAtHM05 }),
		Accuracy:     interval(means, func(f *Figures) float64 { return f.Accuracy }),
	}
}

func interval(all []Figures, of func(*Figures) float64) Interval {
	values := make([]float64, len(all))
	for i := range all {
		values[i] = of(&all[i])
	}
	slices.Sort(values)
	tail := len(values) / 40
	return Interval{values[tail], values[len(values)-1-tail]}
}

// nearCopies gives each result of each run the number of its group: messages of one name are one message, and near copies are
// one group.
func nearCopies(runs [][]Result) (groups [][]int32, count int) {
	messages := map[string]int{}
	var sets campaign.Groups
	for _, run := range runs {
		for _, r := range run {
			if _, known := messages[r.Name]; known {
				continue
			}
			i := sets.Add()
			messages[r.Name] = i
			if d, ok := campaign.FromBytes(r.Digest); ok {
				sets.Copy(i, d)
			}
		}
	}
	number := map[int]int32{}
	groups = make([][]int32, len(runs))
	for k, run := range runs {
		groups[k] = make([]int32, len(run))
		for i, r := range run {
			root := sets.Root(messages[r.Name])
			if _, seen := number[root]; !seen {
				number[root] = int32(len(number))
			}
			groups[k][i] = number[root]
		}
	}
	return groups, len(number)
}
