package console

import (
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"rempart/index"
	"rempart/message"
)

type disagreementsPage struct {
	Hours   int
	Windows []int
	Base    string
	Query   string
	Signal  string
	Summary string // empty: nothing was compared in these hours
	Right   string // who was right where somebody taught later; empty: nobody did
	Figures table
	Tables  []table
	First   bool
}

// disagreementHours is the window if none was asked for: a week, since there are few.
const disagreementHours = 7 * 24

// shortDisagreements is how many mails of each kind stand on the page of both.
const shortDisagreements = 20

func newDisagreementsPage(r *http.Request, base string) (p disagreementsPage, err error) {
	in := r.URL.Query()
	p = disagreementsPage{Hours: disagreementHours, Windows: windows, Base: base, Query: in.Get("q"), Signal: strings.TrimSpace(in.Get("signal")),
		First: in.Get("cursor") == ""}
	if in.Get("hours") != "" {
		p.Hours = window(r)
	}
	if len(p.Query) > maxQuery || len(p.Signal) > maxQuery {
		return p, errForm
	}
	return p, nil
}

// query is the filters, for the address of a table.
func (p disagreementsPage) query() url.Values {
	q := url.Values{}
	if p.Hours != disagreementHours {
		q.Set("hours", hoursText(p.Hours))
	}
	if p.Query != "" {
		q.Set("q", p.Query)
	}
	if p.Signal != "" {
		q.Set("signal", p.Signal)
	}
	return q
}

func (c *Console) since(hours int) time.Time { return c.Now().Add(-time.Duration(hours) * time.Hour) }

// disagreements is how often the filter before and we were of one mind, and the mails about which we were not.
func (c *Console) disagreements(w http.ResponseWriter, r *http.Request) error {
	page, err := newDisagreementsPage(r, "/disagreements")
	if err != nil {
		return err
	}
	found, err := c.Events.Compare(r.Context(), c.since(page.Hours))
	if err != nil {
		return err
	}
	c.summarise(&page, found)
	for _, a := range []message.Agreement{message.OnlyIncumbent, message.OnlyHere} {
		t, err := c.agreementTable(r, page, a, index.Query{Limit: shortDisagreements})
		if err != nil {
			return err
		}
		page.Tables = append(page.Tables, t)
	}
	return c.render(w, r, "disagreements", page)
}

// comparison is the table of the figures alone.
func (c *Console) comparison(w http.ResponseWriter, r *http.Request) error {
	page, err := newDisagreementsPage(r, "/disagreements/figures")
	if err != nil {
		return err
	}
	found, err := c.Events.Compare(r.Context(), c.since(page.Hours))
	if err != nil {
		return err
	}
	c.summarise(&page, found)
	return c.serveTable(w, r, page.Figures, "comparison", page)
}

// agreement is the mails of one kind. Its name may end in .csv or .json.
func (c *Console) agreement(w http.ResponseWriter, r *http.Request) error {
	export := path.Ext(r.URL.Path)
	kind := strings.TrimSuffix(r.PathValue("kind"), export)
	at := slices.IndexFunc(message.Agreements[:], func(a message.Agreement) bool { return a.String() == kind })
	if at < 0 {
		return errNoPage
	}
	a := message.Agreements[at]
	page, err := newDisagreementsPage(r, "/disagreements/"+a.String())
	if err != nil {
		return err
	}
	q := index.Query{Limit: pageRows}
	if export != "" {
		q.Limit = exportRows
	}
	if s := r.URL.Query().Get("cursor"); s != "" {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return errForm
		}
		q.Cursor = index.Cursor(n)
	}
	t, err := c.agreementTable(r, page, a, q)
	if err != nil {
		return err
	}
	page.Tables = []table{t}
	return c.serveTable(w, r, t, "agreement", page)
}

// summarise fills the figures: a row a word of the filter before, a column a word of ours.
func (c *Console) summarise(page *disagreementsPage, found index.Comparison) {
	cells := map[message.Agreement]cell{}
	for _, k := range found.Kinds {
		x := c.count(uint64(k.Mails))
		x.Link = withQuery("/disagreements/"+k.Agreement.String(), page.query())
		if k.TaughtHam+k.TaughtSpam > 0 {
			x.Note = c.words.Say("page.disagreements.taught", k.TaughtSpam, k.TaughtHam)
		}
		cells[k.Agreement] = x
	}
	q := page.query()
	q.Del("q")
	q.Del("signal")
	page.Figures = table{Name: "comparison", Path: withQuery("/disagreements/figures", q), Columns: []column{{"incumbent", false, false}, {"here_spam", true, false}, {"here_honest", true, false}},
		Rows: [][]cell{
			{{Text: c.words.Say("said.spam"), Value: "spam"}, cells[message.BothSpam], cells[message.OnlyIncumbent]},
			{{Text: c.words.Say("said.ham"), Value: "ham"}, cells[message.OnlyHere], cells[message.BothHonest]},
		}}
	if total, differ := found.Mails(); total > 0 {
		page.Summary = c.words.Say("compare.summary", total, found.From.Format("2006-01-02 15:04"), differ, c.numbers().percent(share(uint64(differ), uint64(total))))
	}
	if here, incumbent, taught := found.Right(); taught > 0 {
		page.Right = c.words.Say("compare.right", taught, here, incumbent)
	}
}

// agreementTable is the mails of one kind that fit the page's filters, newest first.
func (c *Console) agreementTable(r *http.Request, page disagreementsPage, a message.Agreement, q index.Query) (table, error) {
	q.Agreement, q.Text, q.Signal, q.From = a, page.Query, page.Signal, c.since(page.Hours)
	found, err := c.Events.Search(r.Context(), q)
	if err != nil {
		return table{}, err
	}
	keep := page.query()
	t := table{Name: a.String(), Path: withQuery("/disagreements/"+a.String(), keep), Empty: "empty.disagreements", Columns: []column{{"time", false, false},
		{"from", false, false}, {"to", false, false}, {"incumbent", false, false}, {"incumbent_score", true, false}, {"probability", true, false},
		{"action", false, false}, {"taught", false, false}, {"id", false, true}}}
	for _, e := range found.Events {
		row := c.messageRow(e)
		t.Rows = append(t.Rows, []cell{row[0], row[2], row[3], c.labelCell(e.Incumbent.Label), {Text: minus(strconv.FormatFloat(e.Incumbent.Score, 'f', 1, 64)), Value: e.Incumbent.Score},
			row[5], row[6], c.taughtAs(e), row[8]})
	}
	if found.Next != 0 {
		keep.Set("cursor", strconv.FormatInt(int64(found.Next), 10))
		t.Next = withQuery("/disagreements/"+a.String(), keep)
	}
	return t, nil
}

// taughtAs is what a mail was taught as later.
func (c *Console) taughtAs(e *message.Event) cell {
	if e.Taught == message.Forget {
		return cell{Text: "–", Value: ""}
	}
	return c.labelCell(e.Taught)
}
