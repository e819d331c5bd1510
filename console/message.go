package console

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"rempart/account"
	"rempart/message"
)

type messagePage struct {
	Event         *message.Event
	Author        string
	Verdict       *message.Verdict
	Outcome       *message.Outcome
	Mark          string
	Contributions []contribution
	Unknown       []string // signals that could not be found out
	WhatIf        []whatIf
	Tried         bool  // what would be otherwise; false: that took too long
	Table         table // of the contributions, for the exports
	Recipients    []recipientRow
	Hops          []hopRow
	Hosts         []string
	Country       string
	Network       string // name of the network
	Subject       string
	SubjectHidden bool // kept, but not for this role
	MayTeach      bool
	Several       bool // unlike verdicts for its recipients
}

// contribution is one bar: to the right it speaks for spam, to the left against.
type contribution struct {
	Sentence string
	Name     string
	Method   message.Method
	Weight   string
	Spam     bool
	X, W     float64 // of 200, the middle is 100
	Seen     []string
}

type recipientRow struct {
	Recipient string
	Decision  message.Decision
	P         float64
	Mark      string
	Link      string // to this recipient's verdict, if it is another one
	Here      bool
}

type hopRow struct {
	From, Address, By, With string
	At                      time.Time
	Trusted                 bool
}

func (c *Console) message(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	if ext := path.Ext(id); ext == ".csv" || ext == ".json" {
		id = strings.TrimSuffix(id, ext)
	}
	e, err := c.Events.Get(r.Context(), id)
	if err != nil {
		return err
	}
	at := -1
	if s := r.URL.Query().Get("recipient"); s != "" {
		if at, err = strconv.Atoi(s); err != nil || at < 0 || at >= len(e.Outcomes) {
			return errForm
		}
	}
	page, err := c.messagePage(r, e, at)
	if err != nil {
		return err
	}
	return c.serveTable(w, r, page.Table, "message", page)
}

// messagePage explains the verdict of the recipient at the given place; -1 is the one whose verdict is worst.
func (c *Console) messagePage(r *http.Request, e *message.Event, at int) (messagePage, error) {
	who, _ := c.user(r)
	page := messagePage{Event: e, Author: seen(authorOf(e)), MayTeach: c.Teach != nil && who.Role.May(account.Teach), Several: len(e.Verdicts) > 1}
	if e.Subject != "" {
		if page.SubjectHidden = !who.Role.May(account.SeeSubjects); !page.SubjectHidden {
			if err := c.record(r.Context(), r, account.Entry{What: "message.looked_at", Object: e.ID}); err != nil {
				return page, err // a look that cannot be recorded is not given
			}
			page.Subject = seen(e.Subject)
		}
	}
	for _, h := range e.Route {
		row := hopRow{From: seen(h.From), By: seen(h.By), With: seen(h.With), At: h.At, Trusted: h.Trusted}
		if h.Address.IsValid() {
			row.Address = h.Address.String()
		}
		page.Hops = append(page.Hops, row)
	}
	page.Country, page.Network = e.Source.Country, seen(c.Places().NetworkName(e.Source.Network))
	if name := c.countryName(e.Source.Country); name != "" {
		page.Country += " " + name
	}
	for _, host := range e.LinkHosts {
		page.Hosts = append(page.Hosts, seen(host))
	}
	page.Outcome = e.Worst()
	if at >= 0 {
		page.Outcome = &e.Outcomes[at]
	}
	page.Table = table{Name: "contributions", Path: "/messages/" + url.PathEscape(e.ID), Columns: []column{{"signal", false, false}, {"method", false, false}, {"state", false, false},
		{"weight", true, false}, {"reason", false, false}, {"seen", false, false}}}
	if page.Outcome == nil || page.Outcome.Verdict >= len(e.Verdicts) {
		return page, nil
	}
	page.Verdict = &e.Verdicts[page.Outcome.Verdict]
	page.Mark = markOf(page.Verdict.Probability)
	c.explain(&page)
	page.WhatIf, page.Tried = c.whatIf(r.Context(), e, page.Outcome)
	for i, o := range e.Outcomes {
		row := recipientRow{Recipient: seen(orDash(o.Recipient)), Decision: o.Decision, Here: o.Verdict == page.Outcome.Verdict}
		if o.Verdict < len(e.Verdicts) {
			row.P = e.Verdicts[o.Verdict].Probability
			row.Mark = markOf(row.P)
		}
		if !row.Here {
			row.Link = fmt.Sprintf("/messages/%s?recipient=%d", e.ID, i)
		}
		page.Recipients = append(page.Recipients, row)
	}
	return page, nil
}

// explain fills the bars and the table, the heaviest first.
func (c *Console) explain(page *messagePage) {
	list := slices.Clone(page.Verdict.Contributions)
	slices.SortStableFunc(list, func(a, b message.Contribution) int { return cmp.Compare(magnitude(b), magnitude(a)) })
	most := message.LogOdds(1)
	for _, p := range list {
		most = max(most, magnitude(p))
	}
	for _, p := range list {
		sentence, args := c.sentence(p), seenArgs(p.Args)
		page.Table.Rows = append(page.Table.Rows, []cell{{Text: p.Name}, {Text: p.Method.String()}, {Text: p.State.String()},
			{Value: p.Weight().Float()}, {Text: sentence}, {Value: args}})
		if p.State == message.StateUnknown {
			page.Unknown = append(page.Unknown, sentence)
			continue
		}
		row := contribution{Sentence: sentence, Name: p.Name, Method: p.Method, Weight: minus(fmt.Sprintf("%+.2f", p.Weight().Float())),
			Spam: p.Weight() > 0, Seen: args, X: 100}
		row.W = round(98 * float64(magnitude(p)) / float64(most))
		if !row.Spam {
			row.X = round(100 - row.W)
		}
		page.Contributions = append(page.Contributions, row)
	}
}

// sentence explains a contribution, with what was seen made harmless.
func (c *Console) sentence(p message.Contribution) string {
	p.Args = shown(p.Args)
	return c.words.Explain(p)
}

func seenArgs(args []any) []string {
	out := []string{}
	for _, a := range args {
		out = append(out, seen(fmt.Sprint(a)))
	}
	return out
}

func magnitude(p message.Contribution) message.LogOdds {
	if w := p.Weight(); w < 0 {
		return -w
	}
	return p.Weight()
}

// teach is "this is spam" and "this is not".
func (c *Console) teach(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	var label message.Label
	if label.UnmarshalText([]byte(r.PostFormValue("label"))) != nil || c.Teach == nil {
		return errForm
	}
	id := r.PathValue("id")
	before, after, err := c.Sources.Teach(r.Context(), id, label, c.actor(r).Name)
	if err != nil {
		return err
	}
	n := c.numbers()
	entry := account.Entry{What: "message.taught_" + label.String(), Object: id, Before: n.percent(before), After: n.percent(after)}
	if err := c.record(r.Context(), r, entry); err != nil {
		return err
	}
	c.notice(r, "notice.taught_"+label.String(), n.percent(before), n.percent(after))
	http.Redirect(w, r, "/messages/"+url.PathEscape(id), http.StatusSeeOther)
	return nil
}
