package world

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"

	"rempart/message"
)

// country is an invented one. Its code is user-assigned in ISO 3166-1, so that no real one is meant.
type country struct {
	code, name, language string
	currency             string // how an amount is written
	blocks               []block
}

// network is an autonomous system with a private number (RFC 6996), a /24 and a /48 of its own.
type network struct {
	number  uint32
	name    string // of who runs it
	kind    networkKind
	country *country
	domain  string
	v4, v6  netip.Prefix
}

type networkKind int

const (
	mailProvider networkKind = iota
	fixed                    // homes: where infected machines stand
	mobile
	hosting
	lawless // hosting that answers no complaint
	transit // carriers of calls between others
	own     // this operator's
)

// The countries. Numbers are from ranges that regulators set aside for fiction: Ofcom's 07700 900xxx, 020 7946 0xxx, 0808
// 157 0xxx and 0909 879 0xxx, the Bundesnetzagentur's 030 23125 xxx and like, Arcep's 06 39 98 xx xx and 01 99 00 xx xx,
// and 555-01xx of the North American plan. What a range is for is this world's own plan.
var countryTable = []country{
	{"XA", "Avaria", "en", "£%d.%02d", []block{{"447700900", 3, message.Mobile}, {"442079460", 3, message.FixedLine},
		{"448081570", 3, message.TollFree}, {"449098790", 3, message.Premium}}},
	{"XB", "Brenland", "de", "%d,%02d EUR", []block{{"498999998", 3, message.Mobile}, {"492214710", 3, message.Mobile},
		{"493023125", 3, message.FixedLine}, {"496990009", 3, message.FixedLine}, {"494066969", 3, message.FixedLine}}},
	{"XC", "Corvenne", "fr", "%d,%02d €", []block{{"3363998", 4, message.Mobile}, {"3319900", 4, message.FixedLine}}},
	{"XD", "Doravia", "es", "%d,%02d €", american([]string{"212", "305", "646"}, []string{"415", "505"}, "509", "609")},
	{"XE", "Estmark", "en", "$%d.%02d", american([]string{"206", "312", "917"}, []string{"617", "702", "808"}, "518", "")},
}

// american are blocks of the North American plan: area codes for mobiles, for lines, and those of free and of dear calls.
func american(mobiles, lines []string, free, dear string) (out []block) {
	add := func(area string, line message.LineType) { out = append(out, block{"1" + area + "55501", 2, line}) }
	for _, area := range mobiles {
		add(area, message.Mobile)
	}
	for _, area := range lines {
		add(area, message.FixedLine)
	}
	add(free, message.TollFree)
	if dear != "" {
		add(dear, message.Premium)
	}
	return out
}

// networkTable is what each country has; the last one also has the hosts that answer nobody.
var networkTable = []struct {
	kind networkKind
	name string
}{{mailProvider, "Post"}, {mailProvider, "Mail"}, {fixed, "Line"}, {mobile, "Mobile"}, {hosting, "Hosting"}}

// transitTable are carriers that bring calls and messages from abroad; the last one asks nobody where they come from.
var transitTable = []struct{ name, domain, country string }{
	{"Globewave Carrier", "globewave.example", "XA"}, {"Northlink Voice", "northlink.example", "XB"}, {"Greyvoice Wholesale", "greyvoice.test", "XE"},
}

const firstNetwork = 64512 // of the private numbers

// place lays out countries and networks.
func (w *World) place(rng *rand.Rand) {
	for i := range countryTable {
		c := &countryTable[i]
		w.countries = append(w.countries, c)
		for _, t := range networkTable {
			w.addNetwork(c, t.kind, c.name+" "+t.name, strings.ToLower(t.name+"-"+c.name+".example"))
		}
	}
	last := w.countries[len(w.countries)-1]
	for _, name := range []string{"Quickhost", "Offshore-VPS", "Greyrack"} {
		c := last
		if rng.IntN(3) == 0 {
			c = pick(rng, w.countries)
		}
		w.addNetwork(c, lawless, name, strings.ToLower(name)+".test")
	}
	for _, t := range transitTable {
		for _, c := range w.countries {
			if c.code == t.country {
				w.addNetwork(c, transit, t.name, t.domain)
			}
		}
	}
	w.addNetwork(w.countries[0], own, "Harbour Net", "harbour-net.example")
}

func (w *World) addNetwork(c *country, kind networkKind, name, domain string) {
	i := len(w.networks)
	w.networks = append(w.networks, &network{number: uint32(firstNetwork + i), name: name, kind: kind, country: c, domain: domain,
		v4: netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 18, byte(i), 0}), 24),
		v6: netip.PrefixFrom(netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 0, byte(i)}), 48)})
}

// address is one of the network's: IPv4, in a fifth of the cases IPv6.
func (n *network) address(rng *rand.Rand) netip.Addr {
	if rng.IntN(5) == 0 {
		a := n.v6.Addr().As16()
		a[7], a[15] = byte(rng.IntN(256)), byte(1+rng.IntN(254))
		return netip.AddrFrom16(a)
	}
	return n.host(1 + rng.IntN(254))
}

// host is the network's i-th IPv4 address.
func (n *network) host(i int) netip.Addr {
	a := n.v4.Addr().As4()
	a[3] = byte(i)
	return netip.AddrFrom4(a)
}

// NetworkName is who runs the network that routes call "AS64512"; empty if it is none of this world's.
func (w *World) NetworkName(as string) string {
	for _, n := range w.networks {
		if n.as() == as {
			return n.name
		}
	}
	return ""
}

// as is the network as routes name it.
func (n *network) as() string { return fmt.Sprintf("AS%d", n.number) }

// networksOf are the networks of a kind, of one country or of all (nil).
func (w *World) networksOf(kind networkKind, c *country) (out []*network) {
	for _, n := range w.networks {
		if n.kind == kind && (c == nil || n.country == c) {
			out = append(out, n)
		}
	}
	return out
}
