package node

import (
	"context"
	"fmt"
	"time"

	"rempart/journal"
	"rempart/measure"
	"rempart/report"
)

// studyRequest asks for the figures of the hours that begin in [From, To).
type studyRequest struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Study is the figures of the hours that begin in [from, to), this node's and those it heard of: for what is older than the
// tallies in memory it reads the journal.
func (n *Node) Study(ctx context.Context, from, to time.Time) (report.Study, error) {
	leaves, err := n.leaves(ctx, from, to)
	if err != nil {
		return report.Study{}, err
	}
	return report.NewStudy(report.Material{Node: n.config.Name, Version: n.config.Version, From: from.UTC(), To: to.UTC(), Made: n.now().UTC(),
		Leaves: leaves, Places: n.places(), Land: n.Land()}), nil
}

// leaves are the tallies of a period: what is in memory, and what only the journal has.
func (n *Node) leaves(ctx context.Context, from, to time.Time) ([]*measure.Leaf, error) {
	leaves := n.tallies.Leaves(from, to)
	if from.After(n.now().Add(-tallyKeep)) {
		return leaves, nil
	}
	_, err := n.journal.Replay(ctx, journal.Tallies, 0, func(r journal.Record) error {
		var l measure.Leaf
		if err := l.UnmarshalBinary(r.Data); err != nil {
			n.log.Error("tally passed over", "record", r.ID, "error", err)
			return nil
		}
		if at := l.Time(); !at.Before(from) && at.Before(to) {
			leaves = append(leaves, &l)
		}
		return ctx.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("read tallies: %w", err)
	}
	return leaves, nil
}

// Study asks the running node for its figures.
func (c *Client) Study(ctx context.Context, from, to time.Time) (s report.Study, err error) {
	return s, c.ask(ctx, "/study", studyRequest{from, to}, &s)
}
