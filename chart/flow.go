package chart

import (
	"cmp"
	"slices"
)

// Edge is what one hands to another.
type Edge struct {
	From, By string  // who had it, and by whom it went on
	Value    float64 // how much
	Spam     float64 // share of it that is spam, 0 to 1
	Trusted  bool    // it was seen; false: it is only claimed
}

// stop is one in the layered picture of a flow. Who is reached again in a circle is drawn once more, further along.
type stop struct {
	name    string
	again   bool
	layer   int
	in, out float64
	y       float64
}

func (s *stop) value() float64 { return max(s.in, s.out) }

// link is an edge between two stops.
type link struct {
	Edge
	from, to   *stop
	yFrom, yTo float64 // of its middle
}

// flow is the layered picture.
type flow struct {
	stops []*stop
	links []*link
}

// flowOf keeps the largest names and calls the rest other, adds up like edges, and breaks circles: the smaller edge of
// each leads to a copy of its end.
func flowOf(edges []Edge, largest int, other string) *flow {
	edges = merge(edges, keep(edges, largest), other)
	f := &flow{}
	stops := map[string]*stop{}
	at := func(name string, again bool) *stop {
		key := name
		if again {
			key += "\x00"
		}
		if stops[key] == nil {
			stops[key] = &stop{name: name, again: again}
			f.stops = append(f.stops, stops[key])
		}
		return stops[key]
	}
	for _, e := range edges {
		l := &link{Edge: e, from: at(e.From, false)}
		l.to = at(e.By, e.From == e.By || f.reaches(at(e.By, false), l.from))
		l.from.out += e.Value
		l.to.in += e.Value
		f.links = append(f.links, l)
	}
	f.stops = slices.DeleteFunc(f.stops, func(s *stop) bool { return s.value() == 0 }) // only its copy is used
	for range f.stops {                                                                // as often as the longest way can be
		for _, l := range f.links {
			l.to.layer = max(l.to.layer, l.from.layer+1)
		}
	}
	return f
}

// keep are the names that most goes through.
func keep(edges []Edge, largest int) map[string]bool {
	through := map[string]float64{}
	for _, e := range edges {
		if e.Value > 0 && finite(e.Value) {
			through[e.From] += e.Value
			through[e.By] += e.Value
		}
	}
	var names []string
	for name := range through {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(through[b], through[a]), cmp.Compare(a, b)) })
	kept := map[string]bool{}
	for _, name := range names[:min(len(names), largest)] {
		kept[name] = true
	}
	return kept
}

// merge adds up the edges between the names that are kept, largest first. What the rest hands to itself is left out.
func merge(edges []Edge, kept map[string]bool, other string) (merged []Edge) {
	type key struct {
		from, by string
		trusted  bool
	}
	sums := map[key]*Edge{}
	for _, e := range edges {
		if !(e.Value > 0) || !finite(e.Value) || !kept[e.From] && !kept[e.By] {
			continue
		}
		if !kept[e.From] {
			e.From = other
		}
		if !kept[e.By] {
			e.By = other
		}
		if !finite(e.Spam) {
			e.Spam = 0
		}
		k := key{e.From, e.By, e.Trusted}
		if sums[k] == nil {
			sums[k] = &Edge{From: e.From, By: e.By, Trusted: e.Trusted}
		}
		sum := sums[k]
		sum.Spam = (sum.Spam*sum.Value + min(1, max(0, e.Spam))*e.Value) / (sum.Value + e.Value)
		sum.Value += e.Value
	}
	for _, e := range sums {
		merged = append(merged, *e)
	}
	slices.SortFunc(merged, func(a, b Edge) int {
		trusted := 0
		if a.Trusted != b.Trusted {
			trusted = 1
			if a.Trusted {
				trusted = -1
			}
		}
		return cmp.Or(cmp.Compare(b.Value, a.Value), cmp.Compare(a.From, b.From), cmp.Compare(a.By, b.By), trusted)
	})
	return merged
}

// reaches says whether something goes from one stop to another.
func (f *flow) reaches(from, to *stop) bool {
	seen := map[*stop]bool{}
	var visit func(*stop) bool
	visit = func(s *stop) bool {
		if s == to {
			return true
		}
		if seen[s] {
			return false
		}
		seen[s] = true
		return slices.ContainsFunc(f.links, func(l *link) bool { return l.from == s && visit(l.to) })
	}
	return visit(from)
}
