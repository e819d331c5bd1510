package eval

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"rempart/campaign"
)

// sample makes a run in which honest scores are normal around 0 and those of spam around 2.
func sample(n int, seed uint64) (results []Result) {
	random := rand.New(rand.NewPCG(seed, 0))
	for i := range n {
		r := Result{Name: fmt.Sprint(i), Score: random.NormFloat64(), Spam: i%2 == 0}
		if r.Spam {
			r.Score += 2
		}
		r.Probability = 1 / (1 + math.Exp(2-2*r.Score))
		results = append(results, r)
	}
	return results
}

// The interval is as wide as the figure varies from sample to sample.
func TestIntervalHoldsTheTruth(t *testing.T) {
	truth := 100 * (1 - 0.5*math.Erfc(-1)) // two normals two standard deviations apart
	held := 0
	const samples = 40
	for seed := range uint64(samples) {
		i := Resample(sample(400, seed)).OneMinusROCA
		if i[0] <= truth && truth <= i[1] {
			held++
		}
	}
	if held < 34 { // 38 are expected; below 34 stands one chance in fifty
		t.Errorf("%d of %d intervals hold the true area", held, samples)
	}
}

// Copies are no evidence: a run of every message ten times has the interval of the messages once.
func TestCopiesAreDrawnTogether(t *testing.T) {
	once := sample(200, 7)
	var copies, alone []Result
	for i, r := range once {
		d, ok := campaign.Sum(fmt.Sprintf("%x a text of its own, number %x, long enough to be told from others: %x", i*7919, i, i*i*31))
		if !ok {
			t.Fatal("no digest")
		}
		for k := range 10 {
			c := r
			c.Name = fmt.Sprint(i, "copy", k)
			alone = append(alone, c)
			c.Digest = d.Bytes()
			copies = append(copies, c)
		}
	}
	width := func(i Interval) float64 { return i[1] - i[0] }
	want, got, naive := width(Resample(once).Accuracy), width(Resample(copies).Accuracy), width(Resample(alone).Accuracy)
	if got < 0.7*want || naive > 0.5*want { // the square root of ten, and room for chance
		t.Errorf("width %.2f of the messages, %.2f with their copies, %.2f when copies count alone", want, got, naive)
	}
}

// The mean over orders of the same messages does not pretend that each order is a new sample.
func TestOrdersShareTheirMessages(t *testing.T) {
	one := sample(400, 3)
	width := func(i Interval) float64 { return i[1] - i[0] }
	single, five := Resample(one), Resample(one, one, one, one, one)
	if math.Abs(width(single.OneMinusROCA)-width(five.OneMinusROCA)) > 1e-9 || math.Abs(width(single.Accuracy)-width(five.Accuracy)) > 1e-9 {
		t.Errorf("one order %v, five times the same %v", single, five)
	}
	if w := width(single.OneMinusROCA); w < 0.5 {
		t.Errorf("400 messages give an interval of %v", w)
	}
}

func BenchmarkResampleTenOrders(b *testing.B) {
	runs := make([][]Result, 10)
	for i := range runs {
		runs[i] = sample(6000, uint64(i))
	}
	b.ReportAllocs()
	for b.Loop() {
		Resample(runs...)
	}
}

func TestCalibrate(t *testing.T) {
	var honest, boastful []Result
	for i := range 1000 {
		p := float64(i%10)/10 + 0.05
		r := Result{Probability: p, Spam: float64(i/10%100) < 100*p}
		honest = append(honest, r)
		r.Probability = p * p
		boastful = append(boastful, r)
	}
	good := Calibrate([]float64{0.9}, honest[:500], honest[500:])
	if good.Error > 0.006 || good.Messages != 1000 || good.Bins[3].Messages != 100 || math.Abs(good.Bins[3].Mean-0.35) > 1e-9 || math.Abs(good.Bins[3].Spam-0.35) > 0.02 {
		t.Errorf("%+v", good)
	}
	if l := good.Levels[0]; l.Ham+l.Spam != 100 || l.Ham != 5 || l.OfHam+l.OfSpam != 1000 {
		t.Errorf("from 0.9 on: %+v", l)
	}
	if bad := Calibrate(nil, boastful); bad.Error < 0.1 {
		t.Errorf("squares of probabilities have an error of %v", bad.Error)
	}
}
