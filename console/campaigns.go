package console

import (
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"rempart/account"
	"rempart/campaign"
	"rempart/index"
	"rempart/measure"
	"rempart/message"
)

type campaignsPage struct {
	Hours   int
	Windows []int
	Base    string
	Bulk    bool // also what is no spam
	Table   table
}

// leastCampaign is from how many messages on something is shown as a campaign: one or two are no wave.
const leastCampaign = 3

// campaigns are those seen within the window, those with most spam first.
func (c *Console) campaigns(w http.ResponseWriter, r *http.Request) error {
	hours := window(r)
	t := table{Name: "campaigns", Empty: "empty.campaigns", Columns: []column{{"campaign", false, false}, {"category", false, false},
		{"channels", false, false}, {"messages", true, false}, {"spam", true, false}, {"stopped", true, false}, {"first", false, false}, {"last", false, false},
		{"id", false, true}}}
	q := url.Values{}
	if hours != overviewHours {
		q.Set("hours", hoursText(hours))
	}
	bulk := r.URL.Query().Get("bulk") != ""
	if bulk {
		q.Set("bulk", "1")
	}
	t.Path = withQuery("/campaigns", q)
	for _, k := range c.Campaigns.List(c.Now().Add(-time.Duration(hours)*time.Hour), leastCampaign, longTable) {
		if k.Spam > 0 || bulk {
			t.Rows = append(t.Rows, c.campaignRow(&k))
		}
	}
	return c.serveTable(w, r, t, "campaigns", campaignsPage{hours, windows, "/campaigns", bulk, t})
}

func (c *Console) campaignRow(k *campaign.Campaign) []cell {
	stamp := func(t time.Time) cell { return cell{Text: t.UTC().Format("2006-01-02 15:04:05"), Value: t.UTC()} }
	var names, values []string
	for _, ch := range channelsIn(k) {
		names, values = append(names, c.words.Say("channel."+ch.String())), append(values, ch.String())
	}
	return []cell{{Text: seen(k.Name()), Value: k.Name(), Mark: "code", Link: campaignPath(k.ID)},
		{Text: c.words.Say("category.is_" + k.Category().String()), Value: k.Category().String()}, {Text: strings.Join(names, ", "), Value: values},
		c.count(k.Messages), c.count(k.Spam), c.share(k.Stopped, k.Messages), stamp(k.First), stamp(k.Last), {Text: k.ID}}
}

func campaignPath(id string) string { return "/campaigns/" + url.PathEscape(id) }

func channelsIn(k *campaign.Campaign) (out []message.Channel) {
	for ch := range k.Channels {
		out = append(out, ch)
	}
	slices.Sort(out)
	return out
}

type campaignPage struct {
	campaign.Campaign
	Title     string
	Category  message.Category
	Subject   string
	Hidden    bool // a subject is kept, and the role may not see it
	ByChannel []channelCount
	Map       picture
	Picture   picture // of its routes
	Tables    []table
	Latest    table // messages
	MaySee    bool  // messages
}

type channelCount struct {
	Channel  message.Channel
	Messages uint64
	Share    float64 // of the campaign
}

// campaignParts are the tables of one campaign, by the last part of their path.
var campaignParts = []struct {
	name, column string
	messages     bool // it names people's numbers
	of           func(*campaign.Campaign) []measure.Count
}{
	{"hosts", "host", false, func(k *campaign.Campaign) []measure.Count { return k.Hosts }},
	{"numbers", "number", true, func(k *campaign.Campaign) []measure.Count { return k.Numbers }},
	{"senders", "senders", false, func(k *campaign.Campaign) []measure.Count { return k.Senders }},
	{"countries", "countries", false, func(k *campaign.Campaign) []measure.Count { return k.Countries }},
	{"networks", "networks", false, func(k *campaign.Campaign) []measure.Count { return k.Networks }},
}

