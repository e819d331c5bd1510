package node

import (
	"context"
	"errors"
	"time"

	"rempart/journal"
	"rempart/keyring"
)

// askKey is the question to the other nodes of a cluster for the key of an id.
const askKey = "key"

// How long nodes have to answer; after which time a lesson asks again; and for how long lessons wait in all for a node that is away.
const (
	keyTimeout  = time.Second
	keyRetry    = time.Second
	keyPatience = 10 * time.Minute
)

// joinPeers reads the secret of the cluster and answers the other nodes' questions for keys.
func (n *Node) joinPeers() error {
	if !n.journal.Shared() {
		return nil
	}
	var err error
	if n.secret, err = keyring.ReadSecret(n.config.Journal.SecretFile); err != nil {
		return err
	}
	return n.journal.Answer(askKey, func(id []byte) []byte {
		shared, err := n.keys.Share(id, n.secret)
		if err != nil && !errors.Is(err, keyring.ErrNoKey) {
			n.log.Warn("another node asked for a key", "error", err)
		}
		return shared
	})
}

// fetchKey asks the other nodes for the key of that id. [keyring.ErrNoKey] if none has it; another error is of this node's disk.
func (n *Node) fetchKey(ctx context.Context, id []byte) error {
	ctx, cancel := context.WithTimeout(ctx, keyTimeout)
	defer cancel()
	var taken error
	err := n.journal.Ask(ctx, askKey, id, func(answer []byte) bool {
		taken = n.keys.Take(id, answer, n.secret)
		if errors.Is(taken, keyring.ErrDamaged) && !n.otherSecret.Swap(true) {
			n.log.Error("the key of a lesson comes from a node with another secret: give all nodes the same journal.secret_file")
		}
		return !errors.Is(taken, keyring.ErrDamaged) // else another node's answer may do
	})
	if errors.Is(err, journal.ErrAlone) {
		return keyring.ErrNoKey
	}
	return taken
}

// awaitKey asks until the key of a record is here. Lessons are learned in the order of the journal on every node, so the next ones wait
// too; judging goes on. After a while without an answer lessons go on without those whose keys no node has: [keyring.ErrNoKey].
func (n *Node) awaitKey(ctx context.Context, r journal.Record) error {
	id, err := keyring.KeyOf(r.Data)
	if err != nil {
		return err
	}
	defer n.awaiting.Store(false)
	for end := n.now().Add(keyPatience); ; {
		err := n.fetchKey(ctx, id)
		switch {
		case err == nil || ctx.Err() != nil:
			return errors.Join(err, ctx.Err())
		case errors.Is(err, keyring.ErrNoKey) && (n.locked.Load() > 0 || n.now().After(end)):
			return err
		case !n.awaiting.Swap(true):
			n.log.Error("lessons wait: the key of one is not to be had", "lesson", r.ID, "error", err,
				"next", "start the node where it was taught, or `rempart restore --keys-only BACKUP --data DIR` and start this one")
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(keyRetry):
		}
	}
}
