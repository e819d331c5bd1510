package chart

import (
	"cmp"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"
	"time"
)

// Series is one line.
type Series struct {
	Name   string
	Points []Sample // ascending by time
}

// Sample is one figure of a series. What is not finite is a gap in the line.
type Sample struct {
	At        time.Time
	Value     float64
	Low, High float64 // the interval in which the figure lies; equal if there is none
}

// The drawing area: its height in pixels, and the share of the width that is left to the names at the end of the lines.
const (
	linesTop, linesHeight = 12, 200
	linesWidth            = 70 // percent
	labelHeight           = 16
)

// dashes tell the lines apart without colour.
var dashes = [...]string{"none", "7 4", "2 3", "9 3 2 3"}

// Lines draws series over time, oldest at the left in every language. The scale begins at 0 and has few ticks; name and last
// figure stand at the end of each line. format writes a figure, moment a time.
func Lines(w Words, series []Series, format func(float64) string, moment func(time.Time) string) template.HTML {
	c := open(w, "", "", linesTop+linesHeight+24, 0)
	from, to, most := extent(series)
	step := tick(most)
	ticks := int(math.Ceil(most / step))
	top := step * float64(max(1, ticks))
	y := func(v float64) float64 { return linesTop + linesHeight*(1-max(0, v)/top) }
	for i := range max(1, ticks) + 1 {
		v := step * float64(i)
		c.element(`<line x1="0" x2="%v%%" y1="%v" y2="%v" class="chart-grid"/>`, float64(linesWidth), y(v), y(v))
		c.text(0, y(v)-3, start, "chart-on chart-tick", format(v))
	}
	if to.After(from) {
		c.plot(series, from, to, top)
	}
	c.times(from, to, moment)
	c.ends(series, y, format)
	return c.close()
}

// extent is the time that the series span and their highest figure.
func extent(series []Series) (from, to time.Time, most float64) {
	for _, s := range series {
		for _, p := range s.Points {
			if from.IsZero() || p.At.Before(from) {
				from = p.At
			}
			if p.At.After(to) {
				to = p.At
			}
			for _, v := range []float64{p.Value, p.High} {
				if finite(v) {
					most = max(most, v)
				}
			}
		}
	}
	return from, to, most
}

// tick is a round distance of which one to four make up most.
func tick(most float64) float64 {
	if most < 1e-12 {
		return 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(most)))
	for _, step := range []float64{.25, .5, 1, 2, 5} {
		if most/(unit*step) <= 4 {
			return unit * step
		}
	}
	return unit * 10
}

// plot draws the lines and their bands in a box of 1000 x 1000 that is stretched over the area.
func (c *canvas) plot(series []Series, from, to time.Time, top float64) {
	c.element(`<svg x="0" y="%v" width="%v%%" height="%v" viewBox="0 0 1000 1000" preserveAspectRatio="none">`,
		float64(linesTop), float64(linesWidth), float64(linesHeight))
	at := func(t time.Time, v float64) string {
		return number(1000*float64(t.Sub(from))/float64(to.Sub(from))) + " " + number(1000*(1-max(0, v)/top))
	}
	for i, s := range series {
		for _, run := range runs(s.Points) {
			var upper, lower, line strings.Builder
			banded := false
			for j, p := range run {
				command := "L"
				if j == 0 {
					command = "M"
				}
				fmt.Fprint(&line, command, at(p.At, p.Value))
				fmt.Fprint(&upper, command, at(p.At, p.High))
				last := run[len(run)-1-j]
				fmt.Fprint(&lower, "L", at(last.At, last.Low))
				banded = banded || p.High > p.Low
			}
			if banded {
				c.element(`<path d="%v%vz" class="chart-band chart-line-%v"/>`, upper.String(), lower.String(), letter(i))
			}
			c.element(`<path d="%v" class="chart-line chart-line-%v" fill="none" stroke-dasharray="%v" stroke-linecap="round" vector-effect="non-scaling-stroke"/>`,
				line.String(), letter(i), dashes[i%len(dashes)])
		}
	}
	c.WriteString("</svg>")
}

// letter is the one of a series' class.
func letter(i int) string { return string(rune('a' + i%len(dashes))) }

// runs are the parts of a line between its gaps. An interval that is none counts as none.
func runs(points []Sample) (list [][]Sample) {
	var run []Sample
	for _, p := range points {
		if !finite(p.Value) {
			if run != nil {
				list = append(list, run)
			}
			run = nil
			continue
		}
		if !finite(p.Low) || !finite(p.High) || p.Low > p.High || p.Low == p.High {
			p.Low, p.High = p.Value, p.Value
		}
		run = append(run, p)
	}
	if run != nil {
		list = append(list, run)
	}
	return list
}

// times writes the first and the last moment below the area.
func (c *canvas) times(from, to time.Time, moment func(time.Time) string) {
	if from.IsZero() {
		return
	}
	c.text(0, linesTop+linesHeight+17, start, "chart-on chart-tick", moment(from))
	if to.After(from) {
		c.text(linesWidth, linesTop+linesHeight+17, end, "chart-on chart-tick", moment(to))
	}
}

// ends writes name and last figure beside the end of each line, moved so that they do not cover each other.
func (c *canvas) ends(series []Series, y func(float64) float64, format func(float64) string) {
	type label struct {
		y       float64
		i       int
		figures string
	}
	var labels []label
	for i, s := range series {
		for j := len(s.Points) - 1; j >= 0; j-- {
			if v := s.Points[j].Value; finite(v) {
				labels = append(labels, label{y(v), i, format(v)})
				break
			}
		}
	}
	slices.SortStableFunc(labels, func(a, b label) int { return cmp.Compare(a.y, b.y) })
	const needed = 2*labelHeight + 2 // two lines
	for k := range labels {
		if least := linesTop + 4.0; labels[k].y < least {
			labels[k].y = least
		}
		if k > 0 {
			labels[k].y = max(labels[k].y, labels[k-1].y+needed)
		}
	}
	below := float64(linesTop+linesHeight) - labelHeight + 8
	for k := len(labels) - 1; k >= 0; k-- {
		labels[k].y = min(labels[k].y, below)
		below = labels[k].y - needed
	}
	for _, l := range labels {
		c.element(`<line x1="%v%%" x2="%v%%" y1="%v" y2="%v" class="chart-line chart-line-%v" stroke-dasharray="%v"/>`,
			float64(linesWidth)+1, float64(linesWidth)+5, l.y, l.y, letter(l.i), dashes[l.i%len(dashes)])
		c.text(linesWidth+6, l.y+4, start, "", series[l.i].Name)
		c.text(linesWidth+6, l.y+4+labelHeight, start, "chart-figure", l.figures)
	}
}