func (c *Console) campaign(w http.ResponseWriter, r *http.Request) error {
	k, ok := c.Campaigns.Get(r.PathValue("id"))
	if !ok {
		return errNoCampaign
	}
	who, _ := c.user(r)
	page := campaignPage{Campaign: k, Title: seen(k.Name()), Category: k.Category(), MaySee: who.Role.May(account.SeeMessages)}
	if k.Subject != "" {
		if page.Hidden = !who.Role.May(account.SeeSubjects); !page.Hidden {
			if err := c.record(r.Context(), r, account.Entry{What: "campaign.looked_at", Object: k.ID}); err != nil {
				return err
			}
			page.Subject = seen(k.Subject)
		}
	}
	for _, ch := range channelsIn(&k) {
		page.ByChannel = append(page.ByChannel, channelCount{ch, k.Channels[ch], share(k.Channels[ch], k.Messages)})
	}
	for _, p := range campaignParts {
		if list := p.of(&k); len(list) > 0 && (!p.messages || page.MaySee) {
			page.Tables = append(page.Tables, c.campaignTable(&k, p.name, p.column, list, shortTable))
		}
	}
	page.Tables = append(page.Tables, c.campaignRoutes(&k, shortTable))
	spam := map[measure.Edge]uint64{} // by which way its spam came is not counted apart: each has its share
	for _, e := range k.Edges {
		spam[e.Edge] = e.Messages * k.Spam / max(k.Messages, 1)
	}
	page.Map, page.Picture = c.countryMap(k.Countries), c.flows(k.Edges, spam)
	if page.MaySee {
		var err error
		if page.Latest, err = c.campaignMessages(r, &k); err != nil {
			return err
		}
	}
	return c.render(w, r, "campaign", page)
}

// campaignPart is one of a campaign's tables, whole, or its export.
func (c *Console) campaignPart(w http.ResponseWriter, r *http.Request) error {
	k, ok := c.Campaigns.Get(r.PathValue("id"))
	if !ok {
		return errNoCampaign
	}
	name := strings.TrimSuffix(r.PathValue("part"), path.Ext(r.URL.Path))
	page := campaignPage{Campaign: k, Title: seen(k.Name())}
	if name == "routes" {
		page.Tables = []table{c.campaignRoutes(&k, longTable)}
		return c.serveTable(w, r, page.Tables[0], "campaign_part", page)
	}
	who, _ := c.user(r)
	for _, p := range campaignParts {
		if p.name != name {
			continue
		}
		if p.messages && !who.Role.May(account.SeeMessages) {
			return errForbidden
		}
		page.Tables = []table{c.campaignTable(&k, p.name, p.column, p.of(&k), longTable)}
		return c.serveTable(w, r, page.Tables[0], "campaign_part", page)
	}
	return errNoPage
}

func (c *Console) campaignTable(k *campaign.Campaign, name, columnKey string, list []measure.Count, limit int) table {
	t := table{Name: "campaign_" + name, Path: campaignPath(k.ID) + "/" + name, Empty: "empty.figures",
		Columns: []column{{columnKey, false, false}, {"messages", true, false}, {"share_of_campaign", true, false}}}
	for _, n := range list[:min(limit, len(list))] {
		t.Rows = append(t.Rows, []cell{c.placeCell(name, n.Name), c.count(n.Messages), c.share(min(n.Messages, k.Messages), k.Messages)})
	}
	return t
}

// placeCell is a source as it is shown: a country or network with its name.
func (c *Console) placeCell(kind, name string) cell {
	out := cell{Text: seen(name), Value: name, Mark: "code"}
	switch {
	case name == measure.Unknown:
		out.Text = c.words.Say("unknown_source")
	case kind == "countries":
		out.Note = c.countryName(name)
	case kind == "networks":
		out.Note = seen(c.networkName(name))
	}
	return out
}

func (c *Console) campaignRoutes(k *campaign.Campaign, limit int) table {
	t := table{Name: "campaign_routes", Path: campaignPath(k.ID) + "/routes", Empty: "empty.figures", Columns: []column{{"gives", false, false},
		{"takes", false, false}, {"trust", false, false}, {"messages", true, false}}}
	for _, e := range k.Edges[:min(limit, len(k.Edges))] {
		t.Rows = append(t.Rows, []cell{c.stationCell(e.From), c.stationCell(e.By), c.trustCell(e.Trusted), c.count(e.Messages)})
	}
	return t
}

// campaignMessages are the latest messages of a campaign.
func (c *Console) campaignMessages(r *http.Request, k *campaign.Campaign) (table, error) {
	var events []*message.Event
	for _, id := range append([]string{k.ID}, k.Also...) {
		found, err := c.Events.Search(r.Context(), index.Query{Text: id, Limit: shortTable})
		if err != nil {
			return table{}, err
		}
		events = append(events, found.Events...)
	}
	slices.SortStableFunc(events, func(a, b *message.Event) int { return b.Time.Compare(a.Time) })
	t := c.messageTable(events[:min(len(events), shortTable)])
	t.Path = "/messages?q=" + url.QueryEscape(k.ID)
	return t, nil
}
