package console

import (
	"bytes"
	"encoding/json"
	"net/http"
	"path"
	"time"

	"rempart/report"
)

// reportPage is the days that its form begins with.
type reportPage struct{ From, To string }

// reportDays is how far a report looks back where nothing is asked for.
const reportDays = 30

const dayLayout = "2006-01-02"

// report is the page on which a report's period is chosen.
func (c *Console) report(w http.ResponseWriter, r *http.Request) error {
	from, to, err := c.period(r)
	if err != nil {
		return err
	}
	return c.render(w, r, "report", reportPage{from.Format(dayLayout), to.Add(-time.Second).Format(dayLayout)})
}

// study is the report itself, a page of its own that can be kept as a file, or its figures as JSON.
func (c *Console) study(w http.ResponseWriter, r *http.Request) error {
	from, to, err := c.period(r)
	if err != nil {
		return err
	}
	s, err := c.Study(r.Context(), from, to)
	if err != nil {
		return err
	}
	if path.Ext(r.URL.Path) == ".json" {
		w.Header().Set("Content-Type", "application/json")
		return json.NewEncoder(w).Encode(s)
	}
	var b bytes.Buffer
	if err := s.WriteHTML(&b); err != nil {
		return err
	}
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src "+report.StyleSource()+"; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if _, err := b.WriteTo(w); err != nil {
		c.log.Debug("report not taken", "error", err)
	}
	return nil
}

// period is the days that a form asks for, both included; by default the last thirty, up to this hour.
func (c *Console) period(r *http.Request) (from, to time.Time, err error) {
	to = c.Now().UTC().Truncate(time.Hour).Add(time.Hour)
	if s := r.URL.Query().Get("to"); s != "" {
		last, err := time.Parse(dayLayout, s)
		if err != nil {
			return from, to, errForm
		}
		if end := last.AddDate(0, 0, 1); end.Before(to) {
			to = end
		}
	}
	from = to.AddDate(0, 0, -reportDays)
	if s := r.URL.Query().Get("from"); s != "" {
		if from, err = time.Parse(dayLayout, s); err != nil {
			return from, to, errForm
		}
	}
	if !from.Before(to) {
		return from, to, errForm
	}
	return from, to, nil
}
