package filter

import (
	"fmt"

	"rempart/campaign"
	"rempart/filter/reputation"
	"rempart/wire"
)

const snapshotVersion = 1

// Tags of a filter's snapshot; see docs/formats.md.
const (
	snapshotModel wire.Tag = iota + 1
	snapshotBook
	snapshotReputation
)

// Snapshot is all that lessons made of the filter. Call it from the goroutine that applies lessons.
func (f *Filter) Snapshot() []byte {
	b := []byte{snapshotVersion}
	b = wire.AppendRecord(b, snapshotModel, f.model.AppendSnapshot)
	b = wire.AppendRecord(b, snapshotBook, f.book.Load().AppendSnapshot)
	return wire.AppendRecord(b, snapshotReputation, f.known.Load().AppendSnapshot)
}

// Restore replaces all that lessons made by a snapshot; on an error the filter is as it was.
func (f *Filter) Restore(b []byte) error {
	if len(b) == 0 || b[0] != snapshotVersion {
		return fmt.Errorf("read snapshot of the filter: %w", wire.ErrVersion)
	}
	var model []byte
	var book *campaign.Book
	var known *reputation.Table
	err := wire.Fields(b[1:], func(tag wire.Tag, c wire.Content) (err error) {
		switch tag {
		case snapshotModel:
			model = c
		case snapshotBook:
			book, err = campaign.ReadSnapshot(c)
		case snapshotReputation:
			known, err = reputation.ReadSnapshot(c)
		}
		return err
	})
	if err == nil && (book == nil || known == nil) {
		err = wire.ErrShort
	}
	if err != nil {
		return fmt.Errorf("read snapshot of the filter: %w", err)
	}
	if err := f.model.Restore(model); err != nil {
		return err
	}
	f.book.Store(book)
	f.known.Store(known)
	return nil
}
