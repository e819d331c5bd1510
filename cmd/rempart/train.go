package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"rempart/filter/base"
	"rempart/train"
)

type trainCmd struct {
	Index    []string `required:"" help:"Index of labelled mail: \"spam|ham PATH\" a line, paths relative to it. Each index is mail of one age; the first is the oldest." placeholder:"FILE"`
	Out      string   `type:"path" help:"Write the weights to this file." placeholder:"FILE"`
	Fold     string   `help:"Leave this part out, from 1/5 to 5/5, and judge it." placeholder:"K/5"`
	Folds    bool     `help:"Leave out each of the five parts in turn, and judge them."`
	Phishing string   `type:"path" help:"Directory of .eml files, all spam, that are judged and never trained on." placeholder:"DIR"`
}

// Help is the long help.
func (trainCmd) Help() string {
	return `Makes the weights that come with the program: what a new installation knows of mail before its first lesson. They are
numbers only. Marks that collectors and publishers left in the mails are masked first. Near copies and one sender's mails
are always in one fold.

Example:
  $ rempart train --index spamassassin/index --index today/index --out filter/base/weights.bin
  $ rempart train --index spamassassin/index --index today/index --folds --phishing phishing-pot

What is judged is judged with the default policy, without network and envelope. Printed is how much of it would be tagged
or worse: of honest mail hit, of spam caught. The honest mail of the first index is also judged in HTML of today, and the
phishing also as plain text with a header of 2002.

After writing the file, build the program and run: go generate ./filter`
}

// Run makes weights, measures them, or both.
func (c *trainCmd) Run(e *env) error {
	folds, err := c.folds()
	if err != nil {
		return err
	}
	var phishing []train.Mail
	if c.Phishing != "" {
		if phishing, err = train.ReadPhishing(c.Phishing); err != nil {
			return err
		}
	}
	mails, err := train.Read(e.ctx, c.Index)
	if err != nil {
		return err
	}
	study, err := train.NewStudy(e.ctx, mails)
	if err != nil {
		return err
	}
	var all train.Report
	bar := newProgress(e, "folds")
	for i, fold := range folds {
		w, err := study.Weights(fold)
		if err != nil {
			return err
		}
		if fold < 0 || !c.Folds {
			if err := c.write(e, w); err != nil {
				return err
			}
		}
		if fold >= 0 {
			r, err := study.Measure(e.ctx, w, fold, phishing)
			if err != nil {
				return err
			}
			all.Add(r)
		}
		bar.set(i+1, len(folds))
	}
	bar.end()
	return c.print(e, all)
}

// folds are those to leave out, from 0; -1 stands for none.
func (c *trainCmd) folds() ([]int, error) {
	switch {
	case c.Folds && (c.Fold != "" || c.Out != ""):
		return nil, errors.New("--folds measures all parts: give neither --fold nor --out with it")
	case c.Folds:
		return []int{0, 1, 2, 3, 4}, nil
	case c.Fold != "":
		part, of, _ := strings.Cut(c.Fold, "/")
		k, err := strconv.Atoi(part)
		if err != nil || of != strconv.Itoa(train.Folds) || k < 1 || k > train.Folds {
			return nil, fmt.Errorf("--fold %s: use 1/%d to %d/%d", c.Fold, train.Folds, train.Folds, train.Folds)
		}
		return []int{k - 1}, nil
	case c.Out == "":
		return nil, errors.New("give --out FILE to make weights, or --fold or --folds to measure them")
	}
	return []int{-1}, nil
}

func (c *trainCmd) write(e *env, w *base.Weights) error {
	if c.Out == "" {
		return nil
	}
	b := w.Append(nil)
	if err := os.WriteFile(c.Out, b, 0o644); err != nil {
		return err
	}
	_, err := fmt.Fprintf(e.stdout, "%s: weights %s, %d bytes, made from %x\n", c.Out, w.ID, len(b), w.MadeFrom)
	return err
}

func (c *trainCmd) print(e *env, r train.Report) error {
	var b strings.Builder
	line := func(name string, s train.Share) {
		if s.Of > 0 {
			fmt.Fprintf(&b, "%-52s %6.2f %%  %5d of %5d\n", name, s.Percent(), s.Hit, s.Of)
		}
	}
	for i, index := range c.Index {
		if i < len(r.Ham) {
			line("honest mail hit, "+index, r.Ham[i])
			line("spam caught, "+index, r.Spam[i])
		}
	}
	for i, s := range r.Rewrapped {
		line(fmt.Sprintf("honest mail of the first index in today's form %d hit", i+1), s)
	}
	line("phishing caught", r.Phishing)
	line("of it, the half not looked at in development", r.Unseen)
	line("phishing as plain text of 2002 caught", r.Plain)
	_, err := e.stdout.Write([]byte(b.String()))
	return err
}
