package chart

import "html/template"

// Bar is one row of a ranking.
type Bar struct {
	Label string
	Value float64 // not negative
	Text  string  // the value as it is written
}

// Bars draws ranked bars, in the order given: over each its label and its figure.
func Bars(w Words, bars []Bar) template.HTML {
	const row = 36
	c := open(w, "", "", float64(max(1, len(bars))*row), 100)
	largest := 0.0
	for _, b := range bars {
		if finite(b.Value) {
			largest = max(largest, b.Value)
		}
	}
	for i, b := range bars {
		y := float64(i * row)
		c.text(0, y+14, start, "", b.Label)
		c.text(100, y+14, end, "chart-figure", b.Text)
		c.rect(0, y+20, 100, 8, fill{class: "chart-track"}, "")
		if finite(b.Value) && b.Value > 0 {
			c.rect(0, y+20, 100*b.Value/largest, 8, fill{class: "chart-a"}, b.Label+": "+b.Text)
		}
	}
	return c.close()
}
