package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"rempart/catalogue"
	"rempart/corpus"
	"rempart/message/feedback"
)

type feedbackCmd struct {
	Show  feedbackShowCmd  `cmd:"" default:"withargs" help:"Print what files report (the default)."`
	DMARC feedbackDMARCCmd `cmd:"" name:"dmarc" help:"List the DMARC reports that are being made for others, or print one."`
}

type feedbackShowCmd struct {
	JSON bool     `help:"Print one JSON object a file."`
	Path []string `arg:"" help:"Mails, or the files that they bring (.xml, .json, .gz, .zip); - is standard input."`
}

// Help is the long help.
func (feedbackShowCmd) Help() string {
	return `Prints what receivers report: complaints and failed authentication (ARF), DMARC aggregate reports, SMTP TLS reports.
Nothing is counted or kept.

Example:
  $ rempart feedback complaint.eml
  $ rempart feedback 'google.com!a.example!1772323200!1772409599.zip'
  $ rempart feedback --json report.xml.gz | jq '.aggregates[].rows[] | select(.dkim == "fail" and .spf == "fail")'`
}

// Run reads file by file; one that cannot be read does not keep the others from being read.
func (c *feedbackShowCmd) Run(e *env) error {
	var errs []error
	for _, path := range c.Path {
		b, err := readFeedback(e, path)
		if err != nil {
			return err
		}
		found, err := feedback.ReadFile(b)
		if errors.Is(err, feedback.ErrNone) {
			found, err = feedback.Read(b)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", path, err))
		}
		if found.Empty() {
			continue
		}
		if err := c.print(e.stdout, &found); err != nil {
			return err
		}
	}
	return errors.Join(errs...)
}

func readFeedback(e *env, path string) ([]byte, error) {
	if path != "-" {
		return corpus.ReadRaw(path)
	}
	var b bytes.Buffer
	_, err := b.ReadFrom(io.LimitReader(e.stdin, corpus.MaxMessage))
	return b.Bytes(), err
}

func (c *feedbackShowCmd) print(w io.Writer, found *feedback.Found) error {
	if c.JSON {
		return json.NewEncoder(w).Encode(found)
	}
	var b strings.Builder
	if found.Complaint != nil {
		printComplaint(&b, found.Complaint)
	}
	for i := range found.Aggregates {
		printAggregate(&b, &found.Aggregates[i])
	}
	for i := range found.TLS {
		printTLS(&b, &found.TLS[i])
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func printComplaint(b *strings.Builder, c *feedback.Complaint) {
	fmt.Fprintf(b, "complaint (%s) by %s\n", catalogue.Seen(c.Type), catalogue.Seen(c.Reporter))
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(b, "  %-12s %s\n", name, catalogue.Seen(value))
		}
	}
	if c.Source.IsValid() {
		line("source", c.Source.String())
	}
	line("mail from", c.MailFrom)
	line("recipients", strings.Join(c.Recipients, " "))
	line("domains", strings.Join(c.Domains, " "))
	line("links", strings.Join(c.URIs, " "))
	line("author", c.From)
	line("subject", c.Subject)
	line("message-id", c.MessageID)
	if c.Incidents > 1 {
		line("mails", fmt.Sprint(c.Incidents))
	}
	if f := c.Failure; f != nil {
		line("failed", f.Auth)
		line("delivery", f.Delivery)
		line("signed by", f.Domain)
	}
}

func printAggregate(b *strings.Builder, a *feedback.Aggregate) {
	fmt.Fprintf(b, "DMARC report of %s on %s, %s, policy %s\n", catalogue.Seen(a.Organisation), catalogue.Seen(a.Policy.Domain), period(a.Begin, a.End), catalogue.Seen(a.Policy.P))
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "  source\tmails\tDMARC\tDKIM\tSPF\tdone\tauthor")
	for i := range a.Rows {
		r := &a.Rows[i]
		dmarc := "fail"
		if r.Pass() {
			dmarc = "pass"
		}
		fmt.Fprintf(w, "  %s\t%d\t%s\t%s\t%s\t%s\t%s\n", r.Source, r.Count, dmarc, catalogue.Seen(r.DKIM), catalogue.Seen(r.SPF), catalogue.Seen(r.Disposition), catalogue.Seen(r.HeaderFrom))
	}
	_ = w.Flush() // it is memory
}

func printTLS(b *strings.Builder, t *feedback.TLS) {
	fmt.Fprintf(b, "TLS report of %s, %s\n", catalogue.Seen(t.Organisation), period(t.Begin, t.End))
	for _, p := range t.Policies {
		fmt.Fprintf(b, "  %s (%s): %d sessions went well, %d failed\n", catalogue.Seen(p.Domain), catalogue.Seen(p.Type), p.Sessions, p.Failed)
		for _, f := range p.Failures {
			fmt.Fprintf(b, "    %d  %s  %s\n", f.Sessions, catalogue.Seen(f.Result), catalogue.Seen(f.Host))
		}
	}
}

func period(from, to time.Time) string {
	const minute = "2006-01-02 15:04"
	return from.Format(minute) + " to " + to.Format(minute)
}
