package console

import (
	"errors"
	"net/http"
	"net/url"
	"path"

	"rempart/account"
	"rempart/index"
	"rempart/quarantine"
)

type quarantinePage struct {
	Query   string
	Waiting bool
	On      bool
	Table   table
	First   bool
}

// quarantine lists the copies that are kept, newest first.
func (c *Console) quarantine(w http.ResponseWriter, r *http.Request) error {
	in := r.URL.Query()
	q := quarantine.Query{Text: in.Get("q"), Waiting: in.Get("waiting") != "", Cursor: in.Get("cursor"), Limit: pageRows}
	if len(q.Text) > maxQuery {
		return errForm
	}
	if path.Ext(r.URL.Path) != "" {
		q.Limit = exportRows
	}
	found, err := c.Quarantine.List(r.Context(), q)
	if err != nil {
		return err
	}
	t := table{Name: "quarantine", Empty: "empty.quarantine", Columns: []column{{"time", false, false}, {"mail_from", false, false}, {"to", false, false},
		{"probability", true, false}, {"state", false, false}, {"id", false, true}}}
	for i := range found.Copies {
		t.Rows = append(t.Rows, c.quarantineRow(&found.Copies[i]))
	}
	keep := url.Values{}
	for _, name := range []string{"q", "waiting"} {
		if v := in.Get(name); v != "" {
			keep.Set(name, v)
		}
	}
	t.Path = withQuery("/quarantine", keep)
	if found.Next != "" {
		keep.Set("cursor", found.Next)
		t.Next = withQuery("/quarantine", keep)
	}
	return c.serveTable(w, r, t, "quarantine", quarantinePage{Query: q.Text, Waiting: q.Waiting, On: c.Quarantine.On(), Table: t, First: q.Cursor == ""})
}

func (c *Console) quarantineRow(k *quarantine.Copy) []cell {
	link := withQuery("/quarantine/"+url.PathEscape(k.ID), url.Values{"recipient": {k.Recipient}})
	state := stateOf(k)
	return []cell{
		{Text: k.Time.Format("2006-01-02 15:04:05"), Value: k.Time, Link: link},
		{Text: orDash(seen(k.MailFrom)), Value: k.MailFrom, Mark: "code"},
		{Text: seen(k.Recipient), Value: k.Recipient, Mark: "code"},
		{Text: c.numbers().percent(k.Probability), Value: round(k.Probability*1e6) / 1e6},
		{Text: c.words.Say("quarantine." + state), Value: state},
		{Text: k.ID, Mark: "code", Link: link},
	}
}

// stateOf is what has become of a copy.
func stateOf(k *quarantine.Copy) string {
	switch {
	case !k.Released.IsZero():
		return "released"
	case k.Malware:
		return "malware"
	}
	return "waiting"
}

type quarantinedPage struct {
	content
	Copy      quarantine.Copy
	State     string
	Verdict   bool // the index has its event
	MayChange bool
}

// quarantined shows one mail. The look is in the audit trail.
func (c *Console) quarantined(w http.ResponseWriter, r *http.Request) error {
	id, recipient := r.PathValue("id"), r.URL.Query().Get("recipient")
	k, err := c.Quarantine.Get(r.Context(), id, recipient)
	if err != nil {
		return err
	}
	if err := c.record(r.Context(), r, account.Entry{What: "quarantine.looked_at", Object: id}); err != nil {
		return err // a look that cannot be recorded is not given
	}
	who, _ := c.user(r)
	page := quarantinedPage{Copy: k, State: stateOf(&k), MayChange: who.Role.May(account.Teach)}
	if page.content, err = c.contentOf(r, id); err != nil {
		return err
	}
	switch _, err := c.Events.Get(r.Context(), id); {
	case err == nil:
		page.Verdict = true
	case !errors.Is(err, index.ErrNotFound):
		return err
	}
	return c.render(w, r, "quarantined", page)
}

// changeQuarantined releases or deletes a copy. Who works here is the postmaster.
func (c *Console) changeQuarantined(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	id, recipient, change := r.PathValue("id"), r.PostFormValue("recipient"), r.PathValue("change")
	var err error
	switch change {
	case "release":
		err = c.Release(r.Context(), id, recipient, c.actor(r), true)
	case "delete":
		err = c.Discard(r.Context(), id, recipient, c.actor(r))
	default:
		return errNoPage
	}
	if err != nil {
		return err
	}
	c.notice(r, "notice.quarantine_"+change)
	http.Redirect(w, r, "/quarantine?waiting=1", http.StatusSeeOther)
	return nil
}
