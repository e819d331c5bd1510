package chart

import (
	"html/template"
	"slices"
)

// tinyRadius is that of the dot that stands for a territory too small to draw.
const tinyRadius = 3.2

// Map draws a choropleth: territories in up to five steps, each with about as many of them, darker and denser hatched from
// low to high. Below it a legend says the figures of each step; every territory has its name and figure as a tooltip. A
// territory without a value is left blank, and the legend calls that none. A value whose code no shape has is not shown.
func Map(w Words, shapes []Shape, values map[string]float64, format func(float64) string, none string) template.HTML {
	known := map[string]float64{}
	for _, s := range shapes {
		if v, ok := values[s.Code]; ok && finite(v) {
			known[s.Code] = v
		}
	}
	bounds := stepsOf(known)
	c := open(w, "", "0 0 1000 500", 0, 0)
	c.define(steps)
	var dots []Shape
	for _, s := range shapes {
		if s.Path == "" {
			dots = append(dots, s)
			continue
		}
		c.element(`<path d="%v" fill-rule="evenodd"`, s.Path)
		c.territory(s, known, bounds, format)
		c.WriteString("</path>")
	}
	for _, s := range dots { // above the rest
		c.element(`<circle cx="%v" cy="%v" r="%v"`, s.Centre.X, s.Centre.Y, tinyRadius)
		c.territory(s, known, bounds, format)
		c.WriteString("</circle>")
	}
	return `<div class="chart-map">` + c.close() + legend(w, bounds, format, none) + "</div>"
}

// territory writes the look and the tooltip, and ends the tag.
func (c *canvas) territory(s Shape, values map[string]float64, bounds [][2]float64, format func(float64) string) {
	v, ok := values[s.Code]
	if !ok {
		c.element(` class="chart-land"><title>%v</title>`, s.Name)
		return
	}
	at := slices.IndexFunc(bounds, func(b [2]float64) bool { return v <= b[1] })
	c.WriteString(steps[at].attributes(c.words.ID))
	c.element(` stroke-width=".4"><title>%v: %v</title>`, s.Name, format(v))
}

// stepsOf are the lowest and highest figure of each step. Equal figures are in one step.
func stepsOf(values map[string]float64) (bounds [][2]float64) {
	var sorted []float64
	for _, v := range values {
		sorted = append(sorted, v)
	}
	slices.Sort(sorted)
	for i := 0; i < len(sorted); {
		left := len(steps) - len(bounds)
		j := i + max(1, (len(sorted)-i)/left)
		for j < len(sorted) && sorted[j] == sorted[j-1] {
			j++
		}
		bounds = append(bounds, [2]float64{sorted[i], sorted[j-1]})
		i = j
	}
	return bounds
}

// legend is an SVG of its own, so that its text keeps its size however small the map is.
func legend(w Words, bounds [][2]float64, format func(float64) string, none string) template.HTML {
	const row = 22
	entries := len(bounds) + 1
	height := float64((entries + 1) / 2 * row)
	c := open(Words{ID: w.ID + "-legend", Title: w.Title, RTL: w.RTL}, "chart-legend", "", height, 100)
	c.define(steps)
	for i := range entries {
		x, y := float64(i%2)*50, float64(i/2*row)
		look, text := fill{class: "chart-land"}, none
		if i < len(bounds) {
			look, text = steps[i], format(bounds[i][0])
			if bounds[i][0] != bounds[i][1] {
				text += " – " + format(bounds[i][1])
			}
		}
		c.rect(x, y+4, 8, 14, look, "")
		c.text(x+10, y+16, start, "", text)
	}
	return c.close()
}
