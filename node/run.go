package node

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
)

// Serve opens the sockets, calls ready, and runs until ctx is done: then the front doors drain, and the state is written.
// The error is the first of what could not be opened or failed.
func (n *Node) Serve(ctx context.Context, ready func()) error {
	doors, err := n.openDoors(ctx)
	if err != nil {
		return err
	}
	// What keeps the state outlives the front doors: what they judge last is counted and kept.
	state, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	keepers, state := errgroup.WithContext(state)
	for _, keep := range []func(context.Context) error{n.journal.Run, n.index.Run, n.keepTallies, n.followLessons, n.control} {
		keepers.Go(func() error { return keep(state) })
	}
	front, ctx := errgroup.WithContext(ctx)
	for _, d := range doors {
		front.Go(func() error {
			if err := d.run(ctx, d.listeners); err != nil {
				return fmt.Errorf("front door %s: %w", d.name, err)
			}
			return nil
		})
	}
	front.Go(func() error {
		select { // a keeper that fails ends the node: it must not judge what it cannot record
		case <-state.Done():
			return context.Cause(state)
		case <-ctx.Done():
			return nil
		}
	})
	ready()
	err = front.Wait()
	stop()
	if keepErr := keepers.Wait(); keepErr != nil {
		return keepErr
	}
	return err
}
