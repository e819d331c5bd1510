package node

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sync/errgroup"

	"rempart/durable"
	"rempart/keyring"
)

// lostKeys are the ids of keys that could not be had, so that lessons were passed over. They are in a file beside the keys, one in
// hexadecimal a line: a start asks for them again, and learns all lessons anew if one came back. Of the goroutine that applies lessons.
type lostKeys struct {
	path string
	ids  map[string]bool
}

// lostFile lies beside the keys of the keyring.
const lostFile = "lost"

func readLostKeys(data string) (*lostKeys, error) {
	l := &lostKeys{path: filepath.Join(data, "keys", lostFile), ids: map[string]bool{}}
	b, err := os.ReadFile(l.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the list of lost keys: %w", err)
	}
	for line := range bytes.Lines(b) {
		if id, err := hex.DecodeString(string(bytes.TrimSpace(line))); err == nil && len(id) > 0 {
			l.ids[string(id)] = true
		}
	}
	return l, nil
}

func (l *lostKeys) has(record []byte) bool {
	id, err := keyring.KeyOf(record)
	return err == nil && l.ids[string(id)]
}

func (l *lostKeys) add(record []byte) error {
	id, err := keyring.KeyOf(record)
	if err != nil || l.ids[string(id)] {
		return err
	}
	l.ids[string(id)] = true
	return l.write()
}

func (l *lostKeys) write() error {
	var b []byte
	for _, id := range slices.Sorted(maps.Keys(l.ids)) {
		b = append(hex.AppendEncode(b, []byte(id)), '\n')
	}
	return durable.WriteFile(l.path, b)
}

// How many lost keys are asked for at one time, and at one start: a start is not to wait long for them.
const (
	askAtOnce = 64
	askAtMost = 10 * askAtOnce
)

// regain looks for all lost keys here and asks the other nodes for some, and says whether any is there again. Those that are come off
// the list.
func (n *Node) regain(ctx context.Context) (any bool, err error) {
	ids := slices.Collect(maps.Keys(n.lost.ids))
	found := make([]bool, len(ids))
	var asking errgroup.Group
	asking.SetLimit(askAtOnce)
	for i, id := range ids {
		asking.Go(func() error {
			found[i] = n.keys.Knows([]byte(id)) || i < askAtMost && n.journal.Shared() && n.fetchKey(ctx, []byte(id)) == nil
			return nil
		})
	}
	_ = asking.Wait() // it gives no error
	for i, id := range ids {
		if found[i] {
			delete(n.lost.ids, id)
			any = true
		}
	}
	if any {
		err = n.lost.write()
	}
	return any, err
}
