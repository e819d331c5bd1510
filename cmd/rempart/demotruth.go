package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"rempart/measure"
	"rempart/message"
	"rempart/world"
)

// measured is what the node's tallies say: counts of all messages and of spam, as the ledger has them of the truth.
type measured struct {
	volumes  map[message.Channel]world.Count
	networks map[string]world.Count
	senders  map[string]world.Count // of texts and calls
	edges    map[string]world.Count
}

// mostNames is more than tallies tell apart.
const mostNames = 4096

// senderChannels are those whose senders are compared; who writes a mail says nothing about where it comes from.
var senderChannels = []message.Channel{message.SMS, message.Call}

// measured reads the tallies, earlier runs included.
func (d *demo) measured() measured {
	total := d.node.Total(d.begun.Add(-time.Hour), time.Now().Add(time.Hour))
	m := measured{map[message.Channel]world.Count{}, map[string]world.Count{}, map[string]world.Count{}, map[string]world.Count{}}
	spam := true
	for _, only := range []*bool{nil, &spam} {
		add := func(to map[string]world.Count, name string, n uint64) { to[name] = sum(to[name], only != nil, n) }
		for _, c := range demoChannels {
			of := measure.Select{Channel: c.channel, Spam: only}
			m.volumes[c.channel] = sum(m.volumes[c.channel], only != nil, total.Messages(of))
			if slices.Contains(senderChannels, c.channel) {
				for _, s := range total.Senders(of, mostNames) {
					add(m.senders, s.Name, s.Messages)
				}
			}
		}
		for _, n := range total.Networks(measure.Select{Spam: only}, mostNames) {
			add(m.networks, n.Name, n.Messages)
		}
		for _, e := range total.Edges(measure.Select{Spam: only}, mostNames) {
			add(m.edges, edgeName(e.From, e.By), e.Messages)
		}
	}
	return m
}

func sum(c world.Count, spam bool, n uint64) world.Count {
	if spam {
		return world.Count{All: c.All, Spam: c.Spam + n}
	}
	return world.Count{All: c.All + n, Spam: c.Spam}
}

func edgeName(from, by string) string { return from + " > " + by }

// since takes out what was counted before.
func (m measured) since(before measured) measured {
	less(m.volumes, before.volumes)
	less(m.networks, before.networks)
	less(m.senders, before.senders)
	less(m.edges, before.edges)
	return m
}

func less[K comparable](m, before map[K]world.Count) {
	for k, b := range before {
		c := m[k]
		m[k] = world.Count{All: c.All - min(c.All, b.All), Spam: c.Spam - min(c.Spam, b.Spam)}
	}
}

// senderName is a sender as tallies name it.
func senderName(id string) string {
	return measure.Sender(&message.Event{Source: message.Source{ID: id}})
}

// truthTable puts what was measured beside the truth.
func (d *demo) truthTable() string {
	m := d.measured().since(d.before)
	var out strings.Builder
	out.WriteString("\nmeasured beside the truth\n")
	fmt.Fprintf(&out, "%-34s %9s %9s %9s %9s %9s %9s\n", "", "measured", "true", "error", "spam", "true", "error")
	for _, c := range demoChannels {
		got, want := m.volumes[c.channel], d.ledger.Volume(c.channel)
		fmt.Fprintf(&out, "%-34s %9d %9d %+9d %8.1f%% %8.1f%% %+8.1f points\n", c.name, got.All, want.All, int64(got.All)-int64(want.All),
			share(got), share(want), share(got)-share(want))
	}
	senders := map[string]world.Count{}
	for _, c := range senderChannels {
		for name, n := range d.ledger.Senders(c) {
			senders[name] = world.Count{All: senders[name].All + n.All, Spam: senders[name].Spam + n.Spam}
		}
	}
	edges := map[string]world.Count{}
	for e, n := range d.ledger.Edges() {
		edges[edgeName(e.From, e.By)] = n
	}
	d.compare(&out, "networks, by spam", m.networks, d.ledger.Networks())
	d.compare(&out, "senders of texts and calls, by spam", m.senders, senders)
	d.compare(&out, "route edges, by spam", m.edges, edges)
	return out.String()
}

// share is the part of spam in percent.
func share(c world.Count) float64 { return 100 * float64(c.Spam) / float64(max(1, c.All)) }

// topNames is how many names of each kind are compared.
const topNames = 10

// compare prints the names with most true spam.
func (d *demo) compare(out *strings.Builder, title string, got, want map[string]world.Count) {
	fmt.Fprintf(out, "%s\n", title)
	names := slices.SortedFunc(maps.Keys(want), func(a, b string) int {
		return cmp.Or(cmp.Compare(want[b].Spam, want[a].Spam), strings.Compare(a, b))
	})
	for _, name := range names[:min(topNames, len(names))] {
		g, w := got[name], want[name]
		fmt.Fprintf(out, "  %-32s %9d %9d %9s %9d %9d %9s\n", strings.TrimSpace(name+" "+d.world.NetworkName(name)), g.All, w.All, relative(g.All, w.All), g.Spam, w.Spam, relative(g.Spam, w.Spam))
	}
}

// relative is how far a measured count is from the true one, in percent of it.
func relative(got, want uint64) string {
	if want == 0 {
		return "-"
	}
	return fmt.Sprintf("%+.1f%%", 100*(float64(got)-float64(want))/float64(want))
}
