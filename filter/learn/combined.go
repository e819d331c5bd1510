package learn

import (
	"cmp"
	"encoding/binary"
	"slices"

	"rempart/message"
	"rempart/wire"
)

// moves are by how much the lessons on one message moved what combiners learned, packed: of each number that moved, in the
// order of their places, the place's distance from the one before (unsigned varint) and by how much (zigzag varint): some
// 100 bytes for a mail.
type moves []byte

type move struct {
	place uint64 // the combiner's number times combinerPlaces, and the number's place in [weights.numbers]
	by    int64
}

const (
	combinerPlaces = 1 << 16
	tallyPlaces    = 3 // bias, lessons of spam, of ham; then two a signal, then one a learner
)

// numbers are all that a combiner learned, by place.
func (w *weights) numbers() []int64 {
	all := make([]int64, 0, tallyPlaces+2*len(w.present)+maxLearners)
	all = append(all, int64(w.bias), w.spam, w.ham)
	for i := range w.present {
		all = append(all, int64(w.present[i]), int64(w.unknown[i]))
	}
	for _, share := range w.share {
		all = append(all, int64(share))
	}
	return all
}

// add moves the number at a place, within its bounds.
func (c *Combiner) add(place int, d int64) {
	w := &c.learned
	signal := place - tallyPlaces
	learner := signal - 2*len(w.present)
	switch {
	case place == 0:
		w.bias += message.LogOdds(d)
	case place == 1:
		w.spam = min(max(w.spam+d, 0), maxLessons)
	case place == 2:
		w.ham = min(max(w.ham+d, 0), maxLessons)
	case learner < 0 && signal%2 == 0:
		w.present[signal/2] = clamp(w.present[signal/2] + message.LogOdds(d))
	case learner < 0:
		w.unknown[signal/2] = clamp(w.unknown[signal/2] + message.LogOdds(d))
	case learner < len(learners):
		before := learners[learner].share[c.channel]
		w.share[learner] = min(max(before+w.share[learner]+message.LogOdds(d), minShare), maxShare) - before
	}
}

// combined adds what one lesson moved in a combiner to what those before it moved: numbers are the combiner's before it.
func (c *Combiner) combined(past moves, before []int64) moves {
	list, _ := past.unpack()
	for i, now := range c.learned.numbers() {
		if now != before[i] {
			list = append(list, move{c.number*combinerPlaces + uint64(i), now - before[i]})
		}
	}
	return packMoves(list)
}

// takeBackCombined undoes what the lessons on one message moved in the combiners: exactly, unless a number met its bound
// since; that one is then off by no more than they had moved it. What later lessons learned from the scores as they were
// stays, and so does how heirs compared.
func (m *Model) takeBackCombined(past moves) {
	list, _ := past.unpack()
	for _, v := range list {
		m.combiners[v.place/combinerPlaces].add(int(v.place%combinerPlaces), -v.by)
	}
}

func (m moves) unpack() (list []move, err error) {
	place := uint64(0)
	for len(m) > 0 {
		d, n := binary.Uvarint(m)
		if n <= 0 {
			return nil, wire.ErrShort
		}
		by, k := binary.Varint(m[n:])
		if k <= 0 {
			return nil, wire.ErrShort
		}
		place += d
		list = append(list, move{place, by})
		m = m[n+k:]
	}
	return list, nil
}

// packMoves adds up what is at one place.
func packMoves(list []move) (m moves) {
	slices.SortFunc(list, func(a, b move) int { return cmp.Compare(a.place, b.place) })
	last := uint64(0)
	for i := 0; i < len(list); {
		v := list[i]
		for i++; i < len(list) && list[i].place == v.place; i++ {
			v.by += list[i].by
		}
		if v.by != 0 {
			m = binary.AppendUvarint(m, v.place-last)
			m = binary.AppendVarint(m, v.by)
			last = v.place
		}
	}
	return slices.Clip(m)
}

// layout is where a combiner of a snapshot, with its signals, is in this build; nil and -1 if it is not.
type layout struct {
	combiner *Combiner
	signals  []int
}

// readCombined reads moves whose places are those of the snapshot's combiners; what this build has not is dropped.
func readCombined(b []byte, layouts []layout) (moves, error) {
	list, err := moves(b).unpack()
	here := list[:0]
	for _, v := range list {
		at := v.place / combinerPlaces
		if at >= uint64(len(layouts)) || layouts[at].combiner == nil {
			continue
		}
		if place := layouts[at].place(int(v.place % combinerPlaces)); place >= 0 {
			here = append(here, move{layouts[at].combiner.number*combinerPlaces + uint64(place), v.by})
		}
	}
	return packMoves(here), err
}

// place is where the number at a place of the snapshot's combiner is in this build's; -1 if it is not.
func (l layout) place(there int) int {
	signal := there - tallyPlaces
	learner := signal - 2*len(l.signals)
	switch {
	case signal < 0:
		return there
	case learner >= len(learners):
		return -1
	case learner >= 0:
		return tallyPlaces + 2*len(l.combiner.signals) + learner
	case l.signals[signal/2] < 0:
		return -1
	}
	return tallyPlaces + 2*l.signals[signal/2] + signal%2
}
