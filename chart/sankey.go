package chart

import (
	"cmp"
	"html/template"
	"slices"
)

// FlowWords are the words of a Sankey diagram.
type FlowWords struct {
	Words
	Other   string // those that are not among the largest
	Trusted string // legend of what was seen
	Claimed string // legend of what is only claimed
	Spam    string // legend of the figures on the bands: share of spam
}

// The box in user units: text of 13 units is readable on a telephone, where the box is about 360 pixels wide.
const (
	flowWidth = 480
	flowTall  = 220 // of the largest layer, without gaps
	stopWidth = 8
	stopLeast = 30 // room for two lines of text
	stopGap   = 10
	flowTop   = 48 // the legend stands above
)

// Sankey draws who hands to whom: bands as wide as the values, solid where trusted, striped where only claimed, darker the
// more of it is spam, with that share written on them. Only the largest names are drawn, the rest as one. format writes
// a value, share a part of 1.
func Sankey(w FlowWords, edges []Edge, largest int, format, share func(float64) string) template.HTML {
	f := flowOf(edges, largest, w.Other)
	scale, height := f.place()
	c := open(w.Words, "chart-flow", "0 0 480 "+number(flowTop+height+4), 0, flowWidth)
	c.flowLegend(w)
	last := 1
	for _, s := range f.stops {
		last = max(last, s.layer)
	}
	x := func(s *stop) float64 { return float64(s.layer) * (flowWidth - stopWidth) / float64(last) }
	for _, l := range f.links {
		c.band(w, l, x(l.from)+stopWidth, x(l.to), max(1, l.Value*scale), format, share)
	}
	for _, s := range f.stops {
		c.rect(x(s), flowTop+s.y, stopWidth, max(2, s.value()*scale), fill{class: "chart-stop"}, s.name+": "+format(s.value()))
	}
	for _, l := range f.links {
		if l.Value*scale >= 12 {
			begin, length := x(l.from)+stopWidth, x(l.to)-x(l.from)-stopWidth
			along := .66 / float64(l.to.layer-l.from.layer) // behind the name of the stop, before the next layer
			c.text(begin+along*length, flowTop+l.yFrom+fallen(along)*(l.yTo-l.yFrom)+4, middle, "chart-on", share(l.Spam))
		}
	}
	for _, s := range f.stops {
		at, anchor := x(s)+stopWidth+4, start
		if s.layer == last {
			at, anchor = x(s)-4, end
		}
		name := s.name
		if s.again {
			name = "↺ " + name
		}
		c.text(at, flowTop+s.y+12, anchor, "chart-on", name)
		c.text(at, flowTop+s.y+26, anchor, "chart-on chart-figure", format(s.value()))
	}
	return c.close()
}

func (c *canvas) flowLegend(w FlowWords) {
	for i, entry := range []struct{ text, dash string }{{w.Trusted, "none"}, {w.Claimed, "6 4"}} {
		c.line(float64(i)*flowWidth/2, 10, 28, entry.dash)
		c.text(float64(i)*flowWidth/2+34, 14, start, "", entry.text)
	}
	c.text(0, 34, start, "", "% "+w.Spam)
}

// line writes a piece of a band for the legend.
func (c *canvas) line(x, y, length float64, dash string) {
	from, to := x, x+length
	if c.mirror != 0 {
		from, to = c.mirror-from, c.mirror-to
	}
	c.element(`<path d="M%v %vH%v" class="chart-flow-2" fill="none" stroke-width="10" stroke-dasharray="%v"/>`, from, y, to, dash)
}

