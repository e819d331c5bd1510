package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"rempart/eval"
)

type evalCmd struct {
	Protocol  string   `enum:"online" default:"online" help:"How an index is run: online judges each mail, then teaches it (TREC Spam Track)."`
	Index     []string `help:"Index of a mail corpus: \"spam|ham PATH\" a line, paths relative to it. May be given several times; the mean follows."`
	SMS       string   `name:"sms" help:"File of texts: \"spam|ham TAB text\" a line." placeholder:"FILE"`
	Folds     string   `help:"File with the fold of each text, a number a line." placeholder:"FILE"`
	Delay     int      `help:"A lesson comes that many messages late."`
	TeachSpam float64  `default:"1" help:"Share of spam that is ever taught, 0 to 1."`
	TeachHam  float64  `default:"1" help:"Share of honest mail that is ever taught, 0 to 1."`
	Wrong     float64  `help:"Share of lessons with the wrong label, 0 to 1."`
	Seed      uint64   `default:"1" help:"Seed of the choices of the three flags above."`
	JSON      bool     `help:"Print one JSON object a corpus."`
}

// Help is the long help.
func (evalCmd) Help() string {
	return `Every run is from scratch: no shipped weights, every prior zero, no state but what it taught itself.

Example:
  $ rempart eval --index corpus/index
  $ rempart eval --index corpus/index --delay 200 --wrong 0.03
  $ rempart eval --sms texts.tsv --folds folds --json

Printed are the area above the ROC curve (1-ROCA)%, the share of spam missed at the threshold that blocks 0.1 % and 0.5 %
of honest messages, accuracy and Matthews' correlation at probability 0.5, and messages a second, teaching included.`
}

// Run measures the corpora one after the other.
func (c *evalCmd) Run(e *env) error {
	if (len(c.Index) == 0) == (c.SMS == "") {
		return errors.New("give --index INDEX for mail, or --sms FILE with --folds FILE for texts")
	}
	if c.SMS != "" {
		bar := newProgress(e, "folds")
		f, _, err := eval.Folds(e.ctx, c.SMS, c.Folds, bar.set)
		bar.end()
		if err != nil {
			return err
		}
		return c.print(e.stdout, f)
	}
	lessons := eval.Lessons{Delay: c.Delay, TeachSpam: c.TeachSpam, TeachHam: c.TeachHam, Wrong: c.Wrong, Seed: c.Seed}
	var all []eval.Figures
	for _, index := range c.Index {
		bar := newProgress(e, index)
		f, _, err := eval.Online(e.ctx, index, lessons, bar.set)
		bar.end()
		if err != nil {
			return err
		}
		if err := c.print(e.stdout, f); err != nil {
			return err
		}
		all = append(all, f)
	}
	if len(all) > 1 {
		return c.print(e.stdout, eval.Mean(all))
	}
	return nil
}

func (c *evalCmd) print(w io.Writer, f eval.Figures) error {
	if c.JSON {
		return json.NewEncoder(w).Encode(f)
	}
	_, err := fmt.Fprintf(w, "%s: (1-ROCA)%% %.4f, spam missed at 0.1 %% of ham %.2f %%, at 0.5 %% %.2f %%, accuracy %.2f %%, MCC %.4f, %d messages (%d spam), %.0f a second\n",
		f.Corpus, f.OneMinusROCA, f.SMAtHM01, f.SMAtHM05, f.Accuracy, f.MCC, f.Messages, f.Spam, f.MessagesPerSecond)
	if err == nil && f.WorstOneMinusROCA > 0 {
		_, err = fmt.Fprintf(w, "worst (1-ROCA)%% %.4f\n", f.WorstOneMinusROCA)
	}
	return err
}
