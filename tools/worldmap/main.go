// Command worldmap writes the map that third_party/naturalearth embeds: of every country its code, name, centre and
// outline, from the TopoJSON files of world-atlas. The second file has the countries that are too small for the first.
//
//	worldmap countries-50m.json countries-10m.json > world.tsv
package main

import (
	"bufio"
	"fmt"
	"log"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"

	"rempart/geo"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: worldmap countries-50m.json countries-10m.json")
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		log.Fatal(err)
	}
}

const (
	tolerance = 0.08 // degrees, of the outlines: a fifth of a unit of the map
	smallest  = 0.06 // square units: islands below are left out beside larger ones
	tiny      = 1.6  // square units: a country below is a dot
)

func run(path, detailed string) error {
	countries, err := read(path, tolerance)
	if err != nil {
		return err
	}
	small, err := read(detailed, 0)
	if err != nil {
		return err
	}
	for code, c := range small {
		if countries[code] == nil {
			countries[code] = c
		}
	}
	w := bufio.NewWriter(os.Stdout)
	for _, code := range slices.Sorted(maps.Keys(countries)) {
		c := countries[code]
		if c.path, err = c.draw(); err != nil {
			return fmt.Errorf("%s: %w", code, err)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", code, geo.CountryName(code), figure(c.centre[0]), figure(c.centre[1]), c.path)
	}
	return w.Flush()
}

// country is what is drawn of one.
type country struct {
	rings  [][]point // in degrees
	centre point     // in units of the map, like path
	path   string
}

// read collects the rings of each country; where two pieces of one meet, the line between them goes.
func read(path string, tolerance float64) (map[string]*country, error) {
	t, arcs, err := readTopology(path)
	if err != nil {
		return nil, err
	}
	full := slices.Clone(arcs)
	for i, arc := range arcs {
		if less := simplify(arc, tolerance); len(less) > 3 || arc[0] != arc[len(arc)-1] { // an island keeps its form
			arcs[i] = less
		}
	}
	pieces := map[string][]polygon{}
	for i := range t.Objects.Countries.Geometries {
		g := &t.Objects.Countries.Geometries[i]
		list, err := g.polygons()
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", path, g.Properties.Name, err)
		}
		code := codeOf(g)
		if code == "" || code == "AQ" {
			continue
		}
		for _, p := range list {
			to := owner(code, join(p[0], arcs))
			pieces[to] = append(pieces[to], p)
		}
	}
	countries := map[string]*country{}
	for code, list := range pieces {
		c := &country{}
		for _, ring := range dissolve(list, arcs) {
			outline := join(ring, arcs)
			if len(outline) < 3 { // too small to be simplified
				outline = join(ring, full)
			}
			c.rings = append(c.rings, unwrap(outline))
		}
		countries[code] = c
	}
	return countries, nil
}

// owner is the country that a polygon is drawn with.
func owner(code string, ring []point) string {
	for _, m := range moved {
		if m.from == code && !slices.ContainsFunc(ring, func(p point) bool {
			return p[0] < m.box[0] || p[1] < m.box[1] || p[0] > m.box[2] || p[1] > m.box[3]
		}) {
			return m.to
		}
	}
	return code
}

// join is the line of the arcs of a ring, without the last point, which is the first.
func join(ring []int, arcs [][]point) (line []point) {
	for _, i := range ring {
		arc := arcs[max(i, ^i)]
		if i < 0 {
			arc = slices.Clone(arc)
			slices.Reverse(arc)
		}
		line = append(line, arc[:len(arc)-1]...)
	}
	return line
}

// dissolve makes the rings of all polygons together: an arc that runs both ways lies between two of them and goes.
func dissolve(list []polygon, arcs [][]point) (rings [][]int) {
	used := map[int]bool{}
	for _, p := range list {
		for _, ring := range p {
			for _, arc := range ring {
				used[arc] = true
			}
		}
	}
	end := func(arc int, last bool) point { // modulo whole turns
		line := arcs[max(arc, ^arc)]
		p := line[0]
		if (arc >= 0) == last {
			p = line[len(line)-1]
		}
		return point{math.Round(math.Mod(p[0]+720, 360) * 1e4), math.Round(p[1] * 1e4)}
	}
	var loose []int
	for _, p := range list {
		for _, ring := range p {
			if !slices.ContainsFunc(ring, func(arc int) bool { return used[^arc] }) {
				rings = append(rings, ring)
				continue
			}
			for _, arc := range ring {
				if !used[^arc] {
					loose = append(loose, arc)
				}
			}
		}
	}
	for len(loose) > 0 {
		ring := []int{loose[0]}
		loose = loose[1:]
		for end(ring[len(ring)-1], true) != end(ring[0], false) {
			next := slices.IndexFunc(loose, func(arc int) bool { return end(arc, false) == end(ring[len(ring)-1], true) })
			if next < 0 {
				break // the ring is closed by a straight line
			}
			ring = append(ring, loose[next])
			loose = slices.Delete(loose, next, next+1)
		}
		rings = append(rings, ring)
	}
	return rings
}

// draw writes the outline as path data and finds the centre: of the largest piece.
func (c *country) draw() (string, error) {
	var pieces [][]point
	largest := 0.0
	sum := 0.0
	for _, ring := range c.rings {
		for _, part := range cut(ring) {
			for i, p := range part {
				part[i] = project(p)
			}
			size, centre := area(part)
			sum += size
			if len(pieces) == 0 || size > largest {
				largest, c.centre = size, centre
			}
			pieces = append(pieces, part)
		}
	}
	if len(pieces) == 0 {
		return "", fmt.Errorf("has no outline")
	}
	if sum < tiny {
		return "", nil
	}
	var b []byte
	for _, p := range pieces {
		if size, _ := area(p); size >= smallest || size == largest {
			b = appendRing(b, p)
		}
	}
	return string(b), nil
}

// appendRing writes a ring in tenths of a unit, relative to the point before.
func appendRing(b []byte, ring []point) []byte {
	var x, y int
	n := 0
	start := len(b)
	for _, p := range ring {
		px, py := int(math.Round(p[0]*10)), int(math.Round(p[1]*10))
		switch {
		case n == 0:
			b = append(b, 'M')
		case px == x && py == y:
			continue
		case n == 1:
			b = append(b, 'l')
		}
		dx, dy := px-x, py-y
		if n == 0 {
			dx, dy = px, py
		}
		b = appendPair(b, dx, dy, n > 1)
		x, y = px, py
		n++
	}
	if n < 3 {
		return b[:start]
	}
	return append(b, 'z')
}

// appendPair writes two tenths as short as SVG allows; a blank stands before the first where one is needed.
func appendPair(b []byte, x, y int, blank bool) []byte {
	for _, v := range [...]int{x, y} {
		if blank && v >= 0 {
			b = append(b, ' ')
		}
		blank = true
		b = append(b, figure(float64(v)/10)...)
	}
	return b
}

// figure writes a number with at most one decimal.
func figure(v float64) string {
	s := strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64)
	switch {
	case s == "-0":
		return "0"
	case len(s) > 2 && s[:2] == "0.":
		return s[1:]
	case len(s) > 3 && s[:3] == "-0.":
		return "-" + s[2:]
	}
	return s
}
