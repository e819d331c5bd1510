package console

import (
	"html/template"

	"rempart/chart"
	"rempart/measure"
	"rempart/report"
)

// picture is a chart on a page, with what must be said under it.
type picture struct {
	SVG  template.HTML
	Note string
}

func (c *Console) figure(v float64) string { return c.numbers().count(uint64(v)) }

// countryMap shows how much spam comes from each country.
func (c *Console) countryMap(spam []measure.Count) picture {
	values := map[string]float64{}
	for _, s := range spam {
		if s.Name != measure.Unknown {
			values[s.Name] = float64(s.Messages)
		}
	}
	land := c.land()
	words := chart.Words{ID: "map", Title: c.words.Say("study.map_title"), Description: c.words.Say("page.sources.map")}
	p := picture{SVG: chart.Map(words, land.Map(), values, c.figure, c.words.Say("study.none_here")), Note: chart.Disclaimer}
	if land.Invented() {
		p.Note = c.words.Say("study.map_invented")
	}
	return p
}

// flows shows who hands to whom.
func (c *Console) flows(edges []measure.EdgeCount, spam map[measure.Edge]uint64) picture {
	var list []chart.Edge
	for _, e := range edges {
		list = append(list, chart.Edge{From: c.station(e.From), By: c.station(e.By), Value: float64(e.Messages),
			Spam: float64(min(spam[e.Edge], e.Messages)) / float64(max(e.Messages, 1)), Trusted: e.Trusted})
	}
	if len(list) == 0 {
		return picture{}
	}
	words := chart.Words{ID: "routes", Title: c.words.Say("table.routes"), Description: c.words.Say("page.routes.sub")}
	return picture{SVG: report.RouteMap(words, list, c.words, c.figure)}
}

// station is what a place on a route is called.
func (c *Console) station(name string) string {
	if name == measure.Unknown {
		return c.words.Say("unknown_source")
	}
	if known := c.networkName(name); known != "" {
		return name + " " + seen(known)
	}
	return seen(name)
}
