package learn

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"rempart/message"
	"rempart/wire"
)

// snapshotVersion is the first byte of a model's snapshot.
const snapshotVersion = 1

// Tags of a snapshot; see docs/formats.md.
const (
	snapshotLessons wire.Tag = iota + 1
	snapshotTable
	snapshotCombiner
	snapshotEffect
	snapshotSuccession
	snapshotCorrection
	snapshotInfluence
)

const (
	tableLearner wire.Tag = iota + 1
	tableTenant
	tableBits
	tableWeights
)

const (
	combinerChannel wire.Tag = iota + 1
	combinerDirection
	combinerBias
	combinerSignal
	combinerShare
	combinerSpam
	combinerHam
)

const (
	learnedName wire.Tag = iota + 1
	learnedPresent
	learnedUnknown
)

const (
	shareLearner wire.Tag = iota + 1
	shareLearned
)

const (
	effectKey wire.Tag = iota + 1
	effectLabel
	effectShared
	effectOwn
	effectCorrected
	effectCombined
	effectSource
)

// AppendSnapshot appends all that lessons made of the model. Equal models give equal bytes.
func (m *Model) AppendSnapshot(b []byte) []byte {
	m.mu.RLock()
	defer m.mu.RUnlock()
	b = append(b, snapshotVersion)
	b = wire.AppendUint(b, snapshotLessons, m.lessons)
	for i, t := range m.shared {
		b = appendTable(b, t, learners[i].name, "")
	}
	for _, tenant := range slices.Sorted(maps.Keys(m.tenants)) {
		for i, t := range m.tenants[tenant] {
			b = appendTable(b, t, learners[i].name, tenant)
		}
	}
	for _, c := range m.combiners {
		b = wire.AppendRecord(b, snapshotCombiner, c.appendSnapshot)
	}
	for i := range learners {
		if s := m.successions[i]; s != nil {
			b = wire.AppendRecord(b, snapshotSuccession, func(b []byte) []byte { return s.appendSnapshot(b, learners[i].name) })
		}
	}
	b = m.appendNarrow(b)
	return m.ledger.appendSnapshot(b)
}

func appendTable(b []byte, t table, learner, tenant string) []byte {
	return wire.AppendRecord(b, snapshotTable, func(b []byte) []byte {
		b = wire.AppendString(b, tableLearner, learner)
		b = wire.AppendString(b, tableTenant, tenant)
		b = wire.AppendUint(b, tableBits, uint64(32-t.store().shift))
		return wire.AppendRecord(b, tableWeights, t.store().append)
	})
}

func (c *Combiner) appendSnapshot(b []byte) []byte {
	b = wire.AppendUint(b, combinerChannel, uint64(c.channel))
	b = wire.AppendUint(b, combinerDirection, uint64(c.direction))
	b = wire.AppendInt(b, combinerBias, int64(c.learned.bias))
	b = wire.AppendUint(b, combinerSpam, uint64(c.learned.spam))
	b = wire.AppendUint(b, combinerHam, uint64(c.learned.ham))
	for i, s := range c.signals {
		b = wire.AppendRecord(b, combinerSignal, func(b []byte) []byte {
			b = wire.AppendString(b, learnedName, s.Name)
			b = wire.AppendInt(b, learnedPresent, int64(c.learned.present[i]))
			return wire.AppendInt(b, learnedUnknown, int64(c.learned.unknown[i]))
		})
	}
	for i, share := range c.learned.share {
		if share != 0 {
			b = wire.AppendRecord(b, combinerShare, func(b []byte) []byte {
				b = wire.AppendString(b, shareLearner, learners[i].name)
				return wire.AppendInt(b, shareLearned, int64(share))
			})
		}
	}
	return b
}

func (l *ledger) appendSnapshot(b []byte) []byte {
	for i := range l.order {
		key := l.order[(l.next+i)%len(l.order)]
		e := l.effects[key]
		if e == nil {
			continue // forgotten
		}
		b = wire.AppendRecord(b, snapshotEffect, func(b []byte) []byte {
			b = wire.AppendString(b, effectKey, key)
			b = wire.AppendUint(b, effectLabel, uint64(e.label))
			b = wire.AppendRecord(b, effectShared, func(b []byte) []byte { return appendMoves(b, e.shared[:]) })
			b = wire.AppendRecord(b, effectOwn, func(b []byte) []byte { return appendMoves(b, e.own[:]) })
			if e.corrected != [len(correctionViews)]int64{} {
				b = wire.AppendRecord(b, effectCorrected, func(b []byte) []byte { return appendMoves(b, e.corrected[:]) })
			}
			b = wire.AppendBytes(b, effectCombined, e.combined)
			return wire.AppendUint(b, effectSource, e.source)
		})
	}
	return b
}

func appendMoves(b []byte, moves []int64) []byte {
	for _, v := range moves {
		b = binary.AppendVarint(b, v)
	}
	return b
}

func readMoves(b []byte, moves []int64) {
	for i := range moves {
		v, n := binary.Varint(b)
		if n <= 0 {
			return
		}
		moves[i], b = v, b[n:]
	}
}

