package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"rempart/node"
	"rempart/report"
)

type reportCmd struct {
	Study studyCmd `cmd:"" help:"Write what was measured: volume, types, sources and routes of spam."`
}

type studyCmd struct {
	From string `help:"First day or hour (UTC). Default: 30 days before the end." placeholder:"2026-11-01"`
	To   string `help:"End: the first day or hour that does not belong to it (UTC). Default: the end of this hour." placeholder:"2026-12-01"`
	Out  string `default:"." type:"path" help:"Directory for the files; made if it is not there." placeholder:"DIR"`
	Data string `default:"data" type:"path" help:"Data directory of the node, running or not." placeholder:"DIR"`
}

// Help is the long help.
func (studyCmd) Help() string {
	return `Writes study.html, one page that needs nothing else and prints well, and the same figures as CSV: volumes by hour or day
and channel, types of spam, sources with a map, routes; with the bounds of their errors, the methods and the limits. It holds no
address of a person and no content. Times are UTC: a day, as 2026-11-01, or an hour, as 2026-11-01T15.

Example:
  $ rempart report study --from 2026-11-01 --to 2026-12-01 --out november
  $ rempart report study --data /var/lib/rempart`
}

// errPeriod is a period that a report cannot be about.
var errPeriod = errors.New("not a period")

// Run asks the node, or the directory, and writes the files.
func (c *studyCmd) Run(e *env) error {
	from, to, err := c.period(e.now())
	if err != nil {
		return err
	}
	var s report.Study
	err = onNode(e, c.Data, func(client *node.Client) (err error) {
		s, err = client.Study(e.ctx, from, to)
		return err
	}, func(ctx context.Context, n *node.Node) (err error) {
		s, err = n.Study(ctx, from, to)
		return err
	})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.Out, 0o755); err != nil {
		return err
	}
	paths, err := s.WriteFiles(c.Out)
	if err != nil {
		return err
	}
	if len(s.Channels) == 0 {
		fmt.Fprintf(e.stderr, "rempart: nothing was counted from %s to %s UTC\n", from.Format(hourLayout), to.Format(hourLayout))
	}
	for _, path := range paths {
		if _, err := fmt.Fprintln(e.stdout, path); err != nil {
			return err
		}
	}
	return nil
}

const (
	dayLayout  = "2006-01-02"
	hourLayout = "2006-01-02T15"
	// studyDays is the default length.
	studyDays = 30
)

// period reads the two ends; they are whole hours.
func (c *studyCmd) period(now time.Time) (from, to time.Time, err error) {
	to = now.UTC().Truncate(time.Hour).Add(time.Hour)
	if c.To != "" {
		if to, err = readHour("--to", c.To); err != nil {
			return from, to, err
		}
	}
	from = to.AddDate(0, 0, -studyDays)
	if c.From != "" {
		if from, err = readHour("--from", c.From); err != nil {
			return from, to, err
		}
	}
	if !from.Before(to) {
		return from, to, fmt.Errorf("%w: from %s to %s", errPeriod, from.Format(hourLayout), to.Format(hourLayout))
	}
	return from, to, nil
}

func readHour(flag, s string) (time.Time, error) {
	for _, layout := range []string{dayLayout, hourLayout, "2006-01-02T15:04", time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC().Truncate(time.Hour), nil
		}
	}
	return time.Time{}, fmt.Errorf("%w: %s %s", errPeriod, flag, s)
}
