package chart

import (
	_ "embed"
	"fmt"
	"html"
	"html/template"
	"math"
	"strconv"
	"strings"
)

// CSS has the colours of the charts, for light and dark and for print. It goes once into the page's own style sheet, or
// into the style element of a self-contained document.
//
//go:embed chart.css
var CSS string

// Words are what every chart says about itself, in the reader's language.
type Words struct {
	ID          string // unlike for every chart of a page: letters, digits, hyphens; patterns are named after it
	Title       string // what it shows
	Description string // the same in a sentence or two, with the main figures, for those who do not see it
	RTL         bool   // the language runs from right to left
}

// canvas collects the elements of one SVG. Positions are user units, or percent where a chart has no box of its own: then
// text keeps its size on every screen.
type canvas struct {
	strings.Builder
	words  Words
	mirror float64 // not 0: the chart is mirrored, x runs from here leftwards
	unit   string  // of x: "" or "%"
}

// open begins an SVG; class is empty or of its kind. box is the view box, or empty for one of the whole width and the given height in pixels. A chart of a
// language from right to left is mirrored if it has no direction of its own: mirror is then the width.
func open(w Words, class, box string, height, mirror float64) *canvas {
	c := &canvas{words: w}
	if box == "" {
		c.unit = "%"
	}
	direction := "ltr"
	if w.RTL && mirror != 0 {
		c.mirror = mirror
		direction = "rtl"
	}
	c.WriteString(`<svg xmlns="http://www.w3.org/2000/svg" role="img" width="100%"`)
	c.attribute("class", strings.TrimSpace("chart "+class))
	if box != "" {
		c.attribute("viewBox", box)
	} else {
		c.attribute("height", number(height))
	}
	c.attribute("direction", direction)
	c.element("><title>%v</title><desc>%v</desc>", w.Title, w.Description)
	return c
}

// element writes markup; its arguments, text or numbers, are escaped.
func (c *canvas) element(format string, args ...any) {
	for i, a := range args {
		switch a := a.(type) {
		case string:
			args[i] = escape(a)
		case float64:
			args[i] = number(a)
		}
	}
	fmt.Fprintf(c, format, args...)
}

func (c *canvas) attribute(name, value string) { c.element(" "+name+`="%s"`, value) }

func (c *canvas) close() template.HTML {
	c.WriteString("</svg>")
	return template.HTML(c.String())
}

// anchors of text, in the direction of reading.
const (
	start  = "start"
	middle = "middle"
	end    = "end"
)

// text writes s at a point; class is empty or the chart's own.
func (c *canvas) text(x, y float64, anchor, class, s string) {
	direction := ""
	switch {
	case c.mirror != 0:
		x = c.mirror - x
	case c.words.RTL: // the chart runs from left to right, its text from right to left
		direction = ` direction="rtl"`
		anchor = map[string]string{start: end, end: start, middle: middle}[anchor]
	}
	c.element(`<text x="%v%v" y="%v" class="%v" font-size="13" text-anchor="%v"`, x, c.unit, y, strings.TrimSpace("chart-text "+class), anchor)
	c.WriteString(direction)
	c.element(">%v</text>", s)
}

// rect writes a rectangle with what fill says: a class, or a pattern of this chart.
func (c *canvas) rect(x, y, width, height float64, fill fill, title string) {
	if c.mirror != 0 {
		x = c.mirror - x - width
	}
	c.element(`<rect x="%v%v" y="%v" width="%v%v" height="%v"`, x, c.unit, y, width, c.unit, height)
	c.WriteString(fill.attributes(c.words.ID))
	if title == "" {
		c.WriteString("/>")
		return
	}
	c.element("><title>%v</title></rect>", title)
}

func escape(s string) string {
	return html.EscapeString(strings.Map(func(r rune) rune { // what XML cannot hold
		if r < ' ' && r != '\t' && r != '\n' || r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, s))
}

// number writes a coordinate with at most two decimals; what is none is 0.
func number(v float64) string {
	if !finite(v) {
		v = 0
	}
	s := strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64)
	if s == "-0" {
		return "0"
	}
	return s
}

// finite says whether v is a figure that can be drawn: a number, and not beyond all counts.
func finite(v float64) bool { return math.Abs(v) <= 1e18 }
