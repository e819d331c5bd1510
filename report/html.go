package report

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"io"
	"sync"
	"time"

	xmessage "golang.org/x/text/message"

	"rempart/catalogue"
	"rempart/chart"
	"rempart/measure"
	"rempart/message"
)

//go:embed page/study.html page/study.css
var pages embed.FS

// style is what stands in the page's one style element.
var style = sync.OnceValue(func() string {
	b, err := pages.ReadFile("page/study.css")
	if err != nil {
		panic(err) // embedded: a test reads it
	}
	return "\n" + string(b) + chart.CSS
})

// StyleSource is the page's style element as a content security policy allows it (CSP level 3, hash source).
func StyleSource() string {
	sum := sha256.Sum256([]byte(style()))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// studyPage is what the template shows: the study, and each of its parts as a chart with the table behind it.
type studyPage struct {
	*Study
	Lang         string
	Style        template.CSS
	Last         time.Time // the last day or hour that belongs to the period
	Summary      table
	Volumes      []titled
	VolumeTable  table
	Types        template.HTML
	TypeTable    table
	ActionTable  table
	Map          template.HTML
	Boundaries   string
	SourceCounts table
	Sources      []titled
	Routes       template.HTML
	RouteTable   table
}

// titled is one chart, one table or both under a title.
type titled struct {
	Title string
	Chart template.HTML
	Table table
}

type table struct {
	Caption string
	Columns []column
	Rows    [][]string
}

type column struct {
	Title  string
	Number bool
}

// writer makes a page in one language.
type writer struct {
	*Study
	words   *catalogue.Catalogue
	numbers *xmessage.Printer
}

// WriteHTML writes the study as one page in English.
func (s *Study) WriteHTML(w io.Writer) error {
	words := catalogue.English()
	p := &writer{s, words, xmessage.NewPrinter(words.Tag)}
	t, err := template.New("study.html").Funcs(p.functions()).ParseFS(pages, "page/study.html")
	if err != nil {
		return fmt.Errorf("read page: %w", err)
	}
	if err := t.Execute(w, p.page()); err != nil {
		return fmt.Errorf("write study: %w", err)
	}
	return nil
}

func (w *writer) functions() template.FuncMap {
	return template.FuncMap{
		"t": func(key string, args ...any) (string, error) {
			if !w.words.Has(key) {
				return "", errors.New("catalogue lacks " + key)
			}
			return w.words.Say(key, args...), nil
		},
		"num":   w.num,
		"pct":   w.share,
		"stamp": func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") },
		"day":   func(t time.Time) string { return t.UTC().Format("2006-01-02") },
	}
}

func (w *writer) page() studyPage {
	p := studyPage{Study: w.Study, Lang: w.words.Tag.String(), Style: template.CSS(style()), Last: w.To.Add(-time.Second), Boundaries: chart.Disclaimer}
	if len(w.Channels) == 0 {
		return p
	}
	p.Summary, p.SourceCounts = w.summary(), w.sourceCounts()
	p.Volumes, p.VolumeTable = w.volumeCharts(), w.volumeTable()
	p.Types, p.TypeTable, p.ActionTable = w.typeChart(), w.typeTable(), w.actionTable()
	p.Map = w.sourceMap()
	for _, k := range w.Together.kinds() {
		p.Sources = append(p.Sources, titled{w.words.Say("study.title_" + k.name), w.sourceBars(k.name, k.list), w.sourceTable(k.name, k.list)})
	}
	p.Routes, p.RouteTable = w.routeChart(), w.routeTable()
	return p
}

func (w *writer) num(v any) string { return w.numbers.Sprintf("%d", v) }

// share is a part of a whole, with no more digits than are worth reading.
func (w *writer) share(part, whole uint64) string {
	if whole == 0 {
		return "–"
	}
	return catalogue.Percent(float64(part) / float64(whole))
}

// columns are titles of the catalogue; those behind a * are numbers.
func (w *writer) columns(keys ...string) (out []column) {
	for _, key := range keys {
		number := key[0] == '*'
		if number {
			key = key[1:]
		}
		out = append(out, column{w.words.Say("study.column_" + key), number})
	}
	return out
}

func (w *writer) channel(ch message.Channel) string { return w.words.Say("channel." + ch.String()) }

// place is a name as tallies have it, with what it is called.
func (w *writer) place(name, label string) string {
	switch {
	case name == measure.Unknown:
		return w.words.Say("unknown_source")
	case label != "":
		return name + " " + catalogue.Seen(label)
	}
	return catalogue.Seen(name)
}

// atMost is the bound of an error.
func (w *writer) atMost(n uint64) string {
	if n == 0 {
		return w.words.Say("exact")
	}
	return "−" + w.num(n)
}
