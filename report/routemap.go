package report

import (
	"fmt"
	"html/template"

	"rempart/catalogue"
	"rempart/chart"
)

// routePlaces is how many places a picture of routes names.
const routePlaces = 16

// RouteMap draws who hands to whom, in the words of a catalogue.
func RouteMap(words chart.Words, edges []chart.Edge, c *catalogue.Catalogue, figure func(float64) string) template.HTML {
	return chart.Sankey(chart.FlowWords{Words: words, Other: c.Say("study.others"), Trusted: c.Say("trust.trusted"), Claimed: c.Say("trust.claimed"),
		Spam: c.Say("column.share")}, edges, routePlaces, figure, func(part float64) string { return fmt.Sprintf("%.0f %%", 100*part) })
}
