package console

import (
	"cmp"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"rempart/measure"
	"rempart/message"
	"rempart/report"
)

type sourcesPage struct {
	Hours    int
	Windows  []int
	Channel  message.Channel
	Channels []message.Channel
	Base     string // of the filter form
	Distinct string // how many unlike sources
	SpamOf   string // of which sent spam
	Map      picture
	Tables   []table
	Messages uint64
}

// sourceKinds are the tables of sources, by the last part of their path.
var sourceKinds = []struct {
	name string
	of   func(*measure.Total, measure.Select, int) []measure.Count
}{
	{"countries", (*measure.Total).Countries},
	{"networks", (*measure.Total).Networks},
	{"senders", (*measure.Total).Senders},
}

const (
	shortTable = 10
	longTable  = 300
)

func (c *Console) sources(w http.ResponseWriter, r *http.Request) error {
	page, err := newSourcesPage(r, "/sources")
	if err != nil {
		return err
	}
	yes := true
	c.totals.with(c, page.Hours, func(t *measure.Total) {
		all, spam := measure.Select{Channel: page.Channel}, measure.Select{Channel: page.Channel, Spam: &yes}
		page.Messages = t.Messages(all)
		low, high := t.Sources(all)
		page.Distinct = c.interval(low, high)
		low, high = t.Sources(spam)
		page.SpamOf = c.interval(low, high)
		page.Map = c.countryMap(t.Countries(spam, longTable))
		for _, k := range sourceKinds {
			page.Tables = append(page.Tables, c.countTable(k.name, page, k.of(t, all, longTable), k.of(t, spam, longTable), shortTable))
		}
	})
	return c.render(w, r, "sources", page)
}

// sourceTable is one kind of source, longer, and its exports.
func (c *Console) sourceTable(w http.ResponseWriter, r *http.Request) error {
	name := strings.TrimSuffix(path.Base(r.URL.Path), path.Ext(r.URL.Path))
	page, err := newSourcesPage(r, "/sources/"+name)
	if err != nil {
		return err
	}
	yes := true
	c.totals.with(c, page.Hours, func(t *measure.Total) {
		all, spam := measure.Select{Channel: page.Channel}, measure.Select{Channel: page.Channel, Spam: &yes}
		for _, k := range sourceKinds {
			if k.name == name {
				page.Tables = []table{c.countTable(k.name, page, k.of(t, all, longTable), k.of(t, spam, longTable), longTable)}
			}
		}
	})
	return c.serveTable(w, r, page.Tables[0], "source", page)
}

func newSourcesPage(r *http.Request, base string) (p sourcesPage, err error) {
	p = sourcesPage{Hours: window(r), Windows: windows, Channels: searchedChannels, Base: base}
	p.Channel, err = channelOf(r)
	return p, err
}

func (p sourcesPage) query() url.Values {
	q := url.Values{}
	if p.Hours != overviewHours {
		q.Set("hours", hoursText(p.Hours))
	}
	if p.Channel != 0 {
		q.Set("channel", p.Channel.String())
	}
	return q
}

// countTable joins what was counted of all messages and of spam, most spam first.
func (c *Console) countTable(name string, page sourcesPage, all, spam []measure.Count, limit int) table {
	t := table{Name: name, Path: withQuery("/sources/"+name, page.query()), Empty: "empty.figures", Columns: []column{{name, false, false},
		{"spam", true, false}, {"share", true, false}, {"messages", true, false}, {"error", true, false}}}
	of := map[string]measure.Count{}
	for _, s := range spam {
		of[s.Name] = s
	}
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b measure.Count) int {
		return cmp.Or(cmp.Compare(of[b.Name].Messages, of[a.Name].Messages), cmp.Compare(b.Messages, a.Messages))
	})
	exact := true
	for i, a := range all {
		if i == limit {
			break
		}
		exact = exact && a.Error == 0
		s := of[a.Name]
		t.Rows = append(t.Rows, []cell{c.placeCell(name, a.Name), c.count(s.Messages),
			c.share(min(s.Messages, a.Messages), a.Messages), c.count(a.Messages), c.bound(a.Error)})
	}
	t.Columns[4].Hidden = exact // a column of nothing but "exact" tells nothing
	return t
}

