package chart

import "html/template"

// Row is one bar of a stack: the parts of a whole.
type Row struct {
	Label string
	Text  string    // the whole as it is written
	Parts []float64 // not negative, in the order of the names; their sum is the whole bar
}

// Stack draws bars of equal length that show shares: how a whole is made up of the named parts. Names beyond the eighth
// share its look. share writes a part of 1; it stands in every part wide enough.
func Stack(w Words, names []string, rows []Row, share func(float64) string) template.HTML {
	const line, row, wide = 22, 48, .12
	legend := float64((len(names) + 1) / 2 * line)
	c := open(w, "", "", legend+float64(len(rows)*row)+4, 100)
	c.define(categories)
	look := func(i int) fill { return categories[min(i, len(categories)-1)] }
	for i, name := range names {
		x, y := float64(i%2)*50, float64(i/2*line)
		c.rect(x, y+4, 6, 14, look(i), "")
		c.text(x+8, y+16, start, "", name)
	}
	for i, r := range rows {
		y := legend + float64(i*row)
		c.text(0, y+16, start, "", r.Label)
		c.text(100, y+16, end, "chart-figure", r.Text)
		sum := 0.0
		for _, part := range r.Parts {
			if finite(part) {
				sum += max(0, part)
			}
		}
		x := 0.0
		for j, part := range r.Parts {
			if !finite(part) || part <= 0 || j >= len(names) {
				continue
			}
			width := 100 * part / sum
			c.rect(x, y+22, width, 20, look(j), names[j]+": "+share(part/sum))
			if part/sum >= wide {
				c.text(x+width/2, y+37, middle, "chart-on", share(part/sum))
			}
			x += width
		}
	}
	return c.close()
}
