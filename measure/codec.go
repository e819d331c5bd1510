package measure

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/axiomhq/hyperloglog"

	"rempart/message"
	"rempart/wire"
)

// leafVersion is the first byte of a leaf's record.
const leafVersion = 1

// Tags of a leaf; see docs/formats.md.
const (
	leafOrigin wire.Tag = iota + 1
	leafEpoch
	leafHour
	leafRevision
	leafVolume
	leafCountries
	leafNetworks
	leafSenders
	leafEdges
	leafDistinct
	leafComplaints
)

const (
	volumeChannel wire.Tag = iota + 1
	volumeDirection
	volumeCategory
	volumeAction
	volumeMessages
	volumeRecipients
)

const (
	summaryChannel wire.Tag = iota + 1
	summaryCategory
	summaryTotal
	summaryFloor
	summaryItem
)

const (
	itemKey wire.Tag = iota + 1
	itemCount
	itemError
	itemBy      // of an edge
	itemTrusted // of an edge
)

const (
	distinctChannel wire.Tag = iota + 1
	distinctCategory
	distinctPrecision
	distinctHash
	distinctKeyID
	distinctSketch
)

// ErrSketch is a leaf whose sketches were made otherwise than this build makes them.
var ErrSketch = errors.New("measure: sketch of another hash or precision")

// AppendBinary appends the leaf's record. Equal leaves give equal bytes.
func (l *Leaf) AppendBinary(b []byte) ([]byte, error) {
	b = append(b, leafVersion)
	b = wire.AppendString(b, leafOrigin, l.Origin)
	b = wire.AppendInt(b, leafEpoch, l.Epoch)
	b = wire.AppendInt(b, leafHour, l.Hour)
	b = wire.AppendUint(b, leafRevision, l.Revision)
	return l.append(b), nil
}

// AppendBinary appends the merged counts in the form of a leaf's.
func (t *Total) AppendBinary(b []byte) ([]byte, error) {
	return t.append(append(b, leafVersion)), nil
}

func (c *counts) append(b []byte) []byte {
	for _, k := range slices.SortedFunc(maps.Keys(c.volumes), compareVolumes) {
		v := c.volumes[k]
		b = wire.AppendRecord(b, leafVolume, func(b []byte) []byte {
			b = wire.AppendUint(b, volumeChannel, uint64(k.Channel))
			b = wire.AppendUint(b, volumeDirection, uint64(k.Direction))
			b = wire.AppendUint(b, volumeCategory, uint64(k.Category))
			b = wire.AppendUint(b, volumeAction, uint64(k.Action))
			b = wire.AppendUint(b, volumeMessages, v.Messages)
			return wire.AppendUint(b, volumeRecipients, v.Recipients)
		})
	}
	text := func(b []byte, k string) []byte { return wire.AppendString(b, itemKey, k) }
	b = appendSummaries(b, leafCountries, c.countries, strings.Compare, text)
	b = appendSummaries(b, leafNetworks, c.networks, cmp.Compare[uint32],
		func(b []byte, k uint32) []byte { return wire.AppendUint(b, itemKey, uint64(k)) })
	b = appendSummaries(b, leafSenders, c.senders, strings.Compare, text)
	b = appendSummaries(b, leafEdges, c.edges, compareEdges, func(b []byte, k Edge) []byte {
		b = wire.AppendString(text(b, k.From), itemBy, k.By)
		if k.Trusted {
			b = wire.AppendUint(b, itemTrusted, 1)
		}
		return b
	})
	for _, k := range sortedDistinct(c.distinct) {
		sketch, err := c.distinct[k].MarshalBinary()
		if err != nil {
			continue // the library's encoder has no failing path; a sketch less is a tally still
		}
		b = wire.AppendRecord(b, leafDistinct, func(b []byte) []byte {
			b = wire.AppendUint(b, distinctChannel, uint64(k.channel))
			b = wire.AppendUint(b, distinctCategory, uint64(k.category))
			b = wire.AppendUint(b, distinctPrecision, precision)
			b = wire.AppendString(b, distinctHash, hashName)
			b = wire.AppendString(b, distinctKeyID, k.key)
			return wire.AppendBytes(b, distinctSketch, sketch)
		})
	}
	return wire.AppendUint(b, leafComplaints, c.complaints)
}

func appendSummaries[K comparable](b []byte, tag wire.Tag, m map[breakdown]*summary[K], less func(a, b K) int, key func([]byte, K) []byte) []byte {
	for _, k := range slices.SortedFunc(maps.Keys(m), compareBreakdowns) {
		s := m[k]
		b = wire.AppendRecord(b, tag, func(b []byte) []byte {
			b = wire.AppendUint(b, summaryChannel, uint64(k.channel))
			b = wire.AppendUint(b, summaryCategory, uint64(k.category))
			b = wire.AppendUint(b, summaryTotal, s.total)
			b = wire.AppendUint(b, summaryFloor, s.floor)
			for _, c := range s.sorted(less) {
				b = wire.AppendRecord(b, summaryItem, func(b []byte) []byte {
					return wire.AppendUint(wire.AppendUint(key(b, c.key), itemCount, c.count), itemError, c.err)
				})
			}
			return b
		})
	}
	return b
}

// UnmarshalBinary reads a leaf's record, also one of a newer build; what it does not know it skips.
func (l *Leaf) UnmarshalBinary(b []byte) error {
	if len(b) == 0 || b[0] != leafVersion {
		return fmt.Errorf("read tally: %w", wire.ErrVersion)
	}
	*l = Leaf{counts: newCounts()}
	if err := wire.Fields(b[1:], l.read); err != nil {
		return fmt.Errorf("read tally of %s: %w", l.Origin, err)
	}
	return nil
}

