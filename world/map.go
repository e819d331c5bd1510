package world

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"rempart/chart"
)

// islandTable is where the countries lie: the middle of the main island, how far it reaches, and where its small ones are.
var islandTable = []struct {
	x, y, rx, ry float64
	small        [][3]float64 // middle, and how far
}{
	{205, 165, 155, 112, [][3]float64{{80, 300, 22}, {125, 330, 13}, {345, 72, 17}}},
	{505, 120, 126, 88, [][3]float64{{640, 60, 15}, {612, 208, 20}}},
	{800, 165, 146, 106, [][3]float64{{930, 285, 19}, {690, 262, 14}}},
	{345, 375, 136, 98, [][3]float64{{205, 440, 24}, {488, 300, 14}}},
	{680, 378, 160, 92, [][3]float64{{862, 425, 27}, {898, 372, 12}, {520, 440, 16}}},
}

// Map draws the countries, the same for the same seed.
func (w *World) Map() []chart.Shape {
	rng := rand.New(rand.NewPCG(w.cfg.Seed, mapStream))
	out := make([]chart.Shape, len(w.countries))
	for i, c := range w.countries {
		at := islandTable[i]
		var path strings.Builder
		coast(&path, rng, at.x, at.y, at.rx, at.ry, 44)
		for _, s := range at.small {
			coast(&path, rng, s[0], s[1], s[2], s[2]*0.8, 14)
		}
		out[i] = chart.Shape{Code: c.code, Name: c.name, Path: path.String(), Centre: chart.Point{X: at.x, Y: at.y}}
	}
	return out
}

// coast appends a closed curve about a middle that stays within rx and ry of it: a few waves round an ellipse, which keep
// capes and bays apart, smoothed through n points (Catmull and Rom, as cubic Bézier curves).
func coast(b *strings.Builder, rng *rand.Rand, x, y, rx, ry float64, n int) {
	var height, phase [7]float64
	sum := 0.0
	for k := range height {
		height[k], phase[k] = rng.Float64()/float64(k+2), 2*math.Pi*rng.Float64()
		sum += height[k]
	}
	points := make([][2]float64, n)
	for i := range points {
		angle := 2 * math.Pi * float64(i) / float64(n)
		r := 0.0
		for k := range height {
			r += height[k] * math.Cos(float64(k+2)*angle+phase[k])
		}
		r = 0.72 + 0.26*r/sum + 0.02*(2*rng.Float64()-1)
		points[i] = [2]float64{x + rx*r*math.Cos(angle), y + ry*r*math.Sin(angle)}
	}
	at := func(i int) [2]float64 { return points[(i+n)%n] }
	fmt.Fprintf(b, "M%.1f %.1f", points[0][0], points[0][1])
	for i := range points {
		p, q, r, s := at(i-1), at(i), at(i+1), at(i+2)
		fmt.Fprintf(b, "C%.1f %.1f %.1f %.1f %.1f %.1f", q[0]+(r[0]-p[0])/6, q[1]+(r[1]-p[1])/6, r[0]-(s[0]-q[0])/6, r[1]-(s[1]-q[1])/6, r[0], r[1])
	}
	b.WriteString("Z")
}
