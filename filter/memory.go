package filter

import (
	"fmt"

	"rempart/filter/behaviour"
	"rempart/wire"
)

// Tags of what is remembered; see docs/formats.md.
const (
	memoryGreylist wire.Tag = iota + 1
	memoryDomains
)

// Memory is what the filter saw of mail coming in and would miss after a restart: whom it asked to come again, and which domains it
// knows. Whoever can read it can ask it for addresses and domains: it is to be sealed.
func (f *Filter) Memory() []byte {
	b := wire.AppendRecord([]byte{snapshotVersion}, memoryGreylist, f.greylist.AppendSnapshot)
	return wire.AppendRecord(b, memoryDomains, f.domains.AppendSnapshot)
}

// Recall takes up what an earlier run remembered, before the first message; on an error the filter is as it was.
func (f *Filter) Recall(b []byte) error {
	if len(b) == 0 || b[0] != snapshotVersion {
		return fmt.Errorf("recall: %w", wire.ErrVersion)
	}
	greylist, domains := f.greylist, f.domains
	err := wire.Fields(b[1:], func(tag wire.Tag, c wire.Content) (err error) {
		switch tag {
		case memoryGreylist:
			greylist, err = behaviour.ReadGreylist(c)
		case memoryDomains:
			domains, err = behaviour.ReadDomains(c)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("recall: %w", err)
	}
	f.greylist, f.domains = greylist, domains
	return nil
}