// band writes one link.
func (c *canvas) band(w FlowWords, l *link, from, to, width float64, format, share func(float64) string) {
	if c.mirror != 0 {
		from, to = c.mirror-from, c.mirror-to
	}
	class, dash, kind := "chart-flow-1", "none", w.Trusted
	switch {
	case l.Spam >= .5:
		class = "chart-flow-3"
	case l.Spam >= .1:
		class = "chart-flow-2"
	}
	if !l.Trusted {
		dash, kind = "6 4", w.Claimed
	}
	half := (from + to) / 2
	c.element(`<path d="M%v %vC%v %v %v %v %v %v"`, from, flowTop+l.yFrom, half, flowTop+l.yFrom, half, flowTop+l.yTo, to, flowTop+l.yTo)
	c.element(` class="%v" fill="none" stroke-width="%v" stroke-dasharray="%v">`, class, width, dash)
	c.element("<title>%v → %v: %v, %v %v, %v</title></path>", l.From, l.By, format(l.Value), share(l.Spam), w.Spam, kind)
}

// fallen is the part of its height that the curve of a band has done after a part of its length: of the Bezier curve from
// 0,0 over .5,0 and .5,1 to 1,1 the y for an x.
func fallen(x float64) float64 {
	low, high := 0.0, 1.0
	for range 20 {
		if t := (low + high) / 2; 1.5*t-1.5*t*t+t*t*t < x {
			low = t
		} else {
			high = t
		}
	}
	return low * low * (3 - 2*low)
}

// place sets the stops of each layer below each other, so that few bands cross, and the bands at their stops. It answers
// units per value and the height of all.
func (f *flow) place() (scale, height float64) {
	layers := map[int][]*stop{}
	sums := map[int]float64{}
	most, deepest := 0.0, 0
	for _, s := range f.stops {
		layers[s.layer] = append(layers[s.layer], s)
		sums[s.layer] += s.value()
		most, deepest = max(most, sums[s.layer]), max(deepest, s.layer)
	}
	if most == 0 {
		return 0, stopLeast
	}
	scale = flowTall / most
	stack := func(layer []*stop) {
		y := 0.0
		for _, s := range layer {
			s.y = y
			y += max(stopLeast, s.value()*scale) + stopGap
		}
		height = max(height, y)
	}
	for layer := 0; layer <= deepest; layer++ {
		slices.SortStableFunc(layers[layer], func(a, b *stop) int { return cmp.Compare(b.value(), a.value()) })
		stack(layers[layer])
	}
	for range 4 { // there and back, twice
		for layer := 1; layer <= deepest; layer++ {
			f.untangle(layers[layer], func(l *link) (*stop, *stop) { return l.to, l.from })
			stack(layers[layer])
		}
		for layer := deepest - 1; layer >= 0; layer-- {
			f.untangle(layers[layer], func(l *link) (*stop, *stop) { return l.from, l.to })
			stack(layers[layer])
		}
	}
	f.attach(scale)
	return scale, height
}

// untangle orders a layer by the middle of what its stops are linked with on one side.
func (f *flow) untangle(layer []*stop, sides func(*link) (mine, its *stop)) {
	weight, sum := map[*stop]float64{}, map[*stop]float64{}
	for _, l := range f.links {
		mine, its := sides(l)
		weight[mine] += l.Value
		sum[mine] += l.Value * its.y
	}
	key := func(s *stop) float64 {
		if weight[s] == 0 {
			return s.y
		}
		return sum[s] / weight[s]
	}
	slices.SortStableFunc(layer, func(a, b *stop) int { return cmp.Compare(key(a), key(b)) })
}

// attach sets where the bands leave and meet their stops, ordered by where they come from and go to.
func (f *flow) attach(scale float64) {
	used := map[*stop]float64{}
	links := slices.Clone(f.links)
	slices.SortStableFunc(links, func(a, b *link) int { return cmp.Compare(a.to.y, b.to.y) })
	for _, l := range links {
		l.yFrom = l.from.y + used[l.from] + l.Value*scale/2
		used[l.from] += l.Value * scale
	}
	clear(used)
	slices.SortStableFunc(links, func(a, b *link) int { return cmp.Compare(a.from.y, b.from.y) })
	for _, l := range links {
		l.yTo = l.to.y + used[l.to] + l.Value*scale/2
		used[l.to] += l.Value * scale
	}
}
