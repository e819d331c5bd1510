package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"rempart/eval"
	"rempart/filter"
	"rempart/policy"
)

type evalCmd struct {
	Protocol    string   `enum:"online" default:"online" help:"How an index is run: online judges each mail, then teaches it (TREC Spam Track)."`
	Index       []string `help:"Index of a mail corpus: \"spam|ham PATH\" a line, paths relative to it. May be given several times; the mean follows."`
	SMS         string   `name:"sms" help:"File of texts: \"spam|ham TAB text\" a line." placeholder:"FILE"`
	Folds       string   `help:"File with the fold of each text, a number a line." placeholder:"FILE"`
	Only        string   `enum:",learners,signals" default:"" help:"Let only the learners, or only the signals, judge mail." placeholder:"learners|signals"`
	Mask        bool     `help:"Mask the marks that recipients' and collectors' hosts left in mail (docs/accuracy.md lists them)."`
	Reliability bool     `help:"Print what the probabilities were worth, over all that was judged."`
	Delay       int      `help:"A lesson comes that many messages late."`
	TeachSpam   float64  `default:"1" help:"Share of spam that is ever taught, 0 to 1."`
	TeachHam    float64  `default:"1" help:"Share of honest mail that is ever taught, 0 to 1."`
	Wrong       float64  `help:"Share of lessons with the wrong label, 0 to 1."`
	Seed        uint64   `default:"1" help:"Seed of the choices of the three flags above."`
	JSON        bool     `help:"Print one JSON object a corpus."`
}

// Help is the long help.
func (evalCmd) Help() string {
	return `Every run is from scratch: no shipped weights, every prior zero, no state but what it taught itself.

Example:
  $ rempart eval --index corpus/index
  $ rempart eval --index corpus/index --delay 200 --wrong 0.03
  $ rempart eval --index corpus/index --only signals --mask --reliability
  $ rempart eval --sms texts.tsv --folds folds --json

Printed are the area above the ROC curve (1-ROCA)%, the share of spam missed at the threshold that blocks 0.1 % and 0.5 %
of honest messages, accuracy and Matthews' correlation at probability 0.5, and messages a second, teaching included. In
brackets stand 95 % intervals (bootstrap by groups of near copies).`
}

// Run measures the corpora one after the other.
func (c *evalCmd) Run(e *env) error {
	if (len(c.Index) == 0) == (c.SMS == "") {
		return errors.New("give --index INDEX for mail, or --sms FILE with --folds FILE for texts")
	}
	if c.SMS != "" && (c.Only != "" || c.Mask) {
		return errors.New("--only and --mask are for mail")
	}
	var figures []eval.Figures
	var runs [][]eval.Result
	took := func(f eval.Figures, results []eval.Result) error {
		figures, runs = append(figures, f), append(runs, results)
		return c.print(e.stdout, f, results)
	}
	if c.SMS != "" {
		bar := newProgress(e, "folds")
		f, results, err := eval.Folds(e.ctx, c.SMS, c.Folds, bar.set)
		bar.end()
		if err == nil {
			err = took(f, results)
		}
		if err != nil {
			return err
		}
	}
	for _, index := range c.Index {
		bar := newProgress(e, index)
		f, results, err := eval.Online(e.ctx, index, c.setup(), bar.set)
		bar.end()
		if err == nil {
			err = took(f, results)
		}
		if err != nil {
			return err
		}
	}
	if len(figures) > 1 {
		if err := c.print(e.stdout, eval.Mean(figures), runs...); err != nil {
			return err
		}
	}
	if c.Reliability {
		return c.printReliability(e.stdout, eval.Calibrate([]float64{policy.DefaultTag, 0.99, 0.995, policy.SafeReject}, runs...))
	}
	return nil
}

func (c *evalCmd) setup() eval.Setup {
	parts := map[string]filter.Part{"": filter.Whole, "learners": filter.Learners, "signals": filter.SignalTables}
	return eval.Setup{Only: parts[c.Only], Mask: c.Mask,
		Lessons: eval.Lessons{Delay: c.Delay, TeachSpam: c.TeachSpam, TeachHam: c.TeachHam, Wrong: c.Wrong, Seed: c.Seed}}
}

// print prints the figures of runs, with intervals.
func (c *evalCmd) print(w io.Writer, f eval.Figures, runs ...[]eval.Result) error {
	i := eval.Resample(runs...)
	if f.Intervals = &i; c.JSON {
		return json.NewEncoder(w).Encode(f)
	}
	_, err := fmt.Fprintf(w, "%s: (1-ROCA)%% %.4f (%.4f to %.4f), spam missed at 0.1 %% of ham %.2f %% (%.2f to %.2f), at 0.5 %% %.2f %% (%.2f to %.2f), accuracy %.2f %% (%.2f to %.2f), MCC %.4f, %d messages (%d spam), %.0f a second\n",
		f.Corpus, f.OneMinusROCA, i.OneMinusROCA[0], i.OneMinusROCA[1], f.SMAtHM01, i.SMAtHM01[0], i.SMAtHM01[1],
		f.SMAtHM05, i.SMAtHM05[0], i.SMAtHM05[1], f.Accuracy, i.Accuracy[0], i.Accuracy[1], f.MCC, f.Messages, f.Spam, f.MessagesPerSecond)
	if err == nil && f.WorstOneMinusROCA > 0 {
		_, err = fmt.Fprintf(w, "worst (1-ROCA)%% %.4f\n", f.WorstOneMinusROCA)
	}
	return err
}

func (c *evalCmd) printReliability(w io.Writer, r eval.Reliability) error {
	if c.JSON {
		return json.NewEncoder(w).Encode(r)
	}
	out := new(bytes.Buffer)
	fmt.Fprintf(out, "expected calibration error %.4f over %d messages\n", r.Error, r.Messages)
	fmt.Fprintln(out, "probability   messages    mean    spam")
	for _, b := range r.Bins {
		fmt.Fprintf(out, "%.1f to %.1f %12d %7.3f %7.3f\n", b.From, b.From+0.1, b.Messages, b.Mean, b.Spam)
	}
	for _, l := range r.Levels {
		fmt.Fprintf(out, "at probability %g or more: %d of %d honest, %d of %d spam\n", l.Probability, l.Ham, l.OfHam, l.Spam, l.OfSpam)
	}
	_, err := out.WriteTo(w)
	return err
}
