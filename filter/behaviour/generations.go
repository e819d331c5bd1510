package behaviour

// generations is a bounded table: when the young half is full it becomes the old one, and what is put again moves to the young
// one. So what was not put for longest is forgotten first, and at most twice the size is known. It has no lock.
type generations[V any] struct {
	size       int // of a half
	young, old map[uint64]V
}

// get returns the zero value for what is not known.
func (g *generations[V]) get(key uint64) (v V, ok bool) {
	if v, ok = g.young[key]; !ok {
		v, ok = g.old[key]
	}
	return v, ok
}

func (g *generations[V]) put(key uint64, v V) {
	if _, ok := g.young[key]; !ok && (g.young == nil || len(g.young) >= g.size) {
		g.old, g.young = g.young, make(map[uint64]V)
	}
	g.young[key] = v
}

func (g *generations[V]) clear() { g.young, g.old = nil, nil }
