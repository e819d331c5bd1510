package node

import (
	"context"
	"errors"
	"fmt"
	"net"

	"golang.org/x/sync/errgroup"
)

// Serve opens the sockets, calls ready, and runs until ctx is done: then the front doors drain, and the state is written.
// The error is the first of what could not be opened or failed.
func (n *Node) Serve(ctx context.Context, ready func()) error {
	doors, err := n.openDoors(ctx)
	if err != nil {
		return err
	}
	n.listening = map[string]net.Addr{}
	for _, d := range doors {
		if len(d.listeners) > 0 {
			n.listening[d.name] = d.listeners[0].Addr()
		}
	}
	return n.Work(ctx, func(ctx context.Context) error {
		front, ctx := errgroup.WithContext(ctx)
		for _, d := range doors {
			front.Go(func() error {
				if err := d.run(ctx, d.listeners); err != nil {
					return fmt.Errorf("%s: %w", d.name, err)
				}
				return nil
			})
		}
		ready()
		return front.Wait()
	})
}

// Work keeps the state (journal, index, tallies, lessons) while do runs, and writes it when do has returned. What keeps
// the state outlives do: what do judged last is counted and kept. If it fails, do's context ends: a node must not judge
// what it cannot record.
func (n *Node) Work(ctx context.Context, do func(context.Context) error) error {
	keep, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	keepers, keep := errgroup.WithContext(keep)
	for _, run := range []func(context.Context) error{n.journal.Run, n.keepTallies, n.followLessons, n.followSettings, n.keepMemory,
		n.accounts.Run, n.keepEvents, n.quarantine.Run, n.lookForKeys, n.abuse.Run, n.readReports, n.aggregates.Run, n.signIns.run,
		n.stopped.run} {
		keepers.Go(func() error { return run(keep) })
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	context.AfterFunc(keep, cancel)
	err := do(ctx)
	stop()
	if keepErr := keepers.Wait(); keepErr != nil {
		return keepErr
	}
	return err
}

// keepEvents runs drafts before index, and ends them in that order: the last event has its way to disk.
func (n *Node) keepEvents(ctx context.Context) error {
	writing, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var writer errgroup.Group
	writer.Go(func() error { return n.index.Run(writing) })
	err := n.makeDrafts(ctx)
	stop()
	return errors.Join(err, writer.Wait())
}
