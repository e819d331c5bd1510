package reputation

import (
	"fmt"

	"rempart/wire"
)

const snapshotVersion = 1

// Tags of a snapshot of the table; see docs/formats.md.
const (
	sourceKey wire.Tag = iota + 1
	sourceSpam
	sourceHam
)

// AppendSnapshot appends the counts, oldest source first. Equal tables give equal bytes.
func (t *Table) AppendSnapshot(b []byte) []byte {
	t.mu.RLock()
	defer t.mu.RUnlock()
	b = append(b, snapshotVersion)
	for i := range t.order {
		key := t.order[(t.oldest+i)%len(t.order)]
		c := t.counts[key]
		b = wire.AppendRecord(b, 1, func(b []byte) []byte {
			b = wire.AppendString(b, sourceKey, key)
			b = wire.AppendUint(b, sourceSpam, uint64(c.spam))
			return wire.AppendUint(b, sourceHam, uint64(c.ham))
		})
	}
	return b
}

// ReadSnapshot makes the table that a snapshot was taken of.
func ReadSnapshot(b []byte) (*Table, error) {
	if len(b) == 0 || b[0] != snapshotVersion {
		return nil, fmt.Errorf("read snapshot of reputation: %w", wire.ErrVersion)
	}
	t := New()
	err := wire.Fields(b[1:], func(_ wire.Tag, c wire.Content) error {
		var key string
		var n count
		err := wire.Fields(c, func(tag wire.Tag, c wire.Content) error {
			switch tag {
			case sourceKey:
				key = c.String()
			case sourceSpam:
				n.spam = uint32(c.Uint())
			case sourceHam:
				n.ham = uint32(c.Uint())
			}
			return nil
		})
		if t.counts[key] == nil {
			*t.add(key) = n
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read snapshot of reputation: %w", err)
	}
	return t, nil
}
