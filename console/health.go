package console

import (
	"net/http"

	"rempart/account"
)

// State is how a part of the node is.
type State string

// States.
const (
	OK   State = "ok"
	Warn State = "warn" // works, but somebody should look at it
	Bad  State = "bad"  // does not do what it should
)

// Health is the parts of the node, in the order in which they are shown.
type Health struct {
	Rows []HealthRow
}

// HealthRow is one part. Name is a catalogue key under "health.name", or a name that people gave (a front door's) and is
// shown as it is; Key and Args are a sentence of the catalogue.
type HealthRow struct {
	Name  string
	State State
	Key   string
	Args  []any
}

type healthPage struct {
	Rows  []HealthRow
	Table table
	Worst State
}

func (c *Console) health(w http.ResponseWriter, r *http.Request) error {
	page := healthPage{Worst: OK}
	if c.Health != nil {
		page.Rows = c.Sources.Health(r.Context()).Rows
	}
	page.Table = table{Name: "health", Path: "/health", Columns: []column{{"part", false, false}, {"state", false, false}, {"detail", false, false}}}
	for _, row := range page.Rows {
		if row.State == Bad || row.State == Warn && page.Worst == OK {
			page.Worst = row.State
		}
		page.Table.Rows = append(page.Table.Rows, []cell{{Text: row.Name}, {Text: string(row.State)}, {Text: c.words.Say(row.Key, shown(row.Args)...)}})
	}
	return c.serveTable(w, r, page.Table, "health", page)
}

// setShadow turns the one switch that puts everything to shadow.
func (c *Console) setShadow(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	to := r.PostFormValue("to")
	if to != "on" && to != "off" || c.SetShadow == nil || c.Shadow == nil {
		return errForm
	}
	word := map[bool]string{true: "on", false: "off"}
	entry := account.Entry{What: "shadow", Before: word[c.Shadow()], After: to}
	if err := c.record(r.Context(), r, entry); err != nil {
		return err
	}
	if err := c.SetShadow(r.Context(), to == "on", c.actor(r).Name); err != nil {
		return err
	}
	c.notice(r, "notice.shadow_"+to)
	http.Redirect(w, r, "/health", http.StatusSeeOther)
	return nil
}
