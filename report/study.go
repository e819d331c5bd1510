// Package report writes documents for people outside of the console: so far the study of what a node measured (WTSA
// Resolution 52, instructs TSB 2): volume, types, sources and routes of spam by channel.
//
// [NewStudy] takes the figures out of merged tallies; a [Study] is data, which can be carried as JSON. [Study.WriteHTML]
// writes it as one page that needs nothing else, [Study.WriteFiles] that page and the tables behind it. Every figure says what it is: a count, a count
// with a bound of its error, or an estimate. What was not measured is absent, never 0.
package report

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"rempart/chart"
	"rempart/geo"
	"rempart/measure"
	"rempart/message"
)

// Study is the figures of one period, those of the node and of the others whose tallies it has.
type Study struct {
	Node     string    `json:"node"`
	Version  string    `json:"version"`
	From     time.Time `json:"from"` // the first hour, UTC
	To       time.Time `json:"to"`   // behind the last hour
	Made     time.Time `json:"made"`
	Origins  []string  `json:"origins"` // nodes that counted
	Hours    int       `json:"hours"`   // of the period
	Counted  int       `json:"counted"` // hours of them in which something was counted
	Step     Step      `json:"step"`
	Series   []Slot    `json:"series"`
	Channels []Figures `json:"channels"` // those on which something was counted
	Together Places    `json:"together"` // of all channels
	Credits  []Credit  `json:"credits,omitempty"`
	Land     Land      `json:"land"`
}

// Credit is what the data behind names of places asks to be said.
type Credit struct {
	Text    string `json:"text"`
	URL     string `json:"url,omitempty"`
	Licence string `json:"licence,omitempty"`
}

// Step is how long one slot of the series is.
type Step string

// Steps.
const (
	Hourly Step = "hour"
	Daily  Step = "day"
)

// Slot is the volumes of one hour or day.
type Slot struct {
	Time     time.Time                   `json:"time"`
	Channels map[message.Channel]HamSpam `json:"channels"`
}

// HamSpam is messages by what they were judged to be.
type HamSpam struct {
	Ham  uint64 `json:"ham"`
	Spam uint64 `json:"spam"`
}

// Figures is one channel.
type Figures struct {
	Channel    message.Channel       `json:"channel"`
	Messages   uint64                `json:"messages"`
	Recipients uint64                `json:"recipients"`
	Spam       uint64                `json:"spam"`
	Categories []CategoryCount       `json:"categories"` // of the spam
	Actions    []ActionCount         `json:"actions"`
	Volumes    []measure.VolumeCount `json:"volumes"`
	Sources    Range                 `json:"sources"`      // how many unlike ones
	SpamFrom   Range                 `json:"spam_sources"` // how many of them sent spam
	Places
}

// Range is an estimate: from Low to High, where sketches of unlike keys could not be merged; else both are the same.
type Range struct {
	Low  uint64 `json:"low"`
	High uint64 `json:"high"`
}

// CategoryCount is spam by what it is for.
type CategoryCount struct {
	Category message.Category `json:"category"`
	Messages uint64           `json:"messages"`
}

// ActionCount is what was decided.
type ActionCount struct {
	Action   message.Action `json:"action"`
	Messages uint64         `json:"messages"`
}

// Places is where messages come from and which way.
type Places struct {
	Countries []Source `json:"countries"`
	Networks  []Source `json:"networks"`
	Senders   []Source `json:"senders"`
	Edges     []Edge   `json:"edges"`
}

// Source is one country, network or sender. A count is never too low, and at most by its error too high.
type Source struct {
	Name      string `json:"name"`
	Label     string `json:"label,omitempty"` // of a country or network
	Messages  uint64 `json:"messages"`
	Spam      uint64 `json:"spam"`
	Error     uint64 `json:"error"` // of Messages
	SpamError uint64 `json:"spam_error"`
}

// Edge is a hand-over.
type Edge struct {
	From      string `json:"from"`
	FromLabel string `json:"from_label,omitempty"`
	By        string `json:"by"`
	ByLabel   string `json:"by_label,omitempty"`
	Trusted   bool   `json:"trusted"`
	Messages  uint64 `json:"messages"`
	Spam      uint64 `json:"spam"`
	Error     uint64 `json:"error"`
}

// How many of each kind are in a report.
const (
	maxSources = 50
	maxEdges   = 60
)

// hourlyUpTo is the longest period that is shown by the hour.
const hourlyUpTo = 3 * 24

// Material is what a study is made of.
type Material struct {
	Node, Version string
	From, To      time.Time // whole hours, UTC
	Made          time.Time
	Leaves        []*measure.Leaf // those of the period
	Places        *geo.Places     // names of networks
	Land          Land
}

