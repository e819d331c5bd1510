// Package measure counts what the node judged: hourly tallies by channel, direction, category, action, source and route.
//
// [Tallies] folds events into the leaf of the current hour, in memory, at the verdict. A [Leaf] is one origin and one hour;
// leaves are kept, merged leaves are not. [Merge] sorts leaves, adds them in integers and truncates once, so that its bytes
// do not depend on the order or repetition of what came in. Frequent items come from Space-Saving summaries with a stated
// bound of error, distinct sources from keyed HyperLogLog sketches. Tallies is safe for concurrent use.
package measure

import (
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"rempart/message"
)

// Tallies is the counts of one node: the hour that runs and those kept of before.
type Tallies struct {
	mu     sync.Mutex
	origin string
	epoch  int64
	key    sketchKey
	source func(netip.Addr) netip.Addr
	keep   time.Duration
	leaves map[leafKey]*Leaf
	last   *Leaf // of the event before: nearly always the right one
}

type leafKey struct {
	origin      string
	epoch, hour int64
}

// New returns empty tallies of an origin, for a run that started at start. Leaves older than keep are dropped from memory
// (not from the journal). The key is the group's that merges its sketches. Source cuts an address to what counts as one
// source; nil leaves it whole.
func New(origin string, start time.Time, keep time.Duration, key [32]byte, source func(netip.Addr) netip.Addr) *Tallies {
	return &Tallies{origin: origin, epoch: start.UnixNano(), key: newSketchKey(key), source: source, keep: keep,
		leaves: map[leafKey]*Leaf{}}
}

// Fold counts one event.
func (t *Tallies) Fold(e *message.Event) {
	hour := e.Time.Unix() / 3600
	source := t.key.hash(e, t.source)
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.last
	if l == nil || l.Hour != hour || l.shared {
		l = t.leafOf(hour)
		t.last = l
	}
	l.fold(e, source, t.key.id)
	l.Revision++
}

// Complained counts one complaint of another receiver that came in.
func (t *Tallies) Complained(at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.leafOf(at.Unix() / 3600)
	l.complaints++
	l.Revision++
}

// leafOf finds or begins the leaf of an hour of this run, and drops what is too old.
func (t *Tallies) leafOf(hour int64) *Leaf {
	key := leafKey{t.origin, t.epoch, hour}
	l := t.leaves[key]
	if l != nil && l.shared { // somebody reads it: go on with a copy
		l = l.clone()
		t.leaves[key] = l
	}
	if l == nil {
		l = &Leaf{Origin: t.origin, Epoch: t.epoch, Hour: hour, counts: newCounts()}
		t.leaves[key] = l
		oldest := hour - int64(t.keep/time.Hour)
		for k := range t.leaves {
			if old := t.leaves[k]; k.hour < oldest && old.saved == old.Revision {
				delete(t.leaves, k)
			}
		}
	}
	return l
}

// Restore puts a leaf of an earlier run or another origin in, unless a later revision of it is there.
func (t *Tallies) Restore(l *Leaf) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := leafKey{l.Origin, l.Epoch, l.Hour}
	if old := t.leaves[key]; old == nil || old.Revision < l.Revision {
		l.saved = l.Revision
		t.leaves[key] = l
	}
}

// Checkpoint gives every leaf that changed since the last one to save, under an id that names its state. A leaf that
// cannot be saved stays changed.
func (t *Tallies) Checkpoint(save func(id string, record []byte) error) error {
	type change struct {
		key      leafKey
		id       string
		revision uint64
		record   []byte
	}
	var changes []change
	t.mu.Lock()
	for key, l := range t.leaves {
		if l.saved == l.Revision {
			continue
		}
		record, _ := l.AppendBinary(nil)
		changes = append(changes, change{key, fmt.Sprintf("%s/%d/%d/%d", l.Origin, l.Epoch, l.Hour, l.Revision), l.Revision, record})
	}
	t.mu.Unlock()
	for _, c := range changes {
		if err := save(c.id, c.record); err != nil {
			return fmt.Errorf("checkpoint tally %s: %w", c.id, err)
		}
		t.mu.Lock()
		if l := t.leaves[c.key]; l != nil && l.saved < c.revision && c.revision <= l.Revision {
			l.saved = c.revision
		}
		t.mu.Unlock()
	}
	return nil
}

// Total is the merged counts of the hours that begin in [from, to). Counting goes on meanwhile.
func (t *Tallies) Total(from, to time.Time) *Total { return Merge(t.share(from, to)) }

// share gives the leaves of the hours that begin in [from, to) to read. They are not changed any more: [Tallies.Fold] goes
// on with a copy of the one that it needs, so that a merge of many hours does not hold up judging.
func (t *Tallies) share(from, to time.Time) (out []*Leaf) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, l := range t.leaves {
		if at := l.Time(); !at.Before(from) && at.Before(to) {
			l.shared = true
			out = append(out, l)
		}
	}
	return out
}

// Leaves are copies of the leaves of the hours that begin in [from, to), sorted.
func (t *Tallies) Leaves(from, to time.Time) []*Leaf {
	var out []*Leaf
	for _, l := range t.share(from, to) {
		out = append(out, &Leaf{Origin: l.Origin, Epoch: l.Epoch, Hour: l.Hour, Revision: l.Revision, counts: mergeCounts([]*Leaf{l})})
	}
	slices.SortFunc(out, compareLeaves)
	return out
}
