package train

import (
	"context"
	"math"
	"math/rand/v2"

	"rempart/filter/base"
	"rempart/message"
)

// example is one mail in one form, as the regression sees it.
type example struct {
	row    []input
	spam   bool
	age    int
	group  int
	fold   int
	own    bool // in the form it came in
	weight float64
}

// examplesOf reads mails in their own form and in those of the other age.
func examplesOf(ctx context.Context, r *reader, mails []Mail) ([]example, error) {
	var out []example
	for i := range mails {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		m := &mails[i]
		forms := formsOf(m)
		for k, raw := range forms {
			out = append(out, example{row: r.read(ctx, raw), spam: m.Spam, age: m.Age, group: m.group, fold: m.Fold, own: k == 0})
		}
	}
	return out, nil
}

// formsOf is a mail as it came, in a form of today, and as plain text with and without its links. All four weigh the same.
func formsOf(m *Mail) [][]byte {
	draw := drawOf(m.Raw, 't')
	return [][]byte{m.Raw, Modern(m.Raw, trainingForms[draw>>40%uint64(len(trainingForms))], draw), Plain(m.Raw, true), Plain(m.Raw, false)}
}

// balance gives each age the same weight, and in it each label.
func balance(all []example) error {
	type kind struct {
		spam bool
		age  int
	}
	total := map[kind]float64{}
	for _, e := range all {
		total[kind{e.spam, e.age}]++
	}
	labels := map[bool]bool{}
	for k := range total {
		if k.age != primerAge {
			labels[k.spam] = true
		}
	}
	if len(labels) < 2 {
		return ErrOneKind
	}
	for i := range all {
		e := &all[i]
		e.weight = mass / total[kind{e.spam, e.age}]
		if e.age == primerAge {
			e.weight *= primerShare
		}
	}
	return nil
}

// mass is what one label of one age counts in all: as much as so many mails.
const mass = 1000

// primerShare of it is the primer's: more than its few mails, less than an age of real ones.
const primerShare = 0.5

// How far weights may go from where they are drawn to: variances of Gaussian priors, by kind of column.
const (
	priorBias      = -2.0
	biasVariance   = 4.0
	signalVariance = 0.25
)

// setVariance is that of words, themes and form. Traits are many and agree with one another; a few words tell.
var setVariance = [...]float64{4, 4, 0.06}

// regress fits a logistic regression by coordinate descent in the dual (Yu, Huang and Lin, Machine Learning 85, 2011,
// algorithm 5): w is where the weights are drawn to, and is moved from there.
func regress(w, variance []float64, all []example) {
	random := rand.New(rand.NewPCG(1, 2))
	duals := make([]dual, len(all))
	for i, e := range all {
		c := e.weight
		a := min(0.001*c, 1e-8)
		var norm float64
		for _, in := range e.row {
			v := float64(in.value) * variance[in.column]
			norm += float64(v * float64(in.value))
			w[in.column] += float64(sign(e.spam) * a * v)
		}
		duals[i] = dual{c, a, norm}
	}
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	for range sweeps {
		random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for _, i := range order {
			e, d := &all[i], &duals[i]
			y := sign(e.spam)
			dot := 0.0
			for _, in := range e.row {
				dot += float64(w[in.column] * float64(in.value))
			}
			next := d.solve(y * dot)
			move := (next - d.alpha) * y
			d.alpha = next
			if move != 0 {
				for _, in := range e.row {
					w[in.column] += float64(move * float64(float64(in.value)*variance[in.column]))
				}
			}
		}
	}
}

const sweeps = 25

// solve finds the alpha in (0, cap) where  norm·(z-alpha) + margin + ln(z/(cap-z))  is zero, by Newton's method kept inside
// by halving.
func (d *dual) solve(margin float64) float64 {
	low, high := 0.0, d.cap
	z := d.alpha
	for range 30 {
		g := d.norm*(z-d.alpha) + margin + math.Log(z/(d.cap-z))
		if g > 0 {
			high = z
		} else {
			low = z
		}
		if math.Abs(g) < 1e-4 {
			break
		}
		z -= g / (d.norm + d.cap/(z*(d.cap-z)))
		if !(z > low && z < high) {
			z = (low + high) / 2
		}
	}
	return min(max(z, 1e-12*d.cap), d.cap*(1-1e-9))
}

// dual is the variable of one example, its bound, and the square of the length of its row.
type dual struct{ cap, alpha, norm float64 }

func sign(spam bool) float64 {
	if spam {
		return 1
	}
	return -1
}

func (r *reader) fitModel(all []example) []float64 {
	w, variance := []float64{priorBias}, []float64{biasVariance}
	for _, s := range r.signals {
		w, variance = append(w, s.prior), append(variance, signalVariance)
	}
	for set, cells := range base.NewCells() {
		w = append(w, cells...)
		for range cells {
			variance = append(variance, setVariance[set])
		}
	}
	regress(w, variance, all)
	return w
}

func score(w []float64, row []input) (sum float64) {
	for _, in := range row {
		sum += float64(w[in.column] * float64(in.value))
	}
	return sum
}

// enoughMails have to show a signal before its prior is learned; until then that of the filter's table stands.
const enoughMails = 10

// fit makes weights: the regression over all, and the scale and offset at which its scores are probabilities, found on
// mails that a regression over the others judged.
func fit(r *reader, all []example, from [32]byte) *base.Weights {
	slope, offset := calibrate(r, all)
	w := r.fitModel(all)
	seen := make([]int, 1+len(r.signals))
	for _, e := range all {
		for _, in := range e.row {
			if e.own && int(in.column) < len(seen) {
				seen[in.column]++
			}
		}
	}
	priors := map[string]message.LogOdds{}
	for i, s := range r.signals {
		if seen[1+i] >= enoughMails {
			priors[s.name] = message.Odds(w[1+i] * slope)
		}
	}
	cells := base.NewCells()
	at := 1 + len(r.signals)
	for set := range cells {
		for i := range cells[set] {
			cells[set][i] = w[at] * slope
			at++
		}
	}
	return base.New(from, message.Odds(w[0]*slope+offset), priors, cells)
}