// NewStudy takes the figures out of m.
func NewStudy(m Material) Study {
	s := Study{Node: m.Node, Version: m.Version, From: m.From, To: m.To, Made: m.Made, Land: m.Land, Hours: int(m.To.Sub(m.From) / time.Hour)}
	hours := map[int64]bool{}
	for _, l := range m.Leaves {
		hours[l.Hour] = true
		if !slices.Contains(s.Origins, l.Origin) {
			s.Origins = append(s.Origins, l.Origin)
		}
	}
	slices.Sort(s.Origins)
	s.Counted = len(hours)
	s.series(m.Leaves)
	total := measure.Merge(m.Leaves)
	for _, ch := range []message.Channel{message.Email, message.SMS, message.Call, message.IM} {
		if total.Messages(measure.Select{Channel: ch}) > 0 {
			s.Channels = append(s.Channels, m.figures(total, ch))
		}
	}
	s.Together = m.places(total, 0)
	for _, c := range m.Places.Attributions() {
		s.Credits = append(s.Credits, Credit{c.Text, c.URL, c.Licence})
	}
	if !m.Land.Invented() {
		s.Credits = append(s.Credits, Credit{Text: chart.Credit, URL: chart.CreditURL})
	}
	return s
}

// series fills the volumes over time; slots without any are there, too.
func (s *Study) series(leaves []*measure.Leaf) {
	s.Step = Daily
	step := 24 * time.Hour
	if s.Hours <= hourlyUpTo {
		s.Step, step = Hourly, time.Hour
	}
	start := s.From.Truncate(step)
	for at := start; at.Before(s.To); at = at.Add(step) {
		s.Series = append(s.Series, Slot{at, map[message.Channel]HamSpam{}})
	}
	for _, h := range measure.ByHour(leaves) {
		i := int(h.Time.Sub(start) / step)
		if i < 0 || i >= len(s.Series) {
			continue
		}
		for k, v := range h.Volumes {
			sum := s.Series[i].Channels[k.Channel]
			if k.Category == message.CategoryNone {
				sum.Ham += v.Messages
			} else {
				sum.Spam += v.Messages
			}
			s.Series[i].Channels[k.Channel] = sum
		}
	}
}

func (m *Material) figures(total *measure.Total, ch message.Channel) Figures {
	yes := true
	f := Figures{Channel: ch, Places: m.places(total, ch)}
	categories, actions := map[message.Category]uint64{}, map[message.Action]uint64{}
	for _, v := range total.Volumes() {
		if v.Channel != ch {
			continue
		}
		f.Volumes = append(f.Volumes, v)
		f.Messages += v.Messages
		f.Recipients += v.Recipients
		actions[v.Action] += v.Messages
		if v.Category != message.CategoryNone {
			f.Spam += v.Messages
			categories[v.Category] += v.Messages
		}
	}
	for c := range message.OtherSpam + 1 {
		if n := categories[c]; n > 0 {
			f.Categories = append(f.Categories, CategoryCount{c, n})
		}
	}
	for a := range message.Remove + 1 {
		if n := actions[a]; n > 0 {
			f.Actions = append(f.Actions, ActionCount{a, n})
		}
	}
	f.Sources.Low, f.Sources.High = total.Sources(measure.Select{Channel: ch})
	f.SpamFrom.Low, f.SpamFrom.High = total.Sources(measure.Select{Channel: ch, Spam: &yes})
	return f
}

// places of one channel, or of all (0).
func (m *Material) places(total *measure.Total, ch message.Channel) (p Places) {
	yes := true
	all, spam := measure.Select{Channel: ch}, measure.Select{Channel: ch, Spam: &yes}
	p.Countries = join(total.Countries(all, maxSources), total.Countries(spam, maxSources), m.Land.CountryName)
	p.Networks = join(total.Networks(all, maxSources), total.Networks(spam, maxSources), m.networkName)
	p.Senders = join(total.Senders(all, maxSources), total.Senders(spam, maxSources), func(string) string { return "" })
	of := map[measure.Edge]uint64{}
	for _, e := range total.Edges(spam, maxEdges) {
		of[e.Edge] = e.Messages
	}
	for _, e := range total.Edges(all, maxEdges) {
		p.Edges = append(p.Edges, Edge{e.From, m.networkName(e.From), e.By, m.networkName(e.By), e.Trusted, e.Messages, min(of[e.Edge], e.Messages), e.Error})
	}
	return p
}

// join puts what was counted of all messages and of spam beside each other, most messages first.
func join(all, spam []measure.Count, label func(string) string) (out []Source) {
	of := map[string]measure.Count{}
	for _, s := range spam {
		of[s.Name] = s
	}
	for _, a := range all {
		s := of[a.Name]
		out = append(out, Source{a.Name, label(a.Name), a.Messages, min(s.Messages, a.Messages), a.Error, s.Error})
	}
	return out
}

// networkName is the name of a network that tallies call "AS64512"; empty for anything else.
func (m *Material) networkName(name string) string {
	digits, ok := strings.CutPrefix(name, "AS")
	n, err := strconv.ParseUint(digits, 10, 32)
	if !ok || err != nil {
		return ""
	}
	return m.Places.NetworkName(uint32(n))
}
