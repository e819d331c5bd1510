package campaign

// Groups are disjoint sets of messages that belong together: near copies, by themselves or by others between, and whatever else
// is united. The zero value has none.
type Groups struct {
	parent []int // a root is its own
	copies []taken
}

type taken struct {
	digest Digest
	at     int
}

// Add makes a group of one new message and returns its number, from 0.
func (g *Groups) Add() int {
	g.parent = append(g.parent, len(g.parent))
	return len(g.parent) - 1
}

// Unite makes one group of those of two messages.
func (g *Groups) Unite(i, j int) { g.parent[g.Root(i)] = g.Root(j) }

// Copy unites a message with all whose digests were given before and are within [Near] of its own. Each pair is compared: a second
// for 40,000.
func (g *Groups) Copy(i int, d Digest) {
	for _, c := range g.copies {
		if c.digest.Distance(d) <= Near {
			g.Unite(i, c.at)
		}
	}
	g.copies = append(g.copies, taken{d, i})
}

// Root is the message that stands for a message's group.
func (g *Groups) Root(i int) int {
	for g.parent[i] != i {
		g.parent[i] = g.parent[g.parent[i]]
		i = g.parent[i]
	}
	return i
}
