package main

import "math"

// unwrap takes the jumps by 360 degrees out of a line.
func unwrap(line []point) []point {
	for i := 1; i < len(line); i++ {
		for line[i][0]-line[i-1][0] > 180 {
			line[i][0] -= 360
		}
		for line[i][0]-line[i-1][0] < -180 {
			line[i][0] += 360
		}
	}
	return line
}

// cut answers the parts of a ring within -180 to 180 degrees, moved there by whole turns.
func cut(ring []point) (parts [][]point) {
	west, east := math.Inf(1), math.Inf(-1)
	for _, p := range ring {
		west, east = min(west, p[0]), max(east, p[0])
	}
	for turn := math.Floor((west + 180) / 360); turn*360-180 < east; turn++ {
		moved := make([]point, len(ring))
		for i, p := range ring {
			moved[i] = point{p[0] - turn*360, p[1]}
		}
		part := clip(clip(moved, -180, +1), 180, -1)
		if len(part) > 2 {
			parts = append(parts, part)
		}
	}
	return parts
}

// clip keeps what lies east (side +1) or west (-1) of a meridian: Sutherland and Hodgman's algorithm for one edge.
func clip(ring []point, meridian, side float64) (kept []point) {
	for i, p := range ring {
		q := ring[(i+1)%len(ring)]
		in, next := (p[0]-meridian)*side >= 0, (q[0]-meridian)*side >= 0
		if in {
			kept = append(kept, p)
		}
		if in != next {
			t := (meridian - p[0]) / (q[0] - p[0])
			kept = append(kept, point{meridian, p[1] + t*(q[1]-p[1])})
		}
	}
	return kept
}

// simplify leaves out points that lie within tolerance of the line without them (Ramer, Douglas and Peucker), at least
// keeping both ends.
func simplify(line []point, tolerance float64) []point {
	if len(line) < 3 {
		return line
	}
	a, b := line[0], line[len(line)-1]
	far, at := -1.0, 0
	for i, p := range line[1 : len(line)-1] {
		if d := distance(p, a, b); d > far {
			far, at = d, i+1
		}
	}
	if far <= tolerance {
		return []point{a, b}
	}
	first := simplify(line[:at+1], tolerance)
	return append(first[:len(first)-1:len(first)-1], simplify(line[at:], tolerance)...)
}

// distance of p from the line between a and b.
func distance(p, a, b point) float64 {
	dx, dy := b[0]-a[0], b[1]-a[1]
	t := 0.0
	if l := dx*dx + dy*dy; l > 0 {
		t = max(0, min(1, ((p[0]-a[0])*dx+(p[1]-a[1])*dy)/l))
	}
	return math.Hypot(p[0]-a[0]-t*dx, p[1]-a[1]-t*dy)
}

// area of a ring, positive whatever its direction, and its centroid.
func area(ring []point) (size float64, centre point) {
	for i, p := range ring {
		q := ring[(i+1)%len(ring)]
		cross := p[0]*q[1] - q[0]*p[1]
		size += cross / 2
		centre[0] += (p[0] + q[0]) * cross
		centre[1] += (p[1] + q[1]) * cross
	}
	if size == 0 {
		return 0, ring[0]
	}
	return math.Abs(size), point{centre[0] / (6 * size), centre[1] / (6 * size)}
}

// project is the Natural Earth projection (Patterson, Šavrič and Jenny), fitted to a box of 1000 x 500 with the land from
// 84 degrees north to 56 south.
func project(p point) point {
	const scale = 1000 / (2 * 0.8707 * math.Pi)
	lambda, phi := p[0]*math.Pi/180, p[1]*math.Pi/180
	phi2 := phi * phi
	phi4 := phi2 * phi2
	x := lambda * (0.8707 - 0.131979*phi2 + phi4*(-0.013791+phi4*(0.003971*phi2-0.001529*phi4)))
	y := phi * (1.007226 + phi2*(0.015085+phi4*(-0.044475+0.028874*phi2-0.005916*phi4)))
	return point{500 + scale*x, 275 - scale*y}
}
