package console

import (
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"rempart/abuse"
	"rempart/account"
	"rempart/measure"
)

type casesPage struct {
	Query string
	Open  bool
	On    bool // reports are read here
	Table table
	First bool
	Day   uint64 // complaints that came in within 24 hours by the clock, on all nodes
	Week  uint64 // within seven days
}

// cases lists what others complain about, the case that changed last first.
func (c *Console) cases(w http.ResponseWriter, r *http.Request) error {
	in := r.URL.Query()
	q := abuse.Query{Text: in.Get("q"), Open: in.Get("open") != "", Limit: pageRows}
	q.Skip, _ = strconv.Atoi(in.Get("skip"))
	if len(q.Text) > maxQuery || q.Skip < 0 {
		return errForm
	}
	if path.Ext(r.URL.Path) != "" {
		q.Limit = exportRows
	}
	found, more := c.Abuse.Cases(q)
	t := table{Name: "cases", Empty: "empty.cases", Columns: []column{{"last", false, false}, {"about", false, false}, {"state", false, false},
		{"complaints", true, false}, {"kind", false, false}, {"reporter", false, false}, {"first", false, true}, {"id", false, true}}}
	for i := range found {
		t.Rows = append(t.Rows, c.caseRow(&found[i]))
	}
	keep := url.Values{}
	for _, name := range []string{"q", "open"} {
		if v := in.Get(name); v != "" {
			keep.Set(name, v)
		}
	}
	t.Path = withQuery("/cases", keep)
	if more {
		keep.Set("skip", strconv.Itoa(q.Skip+q.Limit))
		t.Next = withQuery("/cases", keep)
	}
	page := casesPage{Query: q.Text, Open: q.Open, On: c.ReportsOn != nil && c.ReportsOn(), Table: t, First: q.Skip == 0}
	c.totals.with(c, 24, func(t *measure.Total) { page.Day = t.Complaints() })
	c.totals.with(c, 7*24, func(t *measure.Total) { page.Week = t.Complaints() })
	return c.serveTable(w, r, t, "cases", page)
}

func casePath(id string) string { return "/cases/" + url.PathEscape(id) }

func (c *Console) caseRow(k *abuse.Case) []cell {
	latest := k.Complaints[len(k.Complaints)-1]
	mark := ""
	if k.State == abuse.StateOpen {
		mark = "warn"
	}
	return []cell{
		{Text: stamp(k.Changed), Value: k.Changed, Link: casePath(k.ID)},
		{Text: seen(k.About()), Value: k.About(), Mark: "code"},
		{Text: c.words.Say("case.state." + string(k.State)), Value: string(k.State), Mark: mark},
		c.count(k.Count),
		{Text: c.complaintKind(latest.Type), Value: latest.Type},
		{Text: orDash(seen(latest.Reporter)), Value: latest.Reporter, Mark: "code"},
		{Text: stamp(k.Opened), Value: k.Opened}, {Text: k.ID},
	}
}

// complaintKind is the type of a complaint in words, or as its reporter wrote it.
func (c *Console) complaintKind(kind string) string {
	if key := "case.kind." + kind; c.words.Has(key) {
		return c.words.Say(key)
	}
	return orDash(seen(kind))
}

type casePage struct {
	Case      abuse.Case
	Title     string
	Notes     []caseNote
	Table     table
	To        string // who gets an answer
	Sends     bool   // answers are sent from here
	Draft     string // of the answer
	MayChange bool   // its role may, and the case is not closed
}

type caseNote struct {
	abuse.Note
	Lines []string
}

// oneCase shows the complaints and notes of one case, with the forms that change it.
func (c *Console) oneCase(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	export := path.Ext(id)
	if export == ".csv" || export == ".json" {
		id = strings.TrimSuffix(id, export)
	}
	k, err := c.Abuse.Case(id)
	if err != nil {
		return err
	}
	t := table{Name: "complaints", Path: casePath(k.ID), Empty: "empty.cases", Columns: []column{{"time", false, false}, {"kind", false, false},
		{"reporter", false, false}, {"verified", false, false}, {"to", false, false}, {"message_id", false, false}, {"complaints", true, false}}}
	for i := len(k.Complaints) - 1; i >= 0; i-- {
		t.Rows = append(t.Rows, c.complaintRow(&k.Complaints[i]))
	}
	who, _ := c.user(r)
	latest := &k.Complaints[len(k.Complaints)-1]
	page := casePage{Case: k, Title: seen(k.About()), Table: t, To: seen(latest.Reporter), Sends: c.AnswersSent != nil && c.AnswersSent(),
		MayChange: k.State != abuse.StateClosed && who.Role.May(account.Teach)}
	page.Draft = c.words.Say("case.answer.text", latest.Time.UTC().Format(time.DateOnly), orDash(seen(latest.MessageID)))
	for _, n := range k.Notes {
		note := caseNote{Note: n}
		for line := range strings.Lines(n.Text) {
			note.Lines = append(note.Lines, seen(strings.TrimRight(line, "\r\n")))
		}
		page.Notes = append(page.Notes, note)
	}
	return c.serveTable(w, r, t, "case", page)
}

func (c *Console) complaintRow(k *abuse.Complaint) []cell {
	id := cell{Text: orDash(seen(k.MessageID)), Value: k.MessageID, Mark: "code"}
	if k.EventID != "" {
		id.Link = "/messages/" + url.PathEscape(k.EventID)
	}
	return []cell{{Text: stamp(k.Time), Value: k.Time}, {Text: c.complaintKind(k.Type), Value: k.Type}, {Text: orDash(seen(k.Reporter)), Value: k.Reporter, Mark: "code"},
		{Text: orDash(seen(k.Verified)), Value: k.Verified, Mark: "code"}, {Text: orDash(seen(k.Recipient)), Value: k.Recipient, Mark: "code"}, id, c.count(k.Incidents)}
}

// changeCase answers a case, adds a note to it or closes it.
func (c *Console) changeCase(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	id, change, text := r.PathValue("id"), r.PathValue("change"), strings.TrimSpace(r.PostFormValue("text"))
	if text == "" {
		return errForm
	}
	var err error
	switch change {
	case "answer":
		err = c.AnswerCase(r.Context(), id, text, c.actor(r))
	case "note":
		err = c.NoteCase(r.Context(), id, abuse.Noted, text, c.actor(r))
	case "close":
		err = c.NoteCase(r.Context(), id, abuse.Closed, text, c.actor(r))
	default:
		return errNoPage
	}
	if err != nil {
		return err
	}
	c.notice(r, "notice.case_"+change)
	http.Redirect(w, r, casePath(id), http.StatusSeeOther)
	return nil
}
