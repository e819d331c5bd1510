package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"rempart/catalogue"
	"rempart/corpus"
	"rempart/filter"
	"rempart/message"
	"rempart/policy"
)

type scanCmd struct {
	JSON     bool     `help:"Print one JSON object a message."`
	ExitCode bool     `help:"Exit with 1 if one of the messages is spam (probability 0.5 or more)."`
	Path     []string `arg:"" help:"Files or directories: mail (.eml, mbox, maildir), texts (.tsv, .jsonl); - is standard input."`
}

// Help is the long help.
func (scanCmd) Help() string {
	return `Judges with what is in the binary: no lesson of a node, no network, no DNS.

Example:
  $ rempart scan ~/Maildir/new
  $ rempart scan --json - < mail.eml | jq .signals

A directory is walked. A text in a .jsonl file is {"from":"+4420...","to":"...","text":"..."}.`
}

// Run judges every message of the paths.
func (c *scanCmd) Run(e *env) error {
	f := filter.New(filter.Options{})
	rules, err := policy.New(policy.Config{})
	if err != nil {
		return err
	}
	english := catalogue.English()
	encoder := json.NewEncoder(e.stdout)
	spam := false
	err = corpus.Each(c.Path, e.stdin, func(item corpus.Item) error {
		if err := e.ctx.Err(); err != nil {
			return err
		}
		m := item.Message
		m.ID = item.Name()
		j := f.Judge(e.ctx, m, m.Recipients)
		decision := policy.Decide(j, m, rules)[0]
		v := english.Verdict(m, j.Verdicts[0], decision.Action)
		v.Path = item.Path
		spam = spam || v.Probability >= 0.5
		if c.JSON {
			return encoder.Encode(v)
		}
		return printVerdict(e.stdout, item.Name(), english, v)
	})
	if err != nil {
		return err
	}
	if spam && c.ExitCode {
		return exitCode(exitSpam)
	}
	return nil
}

// printVerdict prints the word first, then the reasons in the order of their weight.
func printVerdict(w io.Writer, name string, c *catalogue.Catalogue, v catalogue.Verdict) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s, probability %.3f, score %+.2f, %s", name, c.Word(v.Probability), v.Probability, v.Score, v.Action)
	if v.Category != message.CategoryNone {
		fmt.Fprintf(&b, ", %s", v.Category)
	}
	b.WriteByte('\n')
	signals := slices.Clone(v.Signals)
	slices.SortStableFunc(signals, func(a, b catalogue.Signal) int {
		return int(1000 * (abs(b.Weight) - abs(a.Weight)))
	})
	for _, s := range signals {
		fmt.Fprintf(&b, "  %-24s %+6.2f  %s\n", s.Name, s.Weight, s.Reason)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func abs(f float64) float64 { return max(f, -f) }
