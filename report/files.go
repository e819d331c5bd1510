package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tables are the files of a study, each a table with its columns' names in the first line.
var tables = []struct {
	name    string
	columns []string
	rows    func(*Study, func(...any))
}{
	{"volumes.csv", []string{"time", "channel", "messages", "honest", "spam"}, func(s *Study, row func(...any)) {
		for _, slot := range s.Series {
			for _, f := range s.Channels {
				v := slot.Channels[f.Channel]
				row(slot.Time, f.Channel, v.Ham+v.Spam, v.Ham, v.Spam)
			}
		}
	}},
	{"types.csv", []string{"channel", "direction", "category", "action", "messages", "recipients"}, func(s *Study, row func(...any)) {
		for _, f := range s.Channels {
			for _, v := range f.Volumes {
				row(v.Channel, v.Direction, v.Category, v.Action, v.Messages, v.Recipients)
			}
		}
	}},
	{"sources.csv", []string{"channel", "kind", "source", "name", "messages", "spam", "error", "spam_error"}, func(s *Study, row func(...any)) {
		each(s, func(channel string, p *Places) {
			for _, k := range p.kinds() {
				for _, n := range k.list {
					row(channel, k.name, n.Name, n.Label, n.Messages, n.Spam, n.Error, n.SpamError)
				}
			}
		})
	}},
	{"routes.csv", []string{"channel", "from", "from_name", "by", "by_name", "trust", "messages", "spam", "error"}, func(s *Study, row func(...any)) {
		each(s, func(channel string, p *Places) {
			for _, e := range p.Edges {
				trust := "claimed"
				if e.Trusted {
					trust = "trusted"
				}
				row(channel, e.From, e.FromLabel, e.By, e.ByLabel, trust, e.Messages, e.Spam, e.Error)
			}
		})
	}},
	{"estimates.csv", []string{"channel", "figure", "low", "high"}, func(s *Study, row func(...any)) {
		for _, f := range s.Channels {
			row(f.Channel, "sources", f.Sources.Low, f.Sources.High)
			row(f.Channel, "spam_sources", f.SpamFrom.Low, f.SpamFrom.High)
		}
	}},
}

// each visits all channels together, then each.
func each(s *Study, visit func(channel string, p *Places)) {
	visit("all", &s.Together)
	for i := range s.Channels {
		visit(s.Channels[i].Channel.String(), &s.Channels[i].Places)
	}
}

// kinds are the lists of sources with their names.
func (p *Places) kinds() []struct {
	name string
	list []Source
} {
	return []struct {
		name string
		list []Source
	}{{"countries", p.Countries}, {"networks", p.Networks}, {"senders", p.Senders}}
}

// WriteFiles writes the study as study.html and its tables as CSV into a directory that is there, and returns the files'
// paths.
func (s *Study) WriteFiles(dir string) (paths []string, err error) {
	write := func(name string, fill func(io.Writer) error) error {
		path := filepath.Join(dir, name)
		f, err := os.Create(path)
		if err != nil {
			return err
		}
		err = fill(f)
		if e := f.Close(); err == nil {
			err = e
		}
		if err != nil {
			return fmt.Errorf("write %s: %w", path, err)
		}
		paths = append(paths, path)
		return nil
	}
	if err := write("study.html", s.WriteHTML); err != nil {
		return paths, err
	}
	for _, t := range tables {
		err := write(t.name, func(w io.Writer) error {
			return writeTable(w, t.columns, func(row func(...any)) { t.rows(s, row) })
		})
		if err != nil {
			return paths, err
		}
	}
	return paths, nil
}

func writeTable(w io.Writer, columns []string, rows func(row func(...any))) error {
	out := csv.NewWriter(w)
	if err := out.Write(columns); err != nil {
		return err
	}
	line := make([]string, len(columns))
	var err error
	rows(func(cells ...any) {
		for i, c := range cells {
			line[i] = Plain(c)
		}
		if err == nil {
			err = out.Write(line)
		}
	})
	out.Flush()
	if err == nil {
		err = out.Error()
	}
	return err
}

// Plain is a value as the cell of a CSV file. A spreadsheet would run what begins like a formula, and senders choose their
// names.
func Plain(v any) string {
	switch v := v.(type) {
	case time.Time:
		return v.UTC().Format(time.RFC3339)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []string:
		return Plain(strings.Join(v, " "))
	case string:
		if v != "" && strings.ContainsRune("=+-@\t\r", rune(v[0])) && !isNumber(v) {
			return "'" + v
		}
		return v
	default:
		return fmt.Sprint(v)
	}
}

// isNumber reports a telephone number, or the beginning of a range of them.
func isNumber(s string) bool {
	return strings.Trim(strings.TrimSuffix(strings.TrimPrefix(s, "+"), "…"), "0123456789") == ""
}
