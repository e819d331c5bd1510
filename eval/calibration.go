package eval

// Reliability says what probabilities are worth: of the messages of which the filter said 0.7, seven in ten should be spam.
type Reliability struct {
	Messages int `json:"messages"`
	// Error is the expected calibration error (Naeini and others, 2015): the mean over all messages of how far the share of
	// spam in the message's bin is from the bin's mean probability.
	Error float64 `json:"expected_calibration_error"`
	Bins  []Bin   `json:"bins"`
	// Levels say how much honest mail stands at or above a probability.
	Levels []Level `json:"levels"`
}

// Bin holds the messages with a probability from From on, a tenth wide.
type Bin struct {
	From     float64 `json:"from"`
	Messages int     `json:"messages"`
	Mean     float64 `json:"mean_probability"`
	Spam     float64 `json:"share_of_spam"`
}

// Level counts what has at least a probability.
type Level struct {
	Probability float64 `json:"probability"`
	Spam        int     `json:"spam"`
	OfSpam      int     `json:"of_spam"`
	Ham         int     `json:"ham"`
	OfHam       int     `json:"of_ham"`
}

// Calibrate pools runs and counts at the levels.
func Calibrate(levels []float64, runs ...[]Result) Reliability {
	c := Reliability{Bins: make([]Bin, 10)}
	for _, p := range levels {
		c.Levels = append(c.Levels, Level{Probability: p})
	}
	for _, run := range runs {
		for _, r := range run {
			c.add(r)
		}
	}
	for i := range c.Bins {
		b := &c.Bins[i]
		b.From = float64(i) / 10
		if b.Messages == 0 {
			continue
		}
		b.Mean /= float64(b.Messages)
		b.Spam /= float64(b.Messages)
		c.Error += max(b.Spam-b.Mean, b.Mean-b.Spam) * float64(b.Messages) / float64(c.Messages)
	}
	return c
}

// add takes one result in; bins hold sums until all are in.
func (c *Reliability) add(r Result) {
	c.Messages++
	b := &c.Bins[min(int(r.Probability*10), 9)]
	b.Messages++
	b.Mean += r.Probability
	if r.Spam {
		b.Spam++
	}
	for i := range c.Levels {
		l := &c.Levels[i]
		of, at := &l.OfHam, &l.Ham
		if r.Spam {
			of, at = &l.OfSpam, &l.Spam
		}
		*of++
		if r.Probability >= l.Probability {
			*at++
		}
	}
}
