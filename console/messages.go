package console

import (
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strconv"

	"rempart/index"
	"rempart/message"
)

type messagesPage struct {
	Query    string
	Channel  message.Channel
	Action   message.Action
	Channels []message.Channel
	Actions  []message.Action
	Table    table
	First    bool
}

// searched are the channels and actions that the search form offers.
var (
	searchedChannels = []message.Channel{message.Email, message.SMS, message.Call, message.IM}
	searchedActions  = []message.Action{message.Accept, message.Tag, message.Hold, message.Quarantine, message.Greylist,
		message.Tempfail, message.Throttle, message.Reject, message.Discard, message.Remove}
)

const (
	pageRows   = 50
	exportRows = 500 // the index gives no more at a time; "next" of the JSON leads on
	maxQuery   = 200
)

func (c *Console) messages(w http.ResponseWriter, r *http.Request) error {
	in := r.URL.Query()
	q := index.Query{Text: in.Get("q"), Limit: pageRows}
	if len(q.Text) > maxQuery {
		return errForm
	}
	var err error
	if q.Channel, err = channelOf(r); err != nil {
		return err
	}
	if q.Action, err = actionOf(r); err != nil {
		return err
	}
	if s := in.Get("cursor"); s != "" {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return errForm
		}
		q.Cursor = index.Cursor(n)
	}
	if path.Ext(r.URL.Path) != "" {
		q.Limit = exportRows
	}
	found, err := c.Events.Search(r.Context(), q)
	if err != nil {
		return err
	}
	t := c.messageTable(found.Events)
	keep := url.Values{}
	for _, name := range []string{"q", "channel", "action"} {
		if v := in.Get(name); v != "" {
			keep.Set(name, v)
		}
	}
	t.Path = withQuery("/messages", keep)
	if found.Next != 0 {
		keep.Set("cursor", fmt.Sprint(int64(found.Next)))
		t.Next = withQuery("/messages", keep)
	}
	return c.serveTable(w, r, t, "messages", messagesPage{Query: q.Text, Channel: q.Channel, Action: q.Action,
		Channels: searchedChannels, Actions: searchedActions, Table: t, First: q.Cursor == 0})
}

func (c *Console) messageTable(events []*message.Event) table {
	t := table{Name: "messages", Empty: "empty.messages", Columns: []column{{"time", false, false}, {"channel", false, false}, {"from", false, false}, {"to", false, false},
		{"verdict", false, false}, {"probability", true, true}, {"action", false, false}, {"client", false, false}, {"id", false, true}}}
	for _, e := range events {
		t.Rows = append(t.Rows, c.messageRow(e))
	}
	return t
}

func (c *Console) messageRow(e *message.Event) []cell {
	link := "/messages/" + url.PathEscape(e.ID)
	row := []cell{
		{Text: e.Time.UTC().Format("2006-01-02 15:04:05"), Value: e.Time.UTC(), Link: link},
		{Text: c.words.Say("channel." + e.Channel.String()), Value: e.Channel.String()},
		{Text: seen(authorOf(e)), Value: authorOf(e), Mark: "code"},
		recipientsCell(c, e),
		{Text: "–", Value: ""}, {Text: "–"}, {Text: "–", Value: ""},
		clientCell(e),
		{Text: e.ID, Mark: "code", Link: link},
	}
	if worst := e.Worst(); worst != nil {
		p := e.Verdicts[worst.Verdict].Probability
		row[4] = cell{Text: c.words.Word(p), Mark: markOf(p), Note: c.numbers().percent(p)}
		row[5] = cell{Text: c.numbers().percent(p), Value: round(p*1e6) / 1e6}
		row[6] = cell{Text: c.words.Say("action." + worst.Decision.Action.String()), Value: worst.Decision.Action.String()}
		if worst.Decision.Mode != message.ModeJudge {
			row[6].Note = c.words.Say("mode." + worst.Decision.Mode.String())
		}
	}
	return row
}

// clientCell is where it came from: an address and its country, as far as they are known.
func clientCell(e *message.Event) cell {
	c := cell{Text: e.Source.Client(), Value: e.Source.Client(), Mark: "code", Note: e.Source.Country}
	if c.Text == "" {
		c.Text, c.Note = orDash(e.Source.Country), ""
	}
	return c
}

// authorOf is who sent it, as the reader or the network sees it.
func authorOf(e *message.Event) string {
	switch {
	case e.From != "":
		return e.From
	case e.MailFrom != "":
		return e.MailFrom
	}
	return e.Source.ID
}

func recipientsCell(c *Console, e *message.Event) cell {
	var all []string
	for _, o := range e.Outcomes {
		if o.Recipient != "" {
			all = append(all, o.Recipient)
		}
	}
	if len(all) == 0 {
		return cell{Text: "–", Value: []string{}}
	}
	out := cell{Text: seen(all[0]), Value: all, Mark: "code"}
	if len(all) > 1 {
		out.Note = c.words.Say("more_recipients", len(all)-1)
	}
	return out
}

func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// markOf is the class of a probability.
func markOf(p float64) string {
	switch {
	case p >= 0.9:
		return "spam"
	case p >= 0.5:
		return "likely"
	}
	return "ham"
}
