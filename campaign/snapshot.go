package campaign

import (
	"fmt"

	"rempart/message"
	"rempart/wire"
)

const snapshotVersion = 1

// Tags of a snapshot of the book; see docs/formats.md.
const (
	entryDigest wire.Tag = iota + 1
	entryTenant
	entryID
	entryLabel
	entryOrder
	entryCategory
	entrySpam
	entryHam
)

// AppendSnapshot appends the digests, oldest first. Equal books give equal bytes.
func (b *Book) AppendSnapshot(out []byte) []byte {
	b.mu.RLock()
	defer b.mu.RUnlock()
	out = append(out, snapshotVersion)
	for i := range b.entries {
		e := &b.entries[(b.oldest+i)%len(b.entries)]
		out = wire.AppendRecord(out, 1, func(out []byte) []byte {
			out = wire.AppendBytes(out, entryDigest, e.digest.Bytes())
			out = wire.AppendString(out, entryTenant, e.tenant)
			out = wire.AppendString(out, entryID, e.id)
			out = wire.AppendUint(out, entryLabel, uint64(e.label))
			out = wire.AppendUint(out, entryOrder, e.order)
			out = wire.AppendUint(out, entryCategory, uint64(e.category))
			out = wire.AppendUint(out, entrySpam, uint64(e.spam))
			return wire.AppendUint(out, entryHam, uint64(e.ham))
		})
	}
	return out
}

// ReadSnapshot makes the book that a snapshot was taken of.
func ReadSnapshot(in []byte) (*Book, error) {
	if len(in) == 0 || in[0] != snapshotVersion {
		return nil, fmt.Errorf("read snapshot of digests: %w", wire.ErrVersion)
	}
	b := NewBook()
	err := wire.Fields(in[1:], func(_ wire.Tag, c wire.Content) error {
		var e entry
		err := wire.Fields(c, func(tag wire.Tag, c wire.Content) error {
			switch tag {
			case entryDigest:
				e.digest, _ = FromBytes(c)
			case entryTenant:
				e.tenant = c.String()
			case entryID:
				e.id = c.String()
			case entryLabel:
				e.label = message.Label(c.Uint())
			case entryOrder:
				e.order = c.Uint()
			case entryCategory:
				e.category = message.Category(c.Uint())
			case entrySpam:
				e.spam = uint32(c.Uint())
			case entryHam:
				e.ham = uint32(c.Uint())
			}
			return nil
		})
		switch {
		case e.label == message.Forget:
			e = entry{order: e.order}
		case *e.lessons(e.label) == 0: // of a build that did not count
			*e.lessons(e.label) = 1
		}
		if len(b.entries) < Capacity {
			b.taught = max(b.taught, e.order+1)
			b.link(e)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read snapshot of digests: %w", err)
	}
	return b, nil
}
