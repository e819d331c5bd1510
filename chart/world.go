package chart

import (
	"strconv"
	"strings"
	"sync"

	"rempart/third_party/naturalearth"
)

// Credit and Disclaimer stand below every map of the world. The disclaimer is the one of the United Nations.
const (
	Credit     = "Natural Earth"
	CreditURL  = "https://www.naturalearthdata.com"
	Disclaimer = "The boundaries and names shown and the designations used on this map do not imply official endorsement or acceptance."
)

// World are the countries and territories of the world, ordered by code. The slice is shared: it is not to be changed.
func World() []Shape { return world() }

var world = sync.OnceValue(func() (shapes []Shape) {
	for line := range strings.Lines(naturalearth.World) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != 5 {
			continue // a test counts
		}
		x, _ := strconv.ParseFloat(f[2], 64)
		y, _ := strconv.ParseFloat(f[3], 64)
		shapes = append(shapes, Shape{Code: f[0], Name: f[1], Path: f[4], Centre: Point{x, y}})
	}
	return shapes
})