func (l *Leaf) read(tag wire.Tag, c wire.Content) error {
	text := func(k *string) func(wire.Tag, wire.Content) {
		return func(tag wire.Tag, c wire.Content) {
			if tag == itemKey {
				*k = c.String()
			}
		}
	}
	switch tag {
	case leafOrigin:
		l.Origin = c.String()
	case leafEpoch:
		l.Epoch = c.Int()
	case leafHour:
		l.Hour = c.Int()
	case leafRevision:
		l.Revision = c.Uint()
	case leafVolume:
		return l.readVolume(c)
	case leafCountries:
		return readSummary(l.countries, maxCountries, c, text)
	case leafNetworks:
		return readSummary(l.networks, maxNetworks, c, func(k *uint32) func(wire.Tag, wire.Content) {
			return func(tag wire.Tag, c wire.Content) {
				if tag == itemKey {
					*k = uint32(c.Uint())
				}
			}
		})
	case leafSenders:
		return readSummary(l.senders, maxSenders, c, text)
	case leafEdges:
		return readSummary(l.edges, maxEdges, c, func(k *Edge) func(wire.Tag, wire.Content) { return k.read })
	case leafDistinct:
		return l.readDistinct(c)
	case leafComplaints:
		l.complaints = c.Uint()
	}
	return nil
}

func (e *Edge) read(tag wire.Tag, c wire.Content) {
	switch tag {
	case itemKey:
		e.From = c.String()
	case itemBy:
		e.By = c.String()
	case itemTrusted:
		e.Trusted = c.Uint() != 0
	}
}

func (l *Leaf) readVolume(c wire.Content) error {
	var k VolumeKey
	var v Volume
	err := wire.Fields(c, func(tag wire.Tag, c wire.Content) error {
		switch tag {
		case volumeChannel:
			k.Channel = message.Channel(c.Uint())
		case volumeDirection:
			k.Direction = message.Direction(c.Uint())
		case volumeCategory:
			k.Category = message.Category(c.Uint())
		case volumeAction:
			k.Action = message.Action(c.Uint())
		case volumeMessages:
			v.Messages = c.Uint()
		case volumeRecipients:
			v.Recipients = c.Uint()
		}
		return nil
	})
	l.volumes[k] = v
	return err
}

// readSummary reads one summary; a peer that sends more items than the limit is cut at it.
func readSummary[K comparable](m map[breakdown]*summary[K], limit int, c wire.Content, keyOf func(*K) func(wire.Tag, wire.Content)) error {
	var b breakdown
	s := newSummary[K](limit)
	var items []counter[K]
	seen := map[K]bool{}
	err := wire.Fields(c, func(tag wire.Tag, c wire.Content) error {
		switch tag {
		case summaryChannel:
			b.channel = message.Channel(c.Uint())
		case summaryCategory:
			b.category = message.Category(c.Uint())
		case summaryTotal:
			s.total = c.Uint()
		case summaryFloor:
			s.floor = c.Uint()
		case summaryItem:
			var item counter[K]
			key := keyOf(&item.key)
			err := wire.Fields(c, func(tag wire.Tag, c wire.Content) error {
				switch tag {
				case itemCount:
					item.count = c.Uint()
				case itemError:
					item.err = c.Uint()
				default:
					key(tag, c)
				}
				return nil
			})
			if err != nil {
				return err
			}
			if len(items) < limit && !seen[item.key] {
				seen[item.key] = true
				items = append(items, item)
			}
		}
		return nil
	})
	slices.SortStableFunc(items, func(a, b counter[K]) int { return cmp.Compare(b.count, a.count) })
	s.load(items)
	m[b] = s
	return err
}

func (l *Leaf) readDistinct(c wire.Content) error {
	var k distinctKey
	var hash string
	var bits uint64
	var sketch []byte
	err := wire.Fields(c, func(tag wire.Tag, c wire.Content) error {
		switch tag {
		case distinctChannel:
			k.channel = message.Channel(c.Uint())
		case distinctCategory:
			k.category = message.Category(c.Uint())
		case distinctPrecision:
			bits = c.Uint()
		case distinctHash:
			hash = c.String()
		case distinctKeyID:
			k.key = c.String()
		case distinctSketch:
			sketch = c
		}
		return nil
	})
	if err != nil {
		return err
	}
	if hash != hashName || bits != precision {
		return ErrSketch
	}
	d := newSketch()
	if err := d.UnmarshalBinary(sketch); err != nil {
		return err
	}
	if err := newSketch().Merge(d); err != nil {
		return ErrSketch // it says one precision and has another
	}
	l.distinct[k] = d
	return nil
}

func compareVolumes(a, b VolumeKey) int {
	return cmp.Or(cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.Direction, b.Direction), cmp.Compare(a.Category, b.Category),
		cmp.Compare(a.Action, b.Action))
}

func compareBreakdowns(a, b breakdown) int {
	return cmp.Or(cmp.Compare(a.channel, b.channel), cmp.Compare(a.category, b.category))
}

func sortedDistinct(m map[distinctKey]*hyperloglog.Sketch) []distinctKey {
	return slices.SortedFunc(maps.Keys(m), func(a, b distinctKey) int {
		return cmp.Or(compareBreakdowns(a.breakdown, b.breakdown), strings.Compare(a.key, b.key))
	})
}
