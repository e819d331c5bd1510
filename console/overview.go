package console

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"time"

	"rempart/measure"
	"rempart/message"
)

// overviewHours is what the first page looks back on, the running hour included.
const overviewHours = 24

const week = 7 * 24 * time.Hour

type overviewPage struct {
	From, To time.Time
	Channels []channelCard
	Troubles []HealthRow
	Books    Books
	Tour     []Stop
}

// channelCard is one channel's day: its figures, and its picture with the table behind it.
type channelCard struct {
	Channel   message.Channel
	Messages  uint64
	Spam      uint64
	Share     float64 // of spam
	Before    before
	Actions   []actionCount
	Chart     hourChart
	TablePath string
}

// before compares the hours that have ended with the same hours a week earlier. A node that was not there then has no
// figures, which is not 0.
type before struct {
	Known    bool
	Messages uint64
	Share    float64
	Change   float64 // of messages: +0.1 is a tenth more
	Points   float64 // of the share, in percentage points
}

type actionCount struct {
	Action   message.Action
	Messages uint64
	Share    float64
}

func (c *Console) overview(w http.ResponseWriter, r *http.Request) error {
	page := overviewPage{}
	now, last := c.hours(overviewHours)
	page.From, page.To = now[0].Time, c.Now().UTC()
	for _, ch := range channelsOf(now) {
		page.Channels = append(page.Channels, card(ch, now, last))
	}
	if c.Health != nil {
		for _, row := range c.Health(r.Context()).Rows {
			if row.State != OK {
				page.Troubles = append(page.Troubles, row)
			}
		}
	}
	if c.Books != nil {
		page.Books = c.Sources.Books()
	}
	if c.Tour != nil {
		page.Tour = c.Sources.Tour()
	}
	return c.render(w, r, "overview", page)
}

// hours are the last n hours, the running one last, and the same a week before.
func (c *Console) hours(n int) (now, weekBefore []measure.HourVolumes) {
	to := c.Now().UTC().Truncate(time.Hour).Add(time.Hour)
	from := to.Add(-time.Duration(n) * time.Hour)
	return c.Tallies.Hours(from, to), c.Tallies.Hours(from.Add(-week), to.Add(-week))
}

// channelsOf are the channels on which something came.
func channelsOf(hours []measure.HourVolumes) []message.Channel {
	var out []message.Channel
	for _, h := range hours {
		for k := range h.Volumes {
			if !slices.Contains(out, k.Channel) {
				out = append(out, k.Channel)
			}
		}
	}
	slices.Sort(out)
	return out
}

func card(ch message.Channel, now, last []measure.HourVolumes) channelCard {
	days, weekBefore := perHour(ch, now), perHour(ch, last)
	c := channelCard{Channel: ch, Chart: newChart(days, weekBefore), TablePath: "/volumes?channel=" + ch.String()}
	for _, h := range days {
		c.Messages += h.Ham + h.Spam
		c.Spam += h.Spam
	}
	c.Share = share(c.Spam, c.Messages)
	c.Before = compare(days[:len(days)-1], weekBefore[:len(weekBefore)-1])
	actions := map[message.Action]uint64{}
	for _, h := range now {
		for k, v := range h.Volumes {
			if k.Channel == ch {
				actions[k.Action] += v.Messages
			}
		}
	}
	for a, n := range actions {
		c.Actions = append(c.Actions, actionCount{a, n, share(n, c.Messages)})
	}
	slices.SortFunc(c.Actions, func(a, b actionCount) int {
		return cmp.Or(cmp.Compare(b.Messages, a.Messages), cmp.Compare(a.Action, b.Action))
	})
	return c
}

// hourly is one hour of one channel.
type hourly struct {
	Time      time.Time
	Ham, Spam uint64
}

func perHour(ch message.Channel, hours []measure.HourVolumes) []hourly {
	out := make([]hourly, len(hours))
	for i, h := range hours {
		out[i].Time = h.Time
		for k, v := range h.Volumes {
			switch {
			case ch != 0 && k.Channel != ch:
			case k.Category == message.CategoryNone:
				out[i].Ham += v.Messages
			default:
				out[i].Spam += v.Messages
			}
		}
	}
	return out
}

func compare(now, last []hourly) (b before) {
	var messages, spam, spamBefore uint64
	for i := range now {
		messages += now[i].Ham + now[i].Spam
		spam += now[i].Spam
		b.Messages += last[i].Ham + last[i].Spam
		spamBefore += last[i].Spam
	}
	if b.Messages == 0 {
		return b
	}
	b.Known = true
	b.Share = share(spamBefore, b.Messages)
	b.Change = float64(messages)/float64(b.Messages) - 1
	b.Points = 100 * (share(spam, messages) - b.Share)
	return b
}

func share(part, whole uint64) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

type volumesPage struct {
	Table   table
	Channel message.Channel
	Hours   int
}

// volumes is the table behind the pictures.
func (c *Console) volumes(w http.ResponseWriter, r *http.Request) error {
	n := window(r)
	channel, err := channelOf(r)
	if err != nil {
		return err
	}
	now, last := c.hours(n)
	q := url.Values{}
	if channel != 0 {
		q.Set("channel", channel.String())
	}
	if n != overviewHours {
		q.Set("hours", hoursText(n))
	}
	t := table{Name: "volumes", Path: withQuery("/volumes", q), Empty: "empty.volumes", Columns: []column{
		{"hour", false, false}, {"channel", false, false}, {"messages", true, false}, {"honest", true, false}, {"spam", true, false}, {"share", true, false}, {"week_before", true, false}}}
	channels := channelsOf(now)
	if channel != 0 {
		channels = []message.Channel{channel}
	}
	for _, ch := range channels {
		weekBefore := perHour(ch, last)
		for i, h := range perHour(ch, now) {
			t.Rows = append(t.Rows, []cell{
				{Text: h.Time.Format("2006-01-02 15:04 UTC"), Value: h.Time},
				{Text: c.words.Say("channel." + ch.String()), Value: ch.String()},
				c.count(h.Ham + h.Spam), c.count(h.Ham), c.count(h.Spam), c.share(h.Spam, h.Ham+h.Spam),
				c.count(weekBefore[i].Ham + weekBefore[i].Spam)})
		}
	}
	return c.serveTable(w, r, t, "volumes", volumesPage{t, channel, n})
}
