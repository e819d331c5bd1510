package chart

import "fmt"

// fill is how an area looks: a colour and, so that no meaning rests on that alone, a pattern on it.
type fill struct {
	class   string // of the colour; chart.css has it
	pattern int    // index in patterns; 0 is plain
}

// patterns are drawn over a colour in tiles of 8 x 8.
var patterns = [...]string{
	"",
	"M0 8L8 0M-2 2L2-2M6 10L10 6",
	"M2 2h1v1h-1zM6 6h1v1h-1z",
	"M0 0L8 8M-2 6L2 10M6-2L10 2",
	"M0 4H8",
	"M4 0V8",
	"M0 4H8M4 0V8",
	"M0 8L8 0M0 0L8 8",
}

// categories are the looks of the parts of a whole, the first ones the most unlike.
var categories = func() (list []fill) {
	for i := range patterns {
		list = append(list, fill{fmt.Sprintf("chart-%c", 'a'+i), i})
	}
	return list
}()

// steps are the looks of a figure from low to high: darker and denser.
var steps = []fill{{"chart-step-1", 0}, {"chart-step-2", 2}, {"chart-step-3", 4}, {"chart-step-4", 1}, {"chart-step-5", 7}}

// define writes the patterns of the looks that a chart uses.
func (c *canvas) define(fills []fill) {
	c.WriteString("<defs>")
	for _, f := range fills {
		if f.pattern == 0 {
			continue
		}
		c.element(`<pattern id="%v" width="8" height="8" patternUnits="userSpaceOnUse"><rect width="8" height="8" class="%v"/>`, f.id(c.words.ID), f.class)
		c.element(`<path d="%v" class="chart-ink" fill="none"/></pattern>`, patterns[f.pattern])
	}
	c.WriteString("</defs>")
}

func (f fill) id(chart string) string { return chart + "-" + f.class }

// attributes are those of an element with this look.
func (f fill) attributes(chart string) string {
	if f.pattern == 0 {
		return fmt.Sprintf(` class="%s"`, f.class)
	}
	return fmt.Sprintf(` class="chart-pattern" fill="url(#%s)"`, escape(f.id(chart)))
}
