// Package train makes the weights that come with the program ([base.Weights]) from labelled corpora, and measures weights on
// mail that they were not made from.
//
// What is to be learned is spam against honest mail of the same age and form. So the mails are masked ([corpus.Mask]), each
// age weighs as much as the other and in it each label, and every mail is also learned in the other age's form: the old in
// HTML of today ([Modern]), the new as plain text of 2002 ([Plain]). Each index is one age.
//
// The weights are a logistic regression over the signals, the hashed words and themes and the traits of form, drawn towards
// the hand-made priors of the signal tables and towards zero for all else. What comes from the envelope, the network or what
// was taught keeps its hand-made prior: the corpora do not show it. Equal input gives equal weights.
package train

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"rempart/corpus"
	"rempart/eval"
	"rempart/filter"
	"rempart/filter/base"
	"rempart/message"
)

// Mail is one labelled mail, masked.
type Mail struct {
	Path  string
	Raw   []byte
	Spam  bool
	Age   int // which index it is from
	group int // near copies and one sender's mails
	Fold  int // from 0
}

// Folds is how many parts the corpora are cut into; a group of mails is in one of them.
const Folds = 5

// Read reads the mails of some indexes ("spam|ham PATH" a line, as [eval.ReadIndex]) and deals them to folds.
func Read(ctx context.Context, indexes []string) ([]Mail, error) {
	var mails []Mail
	for age, index := range indexes {
		entries, err := eval.ReadIndex(index)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			raw, err := corpus.ReadRaw(e.Path)
			if err != nil {
				return nil, err
			}
			mails = append(mails, Mail{Path: e.Path, Raw: corpus.Mask(raw), Spam: e.Spam, Age: age})
		}
	}
	deal(mails)
	return mails, nil
}

// ErrOneKind is a corpus without spam or without honest mail.
var ErrOneKind = errors.New("spam and honest mail are both needed")

// Study is mails, read once, from which weights are made: from all, or from all but a fold.
type Study struct {
	mails    []Mail
	reader   *reader
	examples []example
}

// NewStudy reads what is learned from mails, and from the primer.
func NewStudy(ctx context.Context, mails []Mail) (*Study, error) {
	s := &Study{mails: mails, reader: newReader()}
	var err error
	s.examples, err = examplesOf(ctx, s.reader, append(primer(), mails...))
	return s, err
}

// Weights are made from all mails but those of a fold; from all if there is no such fold (-1).
func (s *Study) Weights(fold int) (*base.Weights, error) {
	var learned []example
	for _, e := range s.examples {
		if e.fold != fold || e.age == primerAge {
			learned = append(learned, e)
		}
	}
	if err := balance(learned); err != nil {
		return nil, err
	}
	return fit(s.reader, learned, madeFrom(without(s.mails, fold))), nil
}

// madeFrom is the digest of the masked mails and their labels, in their order.
func madeFrom(mails []Mail) [32]byte {
	h := sha256.New()
	for _, m := range mails {
		fmt.Fprintf(h, "%v %d %d\n", m.Spam, m.Age, len(m.Raw))
		h.Write(m.Raw) //nolint:errcheck // never fails
	}
	return [32]byte(h.Sum(nil))
}

// without leaves a fold out.
func without(mails []Mail, fold int) (out []Mail) {
	for _, m := range mails {
		if m.Fold != fold {
			out = append(out, m)
		}
	}
	return out
}

// reader reads of a mail what is learned from it.
type reader struct {
	filter  *filter.Filter
	signals []learnable
	slots   map[string]int
	first   []int // columns of the sets
}

// learnable is a signal whose prior is learned.
type learnable struct {
	name  string
	prior float64
}

func newReader() *reader {
	r := &reader{filter: filter.New(filter.Options{Scratch: true}), slots: map[string]int{}}
	names, priors := filter.Learnable()
	for i, name := range names {
		r.slots[name] = i
		r.signals = append(r.signals, learnable{name, priors[i]})
	}
	at := 1 + len(r.signals)
	for _, cells := range base.NewCells() {
		r.first = append(r.first, at)
		at += len(cells)
	}
	return r
}

// input is one column of the regression and its value in a mail.
type input struct {
	column int32
	value  float32
}

// read is the row of one mail. Columns are the bias, the signals, then the cells of the tables.
func (r *reader) read(ctx context.Context, raw []byte) (row []input) {
	m := corpus.Mail(raw)
	row = append(row, input{0, 1})
	for _, c := range r.filter.Judge(ctx, m, nil).Verdicts[0].Contributions {
		if i, ok := r.slots[c.Name]; ok && c.State == message.StatePresent {
			row = append(row, input{int32(1 + i), float32(c.Input.Float())})
		}
	}
	for _, in := range base.Inputs(m) {
		row = append(row, input{int32(r.first[in.Set] + in.Cell), float32(in.Value)})
	}
	return row
}
