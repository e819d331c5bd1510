package report

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"rempart/chart"
	"rempart/measure"
	"rempart/message"
)

// picture are the words of a chart: its id is unlike for every chart of the page.
func (w *writer) picture(id, title, description string) chart.Words {
	return chart.Words{ID: id, Title: title, Description: description}
}

func (w *writer) figure(v float64) string { return w.num(uint64(v)) }

// volumeCharts is one picture a channel. Of a single hour or day there is none: the table says it.
func (w *writer) volumeCharts() (out []titled) {
	if len(w.Series) < 2 {
		return nil
	}
	layout := "01-02 15:04"
	if w.Step == Daily {
		layout = "2006-01-02"
	}
	for _, f := range w.Channels {
		honest, spam := chart.Series{Name: w.words.Say("study.honest")}, chart.Series{Name: w.words.Say("study.spam_series")}
		for _, slot := range w.Series {
			v := slot.Channels[f.Channel]
			honest.Points = append(honest.Points, sample(slot.Time, v.Ham))
			spam.Points = append(spam.Points, sample(slot.Time, v.Spam))
		}
		title := w.channel(f.Channel)
		words := w.picture("volume-"+f.Channel.String(), title, w.words.Say("study.volume_"+string(w.Step))+". "+w.words.Say("study.headline", title, w.num(f.Spam), w.num(f.Messages)))
		out = append(out, titled{Title: title, Chart: chart.Lines(words, []chart.Series{honest, spam}, w.figure, func(t time.Time) string { return t.UTC().Format(layout) })})
	}
	return out
}

func sample(at time.Time, n uint64) chart.Sample {
	return chart.Sample{At: at, Value: float64(n), Low: float64(n), High: float64(n)}
}

// typeChart is the purposes of spam, a row a channel.
func (w *writer) typeChart() template.HTML {
	var names []string
	for c := message.CategoryUnknown; c <= message.OtherSpam; c++ {
		names = append(names, w.category(c))
	}
	var rows []chart.Row
	for _, f := range w.Channels {
		if f.Spam == 0 {
			continue
		}
		row := chart.Row{Label: w.channel(f.Channel), Text: w.num(f.Spam), Parts: make([]float64, len(names))}
		for _, c := range f.Categories {
			row.Parts[c.Category-message.CategoryUnknown] = float64(c.Messages) / float64(f.Spam)
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return ""
	}
	return chart.Stack(w.picture("types", w.words.Say("study.types"), w.words.Say("study.types_sub")), names, rows,
		func(part float64) string { return fmt.Sprintf("%.0f %%", 100*part) })
}

// sourceMap is where spam comes from.
func (w *writer) sourceMap() template.HTML {
	values := map[string]float64{}
	for _, c := range w.Together.Countries {
		if c.Name != measure.Unknown && c.Spam > 0 {
			values[c.Name] = float64(c.Spam)
		}
	}
	words := w.picture("map", w.words.Say("study.map_title"), w.words.Say("study.sources_sub")+". "+w.leaders(w.Together.Countries))
	return chart.Map(words, w.Land.Map(), values, w.figure, w.words.Say("study.none_here"))
}

// leaders says the first three of a ranking in words.
func (w *writer) leaders(list []Source) string {
	var parts []string
	for _, s := range list[:min(3, len(list))] {
		parts = append(parts, fmt.Sprintf("%s: %s", w.place(s.Name, s.Label), w.num(s.Messages)))
	}
	return strings.Join(parts, ", ")
}

// sourceBars is a ranking by messages.
func (w *writer) sourceBars(kind string, list []Source) template.HTML {
	var bars []chart.Bar
	for _, s := range list[:min(tableRows, len(list))] {
		text := fmt.Sprintf("%s (%s %s)", w.num(s.Messages), w.share(s.Spam, s.Messages), w.words.Say("study.spam_series"))
		bars = append(bars, chart.Bar{Label: w.place(s.Name, s.Label), Value: float64(s.Messages), Text: text})
	}
	if len(bars) == 0 {
		return ""
	}
	return chart.Bars(w.picture("bars-"+kind, w.words.Say("study.title_"+kind), w.leaders(list)), bars)
}

// routeChart is who hands to whom.
func (w *writer) routeChart() template.HTML {
	var edges []chart.Edge
	for _, e := range w.Together.Edges {
		edges = append(edges, chart.Edge{From: w.place(e.From, e.FromLabel), By: w.place(e.By, e.ByLabel), Value: float64(e.Messages),
			Spam: float64(e.Spam) / float64(max(e.Messages, 1)), Trusted: e.Trusted})
	}
	return RouteMap(w.picture("routemap", w.words.Say("study.routes_title"), w.words.Say("study.routes_sub")), edges, w.words, w.figure)
}
