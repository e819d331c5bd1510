package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"rempart/catalogue"
	"rempart/corpus"
	"rempart/filter"
	"rempart/gateway"
	"rempart/message"
	"rempart/node"
	"rempart/policy"
)

type scanCmd struct {
	JSON     bool     `help:"Print one JSON object a message."`
	Data     string   `type:"path" help:"Judge with what the node of this data directory was taught; the node must not run." placeholder:"DIR"`
	ExitCode bool     `help:"Exit with 1 if one of the messages is spam (probability 0.5 or more)."`
	Path     []string `arg:"" help:"Files or directories: mail (.eml, mbox, maildir), texts (.tsv, .jsonl), calls and instant messages (.sip, .jsonl); - is standard input."`
}

// Help is the long help.
func (scanCmd) Help() string {
	return `Judges with what is in the binary: no network, no DNS, and no lesson of a node unless --data names one. Nothing is
counted or kept.

Example:
  $ rempart scan ~/Maildir/new
  $ rempart scan --data /var/lib/rempart mail.eml
  $ rempart scan --json - < mail.eml | jq .signals

A directory is walked. A text in a .jsonl file is {"from":"+4420...","to":"...","text":"..."}; a call or instant message has
"channel":"call" or "channel":"im" beside the members of the JSON API. A .sip file is one INVITE or MESSAGE.`
}

// Run judges every message of the paths.
func (c *scanCmd) Run(e *env) (err error) {
	judge, err := judgeInBinary()
	if c.Data != "" {
		var n *node.Node
		if n, err = node.Open(e.ctx, node.Config{Data: c.Data, DNS: node.DNSConfig{Off: true}}, newLog(e), e.now); err == nil {
			defer func() { err = errors.Join(err, n.Close()) }()
			judge = n.Scan
		}
	}
	if err != nil {
		return err
	}
	spam := false
	encoder := json.NewEncoder(e.stdout)
	err = corpus.Each(c.Path, e.stdin, func(item corpus.Item) error {
		if err := e.ctx.Err(); err != nil {
			return err
		}
		m := item.Message
		m.ID = item.Name()
		answer := judge(e.ctx, m)
		v := catalogue.English().Verdict(m, answer.Judgement.Verdicts[0], answer.Decisions[0].Action)
		v.Path = item.Path
		spam = spam || v.Probability >= 0.5
		if c.JSON {
			return encoder.Encode(v)
		}
		return printVerdict(e.stdout, item.Name(), catalogue.English(), v)
	})
	if err == nil && spam && c.ExitCode {
		return exitCode(exitSpam)
	}
	return err
}

// judgeInBinary judges with what is in the binary and the default policy.
func judgeInBinary() (gateway.Judge, error) {
	f := filter.New(filter.Options{})
	rules, err := policy.New(policy.Config{})
	return func(ctx context.Context, m *message.Message) gateway.Answer {
		j := f.Judge(ctx, m, m.Recipients)
		return gateway.Answer{Judgement: j, Decisions: policy.Decide(j, m, rules)}
	}, err
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
