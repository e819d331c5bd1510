package main

import (
	"encoding/json"
	"fmt"
	"os"

	"rempart/geo"

	"golang.org/x/text/language"
)

// topology is a TopoJSON file of countries: lines are arcs that neighbours share.
type topology struct {
	Transform struct{ Scale, Translate [2]float64 }
	Arcs      [][][2]float64
	Objects   struct {
		Countries struct{ Geometries []geometry }
	}
}

type geometry struct {
	Type       string // Polygon or MultiPolygon
	ID         string // ISO 3166-1 numeric
	Properties struct{ Name string }
	Arcs       json.RawMessage
}

// polygon is rings of arcs: the outer one, then holes. An arc ^i is arc i backwards.
type polygon [][]int

func (g *geometry) polygons() (list []polygon, err error) {
	if g.Type == "Polygon" {
		var p polygon
		err = json.Unmarshal(g.Arcs, &p)
		return []polygon{p}, err
	}
	err = json.Unmarshal(g.Arcs, &list)
	return list, err
}

// point is longitude and latitude in degrees.
type point [2]float64

// readTopology answers the arcs in degrees, longitudes unwrapped: an arc that crosses 180 degrees goes on beyond it.
func readTopology(path string) (t *topology, arcs [][]point, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	t = &topology{}
	if err := json.Unmarshal(b, t); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	for _, deltas := range t.Arcs {
		var x, y float64
		var arc []point
		for _, d := range deltas {
			x, y = x+d[0], y+d[1]
			arc = append(arc, point{x*t.Transform.Scale[0] + t.Transform.Translate[0], y*t.Transform.Scale[1] + t.Transform.Translate[1]})
		}
		arcs = append(arcs, unwrap(arc))
	}
	return t, arcs, nil
}

// codeOf is the ISO 3166-1 alpha-2 code of a geometry, "" if it has none.
func codeOf(g *geometry) string {
	if code, ok := nameless[g.Properties.Name]; ok {
		return code
	}
	r, err := language.ParseRegion(g.ID)
	if err != nil || geo.CountryName(r.String()) == "" {
		return ""
	}
	return r.String()
}

// nameless are what Natural Earth draws as territories of their own and ISO 3166-1 has no code for: they are drawn with the
// country that the maps of the United Nations show them in.
var nameless = map[string]string{"Somaliland": "SO", "N. Cyprus": "CY", "Kosovo": "XK"}

// moved are polygons that are drawn with another country than in Natural Earth: parts of a country that have their own code
// in ISO 3166-1, and what the United Nations regard as another country's (General Assembly resolution 68/262). The box is
// west, south, east, north.
var moved = []struct {
	from, to string
	box      [4]float64
}{
	{"RU", "UA", [4]float64{32, 44, 37, 46.5}},
	{"FR", "GF", [4]float64{-56, 1, -50, 7}},
	{"FR", "GP", [4]float64{-62, 15.7, -60.9, 16.7}},
	{"FR", "MQ", [4]float64{-61.4, 14.2, -60.7, 15}},
	{"FR", "RE", [4]float64{55, -22, 56, -20}},
	{"FR", "YT", [4]float64{44.8, -13.2, 45.5, -12.4}},
	{"NO", "SJ", [4]float64{-10, 70.5, -7, 71.5}},
	{"NO", "SJ", [4]float64{9, 74, 36, 82}},
	{"NL", "BQ", [4]float64{-69, 11.9, -62.5, 18}},
}
