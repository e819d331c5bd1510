package campaign

import "testing"

// Near copies are in one group though the first and the last are far apart, and so is what was united.
func TestGroups(t *testing.T) {
	var g Groups
	near := func(bits int) (d Digest) {
		for i := range bits {
			d[i/64] |= 1 << (i % 64)
		}
		return d
	}
	for _, bits := range []int{0, 2 * Near, Near, 200} {
		g.Copy(g.Add(), near(bits))
	}
	if near(0).Distance(near(2*Near)) <= Near || g.Root(0) != g.Root(1) || g.Root(0) != g.Root(2) {
		t.Error("a chain of near copies is not one group")
	}
	if g.Root(3) == g.Root(0) {
		t.Error("a stranger is in the group")
	}
	g.Unite(3, 1)
	if g.Root(3) != g.Root(0) || g.Root(g.Add()) != 4 {
		t.Error("united groups are not one, or a new message has no group of its own")
	}
}
