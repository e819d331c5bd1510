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

// How long nodes have to answer, and how long a lesson waits before it is asked for again, at first and at most.
const (
	keyTimeout    = time.Second
	keyRetry      = 100 * time.Millisecond
	keyRetryLimit = 2 * time.Second
)

// joinPeers reads the secret of the cluster and answers the other nodes' questions for keys.
func (n *Node) joinPeers() error {
	if len(n.config.Journal.Servers) == 0 {
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

// fetchKey asks the other nodes for the key that a record is sealed with. [keyring.ErrNoKey] if none has it.
func (n *Node) fetchKey(ctx context.Context, record []byte) error {
	id, err := keyring.KeyOf(record)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, keyTimeout)
	defer cancel()
	shared, err := n.journal.Ask(ctx, askKey, id)
	if errors.Is(err, journal.ErrAlone) {
		return keyring.ErrNoKey
	}
	if err != nil {
		return err
	}
	if err := n.keys.Take(id, shared, n.secret); err != nil {
		n.log.Error("a key of another node cannot be read: do all have the same journal.secret_file?", "error", err)
		return keyring.ErrNoKey
	}
	return nil
}

// awaitKey asks until the key is here. Lessons are learned in the order of the journal on every node, so the next ones wait too;
// judging goes on.
func (n *Node) awaitKey(ctx context.Context, r journal.Record) error {
	defer n.awaiting.Store(false)
	for wait := keyRetry; ; wait = min(2*wait, keyRetryLimit) {
		err := n.fetchKey(ctx, r.Data)
		if !errors.Is(err, keyring.ErrNoKey) {
			return err
		}
		if ctx.Err() == nil && !n.awaiting.Swap(true) {
			n.log.Error("lessons wait: the key of one is on another node, which does not answer", "lesson", r.ID,
				"next", "start the node where it was taught, or `rempart restore --keys-only BACKUP --data DIR` and start this one")
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}
