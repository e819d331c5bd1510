package main

import (
	"math"
	"slices"
	"testing"
)

// A ring over 180 degrees becomes two, and no part lies outside.
func TestCut(t *testing.T) {
	ring := unwrap([]point{{170, 0}, {-170, 0}, {-170, 10}, {170, 10}})
	parts := cut(ring)
	if len(parts) != 2 {
		t.Fatalf("%v", parts)
	}
	sum := 0.0
	for _, part := range parts {
		size, _ := area(part)
		sum += size
		for _, p := range part {
			if p[0] < -180 || p[0] > 180 {
				t.Errorf("%v lies outside", p)
			}
		}
	}
	if sum != 200 {
		t.Errorf("area %v, want 200", sum)
	}
	if parts := cut([]point{{0, 0}, {10, 0}, {10, 10}}); len(parts) != 1 || len(parts[0]) != 3 {
		t.Errorf("%v", parts)
	}
}

// Two squares side by side become one ring; the line between them goes.
func TestDissolve(t *testing.T) {
	arcs := [][]point{
		{{1, 0}, {1, 1}},                 // between
		{{1, 1}, {0, 1}, {0, 0}, {1, 0}}, // the rest of the left one
		{{1, 0}, {2, 0}, {2, 1}, {1, 1}}, // the rest of the right one
	}
	rings := dissolve([]polygon{{{0, 1}}, {{^0, 2}}}, arcs)
	if len(rings) != 1 || slices.Contains(rings[0], 0) || slices.Contains(rings[0], ^0) {
		t.Fatalf("%v", rings)
	}
	if size, centre := area(join(rings[0], arcs)); size != 2 || centre != (point{1, .5}) {
		t.Errorf("area %v, centre %v", size, centre)
	}
}

func TestSimplify(t *testing.T) {
	line := []point{{0, 0}, {1, .01}, {2, 0}, {3, 5}, {4, 0}}
	if got, want := simplify(line, .1), []point{{0, 0}, {2, 0}, {3, 5}, {4, 0}}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestProject(t *testing.T) {
	for _, tt := range []struct{ at, want point }{{point{0, 0}, point{500, 275}}, {point{180, 0}, point{1000, 275}}, {point{-180, 0}, point{0, 275}}} {
		if got := project(tt.at); math.Hypot(got[0]-tt.want[0], got[1]-tt.want[1]) > 1e-9 {
			t.Errorf("%v: %v, want %v", tt.at, got, tt.want)
		}
	}
	north, south := project(point{0, 84}), project(point{0, -56})
	if north[1] < 0 || south[1] > 500 {
		t.Errorf("the land reaches from %v to %v", north, south)
	}
}

func TestAppendRing(t *testing.T) {
	ring := []point{{10, .5}, {10.04, .5}, {9.5, -.25}, {12, 3}}
	if got, want := string(appendRing(nil, ring)), "M10 .5l-.5-.8 2.5 3.3z"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := appendRing(nil, ring[:2]); len(got) != 0 {
		t.Errorf("a point is drawn: %q", got)
	}
}
