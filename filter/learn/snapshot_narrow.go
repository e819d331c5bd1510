package learn

import (
	"cmp"
	"encoding/binary"
	"maps"
	"slices"

	"rempart/message"
	"rempart/wire"
)

const (
	correctionScope wire.Tag = iota + 1
	correctionView
	correctionWeights
)

const (
	influenceScope wire.Tag = iota + 1
	influenceSpent
	influenceAt
)

const (
	scopeTenant wire.Tag = iota + 1
	scopeDomain
	scopeUser
)

// appendNarrow appends what users and domains know better, and how far each moved all others lately.
func (m *Model) appendNarrow(b []byte) []byte {
	for _, key := range sortedScopes(m.corrections) {
		for i, s := range m.corrections[key] {
			if len(s) == 0 {
				continue
			}
			b = wire.AppendRecord(b, snapshotCorrection, func(b []byte) []byte {
				b = appendScope(b, correctionScope, key)
				b = wire.AppendString(b, correctionView, correctionViews[i].name)
				return wire.AppendRecord(b, correctionWeights, s.append)
			})
		}
	}
	for _, key := range sortedScopes(m.influences) {
		n := m.influences[key]
		b = wire.AppendRecord(b, snapshotInfluence, func(b []byte) []byte {
			b = appendScope(b, influenceScope, key)
			b = wire.AppendInt(b, influenceSpent, n.spent)
			return wire.AppendInt(b, influenceAt, n.at)
		})
	}
	return b
}

func appendScope(b []byte, tag wire.Tag, s message.Scope) []byte {
	return wire.AppendRecord(b, tag, func(b []byte) []byte {
		b = wire.AppendString(b, scopeTenant, s.Tenant)
		b = wire.AppendString(b, scopeDomain, s.Domain)
		return wire.AppendString(b, scopeUser, s.User)
	})
}

func readScope(b wire.Content) (s message.Scope, err error) {
	err = wire.Fields(b, func(tag wire.Tag, c wire.Content) error {
		switch tag {
		case scopeTenant:
			s.Tenant = c.String()
		case scopeDomain:
			s.Domain = c.String()
		case scopeUser:
			s.User = c.String()
		}
		return nil
	})
	return s, err
}

func sortedScopes[V any](all map[message.Scope]V) []message.Scope {
	return slices.SortedFunc(maps.Keys(all), func(a, b message.Scope) int {
		return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Domain, b.Domain), cmp.Compare(a.User, b.User))
	})
}

// append writes each weight: the feature's distance from the one before, then the value.
func (s sparse) append(b []byte) []byte {
	last := uint32(0)
	for _, w := range s {
		b = binary.AppendUvarint(b, uint64(w.feature-last))
		b = binary.AppendVarint(b, int64(w.value))
		last = w.feature
	}
	return b
}

func readSparse(b []byte) (s sparse, err error) {
	feature := uint64(0)
	for len(b) > 0 {
		d, n := binary.Uvarint(b)
		if n <= 0 {
			return nil, wire.ErrShort
		}
		v, k := binary.Varint(b[n:])
		feature += d
		if k <= 0 || feature > 1<<32-1 || len(s) > 0 && d == 0 || len(s) == maxCorrected || abs(v) > maxCorrection {
			return nil, wire.ErrShort
		}
		s = append(s, weight{uint32(feature), int32(v)})
		b = b[n+k:]
	}
	return s, nil
}

// readCorrection reads one view of one correction; a view that this build has not is passed over.
func (m *Model) readCorrection(b wire.Content) error {
	var key message.Scope
	var view string
	var weights sparse
	err := wire.Fields(b, func(tag wire.Tag, c wire.Content) (err error) {
		switch tag {
		case correctionScope:
			key, err = readScope(c)
		case correctionView:
			view = c.String()
		case correctionWeights:
			weights, err = readSparse(c)
		}
		return err
	})
	if err != nil {
		return err
	}
	for i, v := range correctionViews {
		if v.name == view {
			m.correctionOf(key)[i] = weights
		}
	}
	return nil
}

func (m *Model) readInfluence(b wire.Content) error {
	var key message.Scope
	var n influence
	err := wire.Fields(b, func(tag wire.Tag, c wire.Content) (err error) {
		switch tag {
		case influenceScope:
			key, err = readScope(c)
		case influenceSpent:
			n.spent = c.Int()
		case influenceAt:
			n.at = c.Int()
		}
		return err
	})
	m.influences[key] = &n
	return err
}
