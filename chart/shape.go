package chart

// Width and Height are the box of every map, in SVG user units: longitude runs from left to right, north is on top.
const (
	MapWidth  = 1000
	MapHeight = 500
)

// Shape is one territory of a map.
type Shape struct {
	Code   string // ISO 3166-1 alpha-2, or the code that an invented world gives it
	Name   string // English, or as the invented world calls it
	Path   string // SVG path data in the box of MapWidth x MapHeight; empty for a territory too small to draw
	Centre Point  // where its label or, if it is tiny, its dot goes
}

// Point is a place in the box of a map.
type Point struct{ X, Y float64 }
