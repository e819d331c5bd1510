package node

import (
	"context"
	"fmt"
	"time"

	"rempart/journal"
	"rempart/measure"
)

const (
	tallyKeep       = 15 * 24 * time.Hour // in memory: the overview compares with the week before
	checkpointEvery = 10 * time.Second    // a crash loses at most so much of the counts
)

// restoreTallies reads the leaves of earlier runs and of the cluster's other nodes.
func (n *Node) restoreTallies(ctx context.Context) error {
	oldest := n.now().Add(-tallyKeep)
	_, err := n.journal.Replay(ctx, journal.Tallies, 0, func(r journal.Record) error {
		var l measure.Leaf
		if err := l.UnmarshalBinary(r.Data); err != nil {
			n.log.Error("tally passed over", "record", r.ID, "error", err)
			return nil
		}
		if l.Time().After(oldest) {
			n.tallies.Restore(&l)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read tallies: %w", err)
	}
	return nil
}

// keepTallies writes the changed leaves every ten seconds, and at the end.
func (n *Node) keepTallies(ctx context.Context) error {
	ticker := time.NewTicker(checkpointEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			n.checkpoint(ctx)
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), checkpointEvery)
			n.checkpoint(last)
			cancel()
			return nil
		}
	}
}

// checkpoint keeps the tallies; while it cannot (a full disk) they stay in memory and are tried again.
func (n *Node) checkpoint(ctx context.Context) {
	err := n.tallies.Checkpoint(func(id string, record []byte) error {
		_, err := n.journal.Append(ctx, journal.Tallies, id, record)
		return err
	})
	if err != nil {
		n.log.Error("tallies not kept", "error", err)
	}
}

// Total is the counts of the hours that begin in [from, to), this node's and those it heard of.
func (n *Node) Total(from, to time.Time) *measure.Total { return n.tallies.Total(from, to) }
