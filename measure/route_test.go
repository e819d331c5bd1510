package measure

import (
	"fmt"
	"net/netip"
	"testing"

	"rempart/message"
)

func TestEdges(t *testing.T) {
	hop := func(from string, network uint32, trusted bool) message.Hop {
		return message.Hop{From: from, Network: network, By: "x", With: "ESMTP", Trusted: trusted}
	}
	for _, tt := range []struct {
		what   string
		source uint32
		route  []message.Hop
		want   string
	}{
		{"straight to the door", 64512, nil, "[{AS64512 mx true}]"},
		{"from nowhere known", 0, nil, "[{unknown mx true}]"},
		{"from a provider, which says where it was born", 64512, []message.Hop{hop("[198.18.2.7]", 64514, false)}, "[{AS64512 mx true} {AS64514 AS64512 false}]"},
		{"claimed hops by name", 64512, []message.Hop{hop("app.shop.example", 0, false), hop("pc", 0, false), hop("mail.Other.Example.", 0, false)},
			"[{AS64512 mx true} {shop.example AS64512 false} {other.example shop.example false}]"},
		{"within one network", 64512, []message.Hop{hop("a.example", 64512, false), hop("b.example", 64513, false)}, "[{AS64512 mx true} {AS64513 AS64512 false}]"},
		{"by the operator's own relays", 64512, []message.Hop{hop("relay", 64500, true), hop("out.post.example", 64512, true), hop("[198.18.2.7]", 64514, false)},
			"[{AS64512 mx true} {AS64514 AS64512 false}]"},
		{"an SMPP bind", 64999, []message.Hop{{From: "aggregator-1", Network: 64999, By: "x", With: "SMPP", Trusted: true}}, "[{aggregator-1 mx true}]"},
	} {
		e := &message.Event{Door: "mx", Source: message.Source{Network: tt.source}, Route: tt.route}
		if got := fmt.Sprint(Edges(e)); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.what, got, tt.want)
		}
	}
	long := &message.Event{Door: "mx"}
	for i := range 40 {
		long.Route = append(long.Route, hop(fmt.Sprintf("mx.h%d.example", i), 0, false))
	}
	if n := len(Edges(long)); n != maxClaimed+1 {
		t.Errorf("a message that claims 40 hops makes %d hand-overs, want %d", n, maxClaimed+1)
	}
}

// A text or call is of one source by its number, a mail by its address, as far as that tells holders apart.
func TestSourcesAreCutAndNamed(t *testing.T) {
	cut := func(a netip.Addr) netip.Addr {
		p, _ := a.Prefix(64)
		return p.Addr()
	}
	tallies := New("n", noon, noon.Sub(noon), groupKey, cut)
	for i := range 20 {
		e := event(message.Email, message.CategoryNone, "", 0, "a.example", 1)
		e.Source.Address = netip.MustParseAddr(fmt.Sprintf("2001:db8:0:%d::%d", i%2, i))
		tallies.Fold(e)
		call := event(message.Call, message.CategoryNone, "", 0, fmt.Sprintf("+4477009000%02d", i%5), 1) // all from one switch
		tallies.Fold(call)
	}
	total := tallies.Total(noon, noon.Add(3600e9))
	for channel, want := range map[message.Channel]uint64{message.Email: 2, message.Call: 5} {
		if _, n := total.Sources(Select{Channel: channel}); n != want {
			t.Errorf("%v: %d sources, want %d", channel, n, want)
		}
	}
}

func TestFrequent(t *testing.T) {
	a, b := NewFrequent(3), NewFrequent(3)
	for _, s := range []string{"x", "x", "", "y"} {
		a.Add(s)
	}
	for range 5 {
		b.Add("y")
	}
	a.Merge(b)
	if got := fmt.Sprint(a.Top(2)); got != "[{y 6 0} {x 2 0}]" {
		t.Errorf("%s", got)
	}
	if got := fmt.Sprint(b.Top(9)); got != "[{y 5 0}]" {
		t.Errorf("the merged one changed: %s", got)
	}
}
