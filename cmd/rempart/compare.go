package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"rempart/catalogue"
	"rempart/index"
	"rempart/node"
)

type compareCmd struct {
	Data string `default:"data" type:"path" help:"Data directory of the node, running or not." placeholder:"DIR"`
	Days int    `default:"7" help:"How many days back."`
	JSON bool   `help:"Print one JSON object."`
}

// Help is the long help.
func (compareCmd) Help() string {
	return `Counts the mails that went by another filter before they came to a front door with "incumbent", by what it and the node said of
them, and by what those were that somebody taught later: the figures of the console's page Disagreements, which shows the mails too.

Example:
  $ rempart compare --data /var/lib/rempart --days 14`
}

// Run counts and prints.
func (c *compareCmd) Run(e *env) error {
	from := e.now().Add(-time.Duration(c.Days) * 24 * time.Hour)
	var found index.Comparison
	err := onNode(e, c.Data, func(client *node.Client) (err error) {
		found, err = client.Compare(e.ctx, from)
		return err
	}, func(ctx context.Context, n *node.Node) (err error) {
		found, err = n.Compare(ctx, from)
		return err
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(e.stdout).Encode(found)
	}
	_, err = fmt.Fprint(e.stdout, comparison(found))
	return err
}

// comparison is the report for people.
func comparison(c index.Comparison) string {
	words := catalogue.English()
	var b strings.Builder
	total, differ := c.Mails()
	if total == 0 {
		return words.Say("compare.nothing") + "\n"
	}
	fmt.Fprintf(&b, "%s\n\n", words.Say("compare.summary", total, c.From.Format("2006-01-02 15:04"), differ, catalogue.Percent(float64(differ)/float64(total))))
	fmt.Fprintf(&b, "%-42s %9s %12s %14s\n", "", "mails", "taught spam", "taught honest")
	for _, k := range c.Kinds {
		fmt.Fprintf(&b, "%-42s %9d %12d %14d\n", words.Say("agreement."+k.Agreement.String()), k.Mails, k.TaughtSpam, k.TaughtHam)
	}
	if here, incumbent, taught := c.Right(); taught > 0 {
		fmt.Fprintf(&b, "\n%s\n", words.Say("compare.right", taught, here, incumbent))
	}
	return b.String()
}
