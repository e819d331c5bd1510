package eval

import (
	"cmp"
	"math"
	"slices"
)

// Result is one judged message: its score and what it truly is.
type Result struct {
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
	Accuracy          float64 `json:"accuracy"`
	MCC               float64 `json:"mcc"`
	MessagesPerSecond float64 `json:"messages_per_second"`
	// WorstOneMinusROCA is the worst of several corpora; only in their mean.
	WorstOneMinusROCA float64 `json:"worst_one_minus_roca_percent,omitempty"`
}

// Measure computes the figures of one run.
func Measure(results []Result) Figures {
	sorted := sortedByScore(results)
	f := Figures{Messages: len(sorted)}
	for _, r := range sorted {
		if r.Spam {
			f.Spam++
		}
	}
	f.Ham = f.Messages - f.Spam
	f.OneMinusROCA = areaAbove(sorted, f.Spam, f.Ham)
	f.SMAtHM01 = missed(sorted, f.Spam, f.Ham, 0.001)
	f.SMAtHM05 = missed(sorted, f.Spam, f.Ham, 0.005)
	f.Accuracy, f.MCC = atHalf(sorted)
	return f
}

func sortedByScore(results []Result) []Result {
	sorted := slices.Clone(results)
	slices.SortStableFunc(sorted, func(a, b Result) int { return cmp.Compare(a.Score, b.Score) })
	return sorted
}

// areaAbove counts, over results sorted by score, the pairs in which an honest message stands above a spam.
func areaAbove(sorted []Result, spam, ham int) float64 {
	if spam == 0 || ham == 0 {
		return 0
	}
	var wrong, spamBelow float64
	for i := 0; i < len(sorted); {
		var s, h float64
		j := i
		for ; j < len(sorted) && sorted[j].Score == sorted[i].Score; j++ {
			if sorted[j].Spam {
				s++
			} else {
				h++
			}
		}
		wrong += h * (spamBelow + s/2)
		spamBelow += s
		i = j
	}
	return 100 * wrong / float64(spam) / float64(ham)
}

// missed is the share of spam below the lowest threshold that blocks at most that share of ham. Messages of one score are
// blocked together.
func missed(sorted []Result, spam, ham int, share float64) float64 {
	if spam == 0 {
		return 0
	}
	allowed := int(share * float64(ham))
	caught, blocked := 0, 0
	for end := len(sorted); end > 0; {
		start := end
		s, h := 0, 0
		for start > 0 && sorted[start-1].Score == sorted[end-1].Score {
			start--
			if sorted[start].Spam {
				s++
			} else {
				h++
			}
		}
		if blocked+h > allowed {
			break
		}
		caught, blocked = caught+s, blocked+h
		end = start
	}
	return 100 * float64(spam-caught) / float64(spam)
}

func atHalf(results []Result) (accuracy, mcc float64) {
	var tp, tn, fp, fn float64
	for _, r := range results {
		switch caught := r.Probability >= 0.5; {
		case caught && r.Spam:
			tp++
		case caught:
			fp++
		case r.Spam:
			fn++
		default:
			tn++
		}
	}
	if len(results) > 0 {
		accuracy = 100 * (tp + tn) / float64(len(results))
	}
	if d := math.Sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)); d > 0 {
		mcc = (tp*tn - fp*fn) / d
	}
	return accuracy, mcc
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
