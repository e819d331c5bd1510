package report

import (
	"rempart/chart"
	"rempart/geo"
)

// Land is what lies on the map: the real world, or one that is not there. Its zero value is the real one.
type Land struct {
	Shapes []chart.Shape // of an invented world; nil: the real one's
}

// Invented reports whether it is a simulated world.
func (l Land) Invented() bool { return l.Shapes != nil }

// CountryName is what a country is called; empty if the code is of none.
func (l Land) CountryName(code string) string {
	for i := range l.Shapes {
		if l.Shapes[i].Code == code {
			return l.Shapes[i].Name
		}
	}
	return geo.CountryName(code)
}

// Map is the shapes of its countries.
func (l Land) Map() []chart.Shape {
	if l.Invented() {
		return l.Shapes
	}
	return chart.World()
}