// Restore replaces all that lessons made by a snapshot; on an error the model is as it was. Combiners, signals and
// learners that the snapshot has and this build has not are passed over.
func (m *Model) Restore(b []byte) error {
	if len(b) == 0 || b[0] != snapshotVersion {
		return fmt.Errorf("read snapshot of the model: %w", wire.ErrVersion)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	next := New(m.scratch, m.base)
	learned := make(map[*Combiner]weights, len(m.combiners))
	for _, c := range m.combiners {
		learned[c] = newWeights(len(c.signals))
	}
	var layouts []layout
	err := wire.Fields(b[1:], func(tag wire.Tag, content wire.Content) error {
		switch tag {
		case snapshotLessons:
			next.lessons = content.Uint()
		case snapshotTable:
			return next.readTable(content)
		case snapshotCombiner:
			l, err := m.readCombiner(content, learned)
			layouts = append(layouts, l)
			return err
		case snapshotEffect:
			return next.ledger.read(content, layouts)
		case snapshotSuccession:
			return next.readSuccession(content)
		case snapshotCorrection:
			return next.readCorrection(content)
		case snapshotInfluence:
			return next.readInfluence(content)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read snapshot of the model: %w", err)
	}
	m.shared, m.tenants, m.ledger, m.successions, m.lessons = next.shared, next.tenants, next.ledger, next.successions, next.lessons
	m.corrections, m.influences = next.corrections, next.influences
	for c, w := range learned {
		c.learned = w
	}
	return nil
}

func (m *Model) readTable(b wire.Content) error {
	var learner, tenant string
	var bits uint64
	var weights []byte
	err := wire.Fields(b, func(tag wire.Tag, c wire.Content) error {
		switch tag {
		case tableLearner:
			learner = c.String()
		case tableTenant:
			tenant = c.String()
		case tableBits:
			bits = c.Uint()
		case tableWeights:
			weights = c
		}
		return nil
	})
	i := learnerNamed(learner)
	if err != nil || i < 0 {
		return err
	}
	t := m.shared[i]
	if tenant != "" {
		t = m.tenantTables(tenant)[i]
	}
	here := uint64(32 - t.store().shift)
	if _, ok := t.(*linear); bits != here && (!ok || bits < here || bits > 32) {
		return fmt.Errorf("table of %s has 2^%d weights here and 2^%d there", learner, here, bits)
	}
	return t.store().read(weights, uint(bits-here))
}

// readCombiner reads into learned; a combiner that this build has not is passed over.
func (m *Model) readCombiner(b wire.Content, learned map[*Combiner]weights) (layout, error) {
	var channel message.Channel
	var direction message.Direction
	var bias message.LogOdds
	var spam, ham int64
	type signal struct {
		name             string
		present, unknown message.LogOdds
	}
	var signals []signal
	var shares [maxLearners]message.LogOdds
	err := wire.Fields(b, func(tag wire.Tag, c wire.Content) error {
		switch tag {
		case combinerChannel:
			channel = message.Channel(c.Uint())
		case combinerDirection:
			direction = message.Direction(c.Uint())
		case combinerBias:
			bias = message.LogOdds(c.Int())
		case combinerSpam:
			spam = int64(min(c.Uint(), maxLessons))
		case combinerHam:
			ham = int64(min(c.Uint(), maxLessons))
		case combinerSignal:
			var s signal
			err := wire.Fields(c, func(tag wire.Tag, c wire.Content) error {
				switch tag {
				case learnedName:
					s.name = c.String()
				case learnedPresent:
					s.present = message.LogOdds(c.Int())
				case learnedUnknown:
					s.unknown = message.LogOdds(c.Int())
				}
				return nil
			})
			signals = append(signals, s)
			return err
		case combinerShare:
			learner, share := -1, message.LogOdds(0)
			err := wire.Fields(c, func(tag wire.Tag, c wire.Content) error {
				switch tag {
				case shareLearner:
					learner = learnerNamed(c.String())
				case shareLearned:
					share = message.LogOdds(c.Int())
				}
				return nil
			})
			if learner >= 0 {
				shares[learner] = share
			}
			return err
		}
		return nil
	})
	c := m.combinerFor(channel, direction)
	if err != nil || c == nil {
		return layout{}, err
	}
	w := learned[c]
	w.bias, w.share, w.spam, w.ham = bias, shares, spam, ham
	there := layout{combiner: c}
	for _, s := range signals {
		i, ok := c.slots[s.name]
		if !ok {
			i = -1
		} else {
			w.present[i], w.unknown[i] = s.present, s.unknown
		}
		there.signals = append(there.signals, i)
	}
	learned[c] = w
	return there, nil
}

// maxLessons keeps a damaged number from overflowing what is reckoned with it.
const maxLessons = 1 << 40

func (l *ledger) read(b wire.Content, layouts []layout) error {
	var key string
	var e effect
	err := wire.Fields(b, func(tag wire.Tag, c wire.Content) (err error) {
		switch tag {
		case effectKey:
			key = c.String()
		case effectLabel:
			e.label = message.Label(c.Uint())
		case effectShared:
			readMoves(c, e.shared[:])
		case effectOwn:
			readMoves(c, e.own[:])
		case effectCorrected:
			readMoves(c, e.corrected[:])
		case effectCombined:
			e.combined, err = readCombined(c, layouts)
		case effectSource:
			e.source = c.Uint()
		}
		return err
	})
	*l.put(key, e.label) = e
	return err
}
