package world

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
)

// country is an invented one. Its code is user-assigned in ISO 3166-1, so that no real one is meant.
type country struct {
	code, name, language string
	currency             string // how an amount is written
	number               func(*rand.Rand) string
}

// network is an autonomous system with a private number (RFC 6996), a /24 and a /48 of its own.
type network struct {
	number  uint32
	kind    networkKind
	country *country
	domain  string
	v4, v6  netip.Prefix
}

type networkKind int

const (
	mailProvider networkKind = iota
	access                   // homes and phones: where infected machines stand
	hosting
	lawless // hosting that answers no complaint
)

// The countries. Numbers are from ranges that regulators set aside for fiction: Ofcom 07700 900xxx, the Bundesnetzagentur's
// 030 23125 xxx and like, Arcep 06 39 98 xx xx, and 555-01xx of the North American plan.
var countryTable = []country{
	{"XA", "Avaria", "en", "£%d.%02d", func(r *rand.Rand) string { return fmt.Sprintf("447700900%03d", r.IntN(1000)) }},
	{"XB", "Brenland", "de", "%d,%02d EUR", func(r *rand.Rand) string {
		return fmt.Sprintf("49%s%03d", pick(r, []string{"3023125", "6990009", "4066969", "2214710", "8999998"}), r.IntN(1000))
	}},
	{"XC", "Corvenne", "fr", "%d,%02d €", func(r *rand.Rand) string { return fmt.Sprintf("3363998%04d", r.IntN(10000)) }},
	{"XD", "Doravia", "es", "%d,%02d €", func(r *rand.Rand) string { return american(r, "212", "305", "415", "505") }},
	{"XE", "Estmark", "en", "$%d.%02d", func(r *rand.Rand) string { return american(r, "206", "312", "617", "702", "808") }},
}

func american(r *rand.Rand, areas ...string) string {
	return fmt.Sprintf("1%s55501%02d", pick(r, areas), r.IntN(100))
}

// networkTable is what each country has; the last one also has the hosts that answer nobody.
var networkTable = []struct {
	kind networkKind
	name string
}{{mailProvider, "post"}, {mailProvider, "mail"}, {access, "line"}, {access, "mobile"}, {hosting, "hosting"}}

const firstNetwork = 64512 // of the private numbers

// place lays out countries and networks.
func (w *World) place(rng *rand.Rand) {
	for i := range countryTable {
		c := &countryTable[i]
		w.countries = append(w.countries, c)
		for _, t := range networkTable {
			w.addNetwork(c, t.kind, fmt.Sprintf("%s-%s.example", t.name, strings.ToLower(c.name)))
		}
	}
	last := w.countries[len(w.countries)-1]
	for _, name := range []string{"quickhost.test", "offshore-vps.test", "greyrack.test"} {
		c := last
		if rng.IntN(3) == 0 {
			c = pick(rng, w.countries)
		}
		w.addNetwork(c, lawless, name)
	}
}

func (w *World) addNetwork(c *country, kind networkKind, domain string) {
	i := len(w.networks)
	w.networks = append(w.networks, &network{number: uint32(firstNetwork + i), kind: kind, country: c, domain: domain,
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

// networksOf are the networks of a kind, of one country or of all (nil).
func (w *World) networksOf(kind networkKind, c *country) (out []*network) {
	for _, n := range w.networks {
		if n.kind == kind && (c == nil || n.country == c) {
			out = append(out, n)
		}
	}
	return out
}
