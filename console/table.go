package console

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"path"
	"strconv"

	"rempart/catalogue"
	"rempart/report"
)

// table is rows that are shown as HTML and given as CSV and JSON. Titles are catalogue texts under "column".
type table struct {
	Name    string // its caption is "table.NAME"
	Path    string // of its own page, with query: the exports lie beside it
	Columns []column
	Rows    [][]cell
	Next    string // URL of the next page; empty: this is the last
	Empty   string // key of what to say where there are no rows
}

type column struct {
	Key    string
	Number bool
	Hidden bool // only exported
}

// heading is a column with what each of its cells repeats, made once: a table may have thousands of cells.
type heading struct {
	column
	Title string
	Class string // of its cells
}

func headed(words *catalogue.Catalogue, list []column) []heading {
	out := make([]heading, len(list))
	for i, c := range list {
		out[i] = heading{c, words.Say("column." + c.Key), "c-" + c.Key}
		if c.Number {
			out[i].Class = "n " + out[i].Class
		}
	}
	return out
}

// cell is shown as Text and exported as Value (Text if nil).
type cell struct {
	Text   string
	Value  any
	Link   string
	Mark   string  // a class of the style sheet: "spam", "ham", "ok", "warn", "bad", "code"
	Note   string  // small print under it
	Bar    float64 // 0 to 1: a bar under the figure
	HasBar bool
}

// CSV and JSON are the URLs of the exports.
func (t table) CSV() string  { return exportPath(t.Path, ".csv") }
func (t table) JSON() string { return exportPath(t.Path, ".json") }

func exportPath(p, ext string) string {
	u, err := url.Parse(p)
	if err != nil {
		return p
	}
	u.Path += ext
	return u.String()
}

// serveTable answers a request for the table's page or one of its exports.
func (c *Console) serveTable(w http.ResponseWriter, r *http.Request, t table, page string, data any) error {
	switch path.Ext(r.URL.Path) {
	case ".csv":
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		w.Header().Set("Content-Disposition", `attachment; filename="rempart-`+t.Name+`.csv"`)
		return t.writeCSV(w)
	case ".json":
		w.Header().Set("Content-Type", "application/json")
		return t.writeJSON(w)
	}
	return c.render(w, r, page, data)
}

func (t table) writeCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	line := make([]string, len(t.Columns))
	for i, col := range t.Columns {
		line[i] = col.Key
	}
	if err := out.Write(line); err != nil {
		return err
	}
	for _, row := range t.Rows {
		for i := range t.Columns {
			line[i] = report.Plain(row[i].value())
		}
		if err := out.Write(line); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func (c cell) value() any {
	if c.Value != nil {
		return c.Value
	}
	return c.Text
}

type tableJSON struct {
	Table string            `json:"table"`
	Rows  []json.RawMessage `json:"rows"`
	Next  string            `json:"next,omitempty"`
}

func (t table) writeJSON(w io.Writer) error {
	out := tableJSON{Table: t.Name, Rows: []json.RawMessage{}}
	if t.Next != "" {
		out.Next = exportPath(t.Next, ".json")
	}
	for _, row := range t.Rows {
		b := []byte{'{'}
		for i, col := range t.Columns {
			if i > 0 {
				b = append(b, ',')
			}
			v, err := json.Marshal(row[i].value())
			if err != nil {
				return err
			}
			b = append(strconv.AppendQuote(b, col.Key), ':')
			b = append(b, v...)
		}
		out.Rows = append(out.Rows, append(b, '}'))
	}
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(out)
}
