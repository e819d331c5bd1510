package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rempart/journal"
	"rempart/keyring"
)

// memorySnapshot is the name of what the filter remembers of mail, among the journal's snapshots; no log makes it anew.
const memorySnapshot = "memory"

// memoryEvery: a crash loses at most so much of what was remembered. It is a file of some megabytes.
const memoryEvery = 10 * time.Minute

// recallMemory takes up what the run before remembered; without it the filter begins anew.
func (n *Node) recallMemory() {
	_, data, err := n.journal.LoadSnapshot(memorySnapshot)
	if errors.Is(err, journal.ErrNoSnapshot) {
		return
	}
	if err == nil {
		data, err = n.keys.Open(data, []byte(memorySnapshot))
	}
	if err == nil {
		err = n.filter.Recall(data)
	}
	if err != nil {
		n.log.Warn("what was remembered of mail is not usable, beginning anew", "error", err)
	}
}

// keepMemory writes what the filter remembers now and then, and at the end.
func (n *Node) keepMemory(ctx context.Context) error {
	ticker := time.NewTicker(memoryEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
		if err := n.saveMemory(); err != nil {
			n.log.Warn("what is remembered of mail was not saved", "error", err)
		}
		if ctx.Err() != nil {
			return nil
		}
	}
}

// saveMemory writes what the filter remembers. What was forgotten before the call is in no snapshot after it.
func (n *Node) saveMemory() error {
	n.remembering.Lock()
	defer n.remembering.Unlock()
	sealed, err := n.keys.Seal(keyring.Scope{}, n.filter.Memory(), []byte(memorySnapshot))
	if err != nil {
		return fmt.Errorf("seal what is remembered of mail: %w", err)
	}
	return n.journal.SaveSnapshot(memorySnapshot, 0, sealed)
}
