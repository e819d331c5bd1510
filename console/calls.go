package console

import (
	"net/http"
	"net/url"

	"rempart/account"
	"rempart/measure"
	"rempart/message"
)

type callsPage struct {
	Hours    int
	Windows  []int
	Base     string
	Messages uint64
	Spam     uint64
	Share    float64
	MaySee   bool // numbers
	Callers  table
	Senders  table
}

// calls is who calls, how often, and how it ends.
func (c *Console) calls(w http.ResponseWriter, r *http.Request) error {
	s, err := newSourcesPage(r, "/calls")
	if err != nil {
		return err
	}
	s.Channel = message.Call
	who, _ := c.user(r)
	page := callsPage{Hours: s.Hours, Windows: windows, Base: "/calls", MaySee: who.Role.May(account.SeeMessages)}
	if page.MaySee {
		page.Callers = c.callerTable(shortTable)
	}
	yes := true
	c.totals.with(c, s.Hours, func(t *measure.Total) {
		all, spam := measure.Select{Channel: message.Call}, measure.Select{Channel: message.Call, Spam: &yes}
		page.Messages, page.Spam = t.Messages(all), t.Messages(spam)
		page.Senders = c.countTable("senders", s, t.Senders(all, longTable), t.Senders(spam, longTable), shortTable)
	})
	page.Share = share(page.Spam, page.Messages)
	return c.render(w, r, "calls", page)
}

// callers is the table of the callers alone.
func (c *Console) callers(w http.ResponseWriter, r *http.Request) error {
	t := c.callerTable(longTable)
	return c.serveTable(w, r, t, "callers", t)
}

// callerTable is the busiest callers. A number in it leads to its calls.
func (c *Console) callerTable(limit int) table {
	t := table{Name: "callers", Path: "/calls/callers", Empty: "empty.callers", Columns: []column{{"number", false, false}, {"country", false, false},
		{"line", false, false}, {"calls_hour", true, false}, {"callees", true, false}, {"ended", true, false}, {"answered", true, false},
		{"short", true, false}, {"callee_hung_up", true, false}}}
	for _, k := range c.Callers(c.Now(), limit) {
		number := c.Places().Number(k.Number)
		t.Rows = append(t.Rows, []cell{{Text: seen(k.Number), Value: k.Number, Mark: "code", Link: "/messages?channel=call&q=" + url.QueryEscape(k.Number)},
			{Text: orDash(number.Country), Value: number.Country}, {Text: c.words.Say("line." + number.Line.String()), Value: number.Line.String()},
			c.count(uint64(k.Hour)), c.count(uint64(k.Callees)), c.count(uint64(k.Ended)), c.share(uint64(k.Answered), uint64(k.Ended)),
			c.share(uint64(k.Short), uint64(k.Answered)), c.share(uint64(k.CalleeHungUp), uint64(k.Answered))})
	}
	return t
}