// bound is by how much a count may be too high.
func (c *Console) bound(n uint64) cell {
	if n == 0 {
		return cell{Text: c.words.Say("exact"), Value: n}
	}
	return cell{Text: "− " + c.numbers().count(n), Value: n}
}

func (c *Console) interval(low, high uint64) string {
	n := c.numbers()
	if low == high {
		return n.count(low)
	}
	return n.count(low) + "–" + n.count(high)
}

type edgesPage struct {
	Hours    int
	Windows  []int
	Channel  message.Channel
	Channels []message.Channel
	Base     string
	Picture  picture
	Table    table
}

// edges is who hands traffic to whom.
func (c *Console) edges(w http.ResponseWriter, r *http.Request) error {
	s, err := newSourcesPage(r, "/routes")
	if err != nil {
		return err
	}
	t := table{Name: "routes", Path: withQuery("/routes", s.query()), Empty: "empty.figures", Columns: []column{{"gives", false, false}, {"takes", false, false},
		{"trust", false, false}, {"messages", true, false}, {"spam", true, false}, {"share", true, false}, {"error", true, false}}}
	yes := true
	page := edgesPage{Hours: s.Hours, Windows: windows, Channel: s.Channel, Channels: searchedChannels, Base: "/routes"}
	c.totals.with(c, s.Hours, func(total *measure.Total) {
		spam := map[measure.Edge]uint64{}
		for _, e := range total.Edges(measure.Select{Channel: s.Channel, Spam: &yes}, longTable) {
			spam[e.Edge] = e.Messages
		}
		t.Columns[6].Hidden = true
		all := total.Edges(measure.Select{Channel: s.Channel}, longTable)
		page.Picture = c.flows(all, spam)
		for _, e := range all {
			t.Columns[6].Hidden = t.Columns[6].Hidden && e.Error == 0
			t.Rows = append(t.Rows, []cell{c.stationCell(e.From), c.stationCell(e.By), c.trustCell(e.Trusted), c.count(e.Messages), c.count(spam[e.Edge]),
				c.share(min(spam[e.Edge], e.Messages), e.Messages), c.bound(e.Error)})
		}
	})
	page.Table = t
	return c.serveTable(w, r, t, "routes", page)
}

// stationCell is a place on a route; a network has its name beside it.
func (c *Console) stationCell(name string) cell {
	return c.placeCell("networks", name)
}

// networkName is the name of a network that tallies call "AS64512"; empty if it is none, or its name is not known.
func (c *Console) networkName(name string) string {
	n, ok := strings.CutPrefix(name, "AS")
	number, err := strconv.ParseUint(n, 10, 32)
	if !ok || err != nil {
		return ""
	}
	return c.Places().NetworkName(uint32(number))
}

// countryName is the name of a country; empty if it is not known.
func (c *Console) countryName(code string) string { return c.land().CountryName(code) }

func (c *Console) land() report.Land {
	if c.Land == nil {
		return report.Land{}
	}
	return c.Sources.Land()
}

func (c *Console) trustCell(trusted bool) cell {
	trust := "claimed"
	if trusted {
		trust = "trusted"
	}
	return cell{Text: c.words.Say("trust." + trust), Value: trust, Mark: trust}
}

// totals keeps merged tallies for a moment: a merge holds up counting, so a page that is asked for again and again must
// not merge again and again.
type totals struct {
	mu   sync.Mutex
	held map[int]heldTotal // by hours
}

type heldTotal struct {
	at    time.Time
	total *measure.Total
}

// totalLife is how long the total of a day serves; that of a week, which costs seven times as much and changes as little
// in as long, serves seven times as long.
const totalLife = 15 * time.Second

// with calls use with the total of the last hours; one at a time.
func (t *totals) with(c *Console, hours int, use func(*measure.Total)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := c.Now()
	h, ok := t.held[hours]
	if age := now.Sub(h.at); !ok || age < 0 || age >= totalLife*time.Duration(max(1, hours/24)) {
		to := now.UTC().Truncate(time.Hour).Add(time.Hour)
		h = heldTotal{now, c.Tallies.Total(to.Add(-time.Duration(hours)*time.Hour), to)}
		if t.held == nil {
			t.held = map[int]heldTotal{}
		}
		t.held[hours] = h
	}
	use(h.total)
}
