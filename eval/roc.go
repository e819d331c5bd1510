package eval

import (
	"cmp"
	"math"
	"slices"
)

// Result is one judged message: its score and what it truly is.
type Result struct {
	Name        string  // tells the message from others of the corpus; the same in every order
	Digest      []byte  // near-copy digest; empty if there is too little text
	Score       float64 // higher is more like spam
	Probability float64
	Spam        bool
}

// Figures are what a run reached. Percentages are 0 to 100.
type Figures struct {
	Corpus   string `json:"corpus"`
	Protocol string `json:"protocol"`
	Messages int    `json:"messages"`
	Spam     int    `json:"spam"`
	Ham      int    `json:"ham"`
	// OneMinusROCA is the area above the ROC curve: the chance that an honest message scores above a spam, ties counted
	// half, in percent.
	OneMinusROCA float64 `json:"one_minus_roca_percent"`
	// SMAtHM01 is the share of spam missed at the threshold that blocks 0.1 % of honest mail; SMAtHM05 at 0.5 %.
	SMAtHM01 float64 `json:"sm_at_hm_0_1"`
	SMAtHM05 float64 `json:"sm_at_hm_0_5"`
	// Accuracy is the percentage told right, MCC Matthews' correlation, both at probability 0.5.
	Accuracy float64 `json:"accuracy"`
	MCC      float64 `json:"mcc"`
	// Intervals are those of the figures above, if they were resampled.
	Intervals         *Intervals `json:"intervals_95,omitempty"`
	MessagesPerSecond float64    `json:"messages_per_second"`
	// WorstOneMinusROCA is the worst of several corpora; only in their mean.
	WorstOneMinusROCA float64 `json:"worst_one_minus_roca_percent,omitempty"`
}

// Measure computes the figures of one run.
func Measure(results []Result) Figures {
	return newRanking(results, nil).figures(nil)
}

// ranking is a run sorted by score, the most spam-like first: sorted once, it is counted anew for every resampling.
type ranking []place

// place is one message of a ranking.
type place struct {
	group int32
	spam  bool
	held  bool // for spam, at probability 0.5
	tied  bool // with the one before
}

// newRanking sorts results; groups says which group of near copies each belongs to, nil that it does not matter.
func newRanking(results []Result, groups []int32) ranking {
	at := make([]int, len(results))
	for i := range at {
		at[i] = i
	}
	slices.SortStableFunc(at, func(i, j int) int { return cmp.Compare(results[j].Score, results[i].Score) })
	ranked := make(ranking, len(at))
	for k, i := range at {
		r := &results[i]
		ranked[k] = place{spam: r.Spam, held: r.Probability >= 0.5, tied: k > 0 && r.Score == results[at[k-1]].Score}
		if groups != nil {
			ranked[k].group = groups[i]
		}
	}
	return ranked
}

// figures counts every message as often as weight says of its group; nil: once.
func (r ranking) figures(weight []int32) Figures {
	t := r.count(weight)
	f := Figures{Messages: t.spam() + t.ham(), Spam: t.spam(), Ham: t.ham()}
	f.Accuracy, f.MCC = t.accuracy(), t.correlation()
	f.OneMinusROCA, f.SMAtHM01, f.SMAtHM05 = r.areaAndMissed(weight, t.spam(), t.ham())
	return f
}

func (p *place) weight(weight []int32) int {
	if weight == nil {
		return 1
	}
	return int(weight[p.group])
}

// areaAndMissed walks down the ranking once. The area counts the pairs in which an honest message stands above a spam. A
// share missed is that at the lowest threshold that blocks at most so much ham; messages of one score are blocked together.
func (r ranking) areaAndMissed(weight []int32, spam, ham int) (area, missed01, missed05 float64) {
	allowed := [2]int{int(0.001 * float64(ham)), int(0.005 * float64(ham))}
	var caught [2]int
	var wrong float64
	spamAbove, hamAbove := 0, 0
	for i := 0; i < len(r); {
		s, h := 0, 0
		for first := i; i < len(r) && (i == first || r[i].tied); i++ {
			if w := r[i].weight(weight); r[i].spam {
				s += w
			} else {
				h += w
			}
		}
		wrong += float64(s) * (float64(hamAbove) + float64(h)/2)
		spamAbove, hamAbove = spamAbove+s, hamAbove+h
		for k := range caught {
			if hamAbove <= allowed[k] {
				caught[k] = spamAbove
			}
		}
	}
	if spam == 0 {
		return 0, 0, 0
	}
	if ham > 0 {
		area = 100 * wrong / float64(spam) / float64(ham)
	}
	missed := func(caught int) float64 { return 100 * float64(spam-caught) / float64(spam) }
	return area, missed(caught[0]), missed(caught[1])
}

// told is how many of each kind were held for what.
type told struct{ spamAsSpam, spamAsHam, hamAsSpam, hamAsHam int }

func (r ranking) count(weight []int32) (t told) {
	for i := range r {
		w := r[i].weight(weight)
		switch {
		case r[i].held && r[i].spam:
			t.spamAsSpam += w
		case r[i].held:
			t.hamAsSpam += w
		case r[i].spam:
			t.spamAsHam += w
		default:
			t.hamAsHam += w
		}
	}
	return t
}

func (t told) spam() int { return t.spamAsSpam + t.spamAsHam }
func (t told) ham() int  { return t.hamAsSpam + t.hamAsHam }

func (t told) accuracy() float64 {
	if t.spam()+t.ham() == 0 {
		return 0
	}
	return 100 * float64(t.spamAsSpam+t.hamAsHam) / float64(t.spam()+t.ham())
}

func (t told) correlation() float64 {
	tp, tn, fp, fn := float64(t.spamAsSpam), float64(t.hamAsHam), float64(t.hamAsSpam), float64(t.spamAsHam)
	if d := math.Sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)); d > 0 {
		return (tp*tn - fp*fn) / d
	}
	return 0
}

// Mean averages the figures of several corpora and names the worst area.
func Mean(all []Figures) Figures {
	mean := Figures{Corpus: "mean"}
	for _, f := range all {
		mean.Protocol = f.Protocol
		mean.Messages += f.Messages
		mean.Spam += f.Spam
		mean.Ham += f.Ham
		n := float64(len(all))
		mean.OneMinusROCA += f.OneMinusROCA / n
		mean.SMAtHM01 += f.SMAtHM01 / n
		mean.SMAtHM05 += f.SMAtHM05 / n
		mean.Accuracy += f.Accuracy / n
		mean.MCC += f.MCC / n
		mean.MessagesPerSecond += f.MessagesPerSecond / n
		mean.WorstOneMinusROCA = max(mean.WorstOneMinusROCA, f.OneMinusROCA)
	}
	return mean
}
