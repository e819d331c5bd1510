package main

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"
	"time"

	"rempart/abuse/aggregate"
	"rempart/catalogue"
	"rempart/node"
)

type feedbackDMARCCmd struct {
	Domain string    `arg:"" optional:"" help:"Print the report on this domain as it would be sent now."`
	Day    time.Time `help:"Of this day. Default: the latest that there is." format:"2006-01-02" placeholder:"2006-01-02"`
	JSON   bool      `help:"List one JSON object a line."`
	Data   string    `default:"data" type:"path" help:"Data directory of the running node." placeholder:"DIR"`
}

// Help is the long help.
func (feedbackDMARCCmd) Help() string {
	return `Lists the DMARC reports that this node makes for the owners of domains ([feedback.dmarc]), newest day first: domain, mails, rows, when it is
sent, and to whom the domain wants it sent. With a domain it prints that report as XML. Nothing is sent.

Example:
  $ rempart feedback dmarc --data /var/lib/rempart
  $ rempart feedback dmarc a.example --day 2026-11-28 | rempart feedback -`
}

// Run lists or prints.
func (c *feedbackDMARCCmd) Run(e *env) error {
	return onRunning(c.Data, func(client *node.Client) error {
		if c.Domain != "" {
			text, err := client.OutgoingReport(e.ctx, c.Domain, c.Day)
			if err == nil {
				_, err = e.stdout.Write(text)
			}
			return err
		}
		list, err := client.OutgoingReports(e.ctx)
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
		for i := range list {
			if err := c.print(e, w, &list[i]); err != nil {
				return err
			}
		}
		return w.Flush()
	})
}

func (c *feedbackDMARCCmd) print(e *env, w *tabwriter.Writer, r *aggregate.Waiting) error {
	if c.JSON {
		return json.NewEncoder(e.stdout).Encode(r)
	}
	_, err := fmt.Fprintf(w, "%s\t%s\t%d mails\t%d rows\t%s\t%s\n", r.Day.Format(time.DateOnly), r.Domain, r.Mails, r.Rows, r.Due.Format("2006-01-02 15:04"), catalogue.Seen(r.RUA))
	return err
}
