package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"rempart/catalogue"
	"rempart/node"
	"rempart/policy"
)

type policyPreviewCmd struct {
	File string `arg:"" type:"path" help:"The changed configuration file."`
	Data string `default:"data" type:"path" help:"Data directory of the node, running or not." placeholder:"DIR"`
	Days int    `default:"7" help:"How many days back."`
	JSON bool   `help:"Print one JSON object."`
}

// Help is the long help.
func (policyPreviewCmd) Help() string {
	return `Decides again about what the node judged, by the policy of another configuration: thresholds, scopes, lists, rules and tables of
mailboxes. Nothing is changed. It prints how many recipients got, and would have got, each action, and examples of those for whom
it would have been another one; then what cannot be told, since events do not record it.

Example:
  $ rempart policy preview new.toml --data /var/lib/rempart --days 14`
}

// previewed is what is printed as JSON.
type previewed struct {
	policy.Preview
	Unseen []string `json:"unseen"`
}

// Run decides again and prints.
func (c *policyPreviewCmd) Run(e *env) error {
	conf, err := node.Load(c.File)
	if err != nil {
		return err
	}
	var out previewed
	from := e.now().Add(-time.Duration(c.Days) * 24 * time.Hour)
	err = onNode(e, c.Data, func(client *node.Client) (err error) {
		out.Preview, out.Unseen, err = node.Preview(e.ctx, conf, from, client.Events)
		return err
	}, func(ctx context.Context, n *node.Node) (err error) {
		out.Preview, out.Unseen, err = node.Preview(ctx, conf, from, n.Events)
		return err
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(e.stdout).Encode(out)
	}
	_, err = fmt.Fprint(e.stdout, out.text())
	return err
}

// text is the report for people.
func (p *previewed) text() string {
	var b strings.Builder
	if p.Messages == 0 {
		return "there is no mail to decide about again\n"
	}
	const layout = "2006-01-02 15:04"
	fmt.Fprintf(&b, "%d messages for %d recipients, %s to %s UTC\n\n", p.Messages, p.Recipients, p.From.UTC().Format(layout), p.To.UTC().Format(layout))
	fmt.Fprintf(&b, "%-12s %9s %9s %9s\n", "action", "was", "would be", "change")
	for _, a := range p.Actions() {
		fmt.Fprintf(&b, "%-12s %9d %9d %+9d\n", a, p.Before[a], p.After[a], p.After[a]-p.Before[a])
	}
	for _, c := range p.Changes {
		fmt.Fprintf(&b, "\n%s -> %s: %d\n", c.Before, c.After, c.Count)
		for _, x := range c.Examples {
			fmt.Fprintf(&b, "  %s %s %.3f from %s to %s (%s -> %s)\n", x.Time.UTC().Format(layout), x.ID, x.Probability,
				catalogue.Seen(x.Sender), catalogue.Seen(x.Recipient), x.Before, x.After)
		}
	}
	if len(p.Unseen) > 0 {
		b.WriteString("\nnot told by this:\n")
		for _, why := range p.Unseen {
			fmt.Fprintf(&b, "  %s\n", why)
		}
	}
	return b.String()
}
