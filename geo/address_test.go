package geo

import (
	"math/rand/v2"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"

	"rempart/third_party/ipdata"
)

// Networks that keep their addresses, in every region's registry.
func TestBuiltInAddresses(t *testing.T) {
	p := open(t, Config{})
	for _, tt := range []struct {
		addr, country string
		network       uint32
		name          string
	}{
		{"8.8.8.8", "US", 15169, "Google LLC"},
		{"::ffff:8.8.8.8", "US", 15169, "Google LLC"},
		{"193.0.0.1", "NL", 3333, "Reseaux IP Europeens Network Coordination Centre (RIPE NCC)"},
		{"200.160.2.3", "BR", 22548, "Nucleo de Inf. e Coord. do Ponto BR - NIC.BR"},
		{"196.216.2.6", "MU", 33764, "African Network Information Center - ( AfriNIC Ltd. )"},
		{"2001:200::1", "JP", 2500, "WIDE Project"},
		{"2001:67c:2e8::1", "NL", 3333, "Reseaux IP Europeens Network Coordination Centre (RIPE NCC)"},
		{"2001:12ff::1", "BR", 22548, "Nucleo de Inf. e Coord. do Ponto BR - NIC.BR"},
		{"2a02:8109::1", "DE", 31334, "Vodafone GmbH"},
		{"192.0.2.1", "", 0, ""},
		{"10.0.0.1", "", 0, ""},
		{"2001:db8::1", "", 0, ""},
		{"fe80::1%eth0", "", 0, ""},
	} {
		country, network := p.Lookup(netip.MustParseAddr(tt.addr))
		if name := p.NetworkName(network); country != tt.country || network != tt.network || name != tt.name {
			t.Errorf("%s: %q, %d, %q", tt.addr, country, network, name)
		}
	}
	if country, network := p.Lookup(netip.Addr{}); country != "" || network != 0 {
		t.Errorf("no address: %q, %d", country, network)
	}
}

// The embedded tables are whole: sizes in the order of the Internet's, every code a country's, no network without digits.
func TestEmbeddedTables(t *testing.T) {
	n, err := parseNetworks(ipdata.Networks)
	if err != nil {
		t.Fatal(err)
	}
	c, err := parseCountries(ipdata.Countries)
	if err != nil {
		t.Fatal(err)
	}
	names, err := parseNames(ipdata.Names)
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range c.codes[1:] {
		if code != "" && CountryName(code) == "" {
			t.Errorf("country %q has no name", code)
		}
	}
	if len(names.numbers) < 50_000 {
		t.Errorf("%d names", len(names.numbers))
	}
	for i, number := range names.numbers {
		if name := names.find(number); name == "" || strings.Contains(name, "\n") || i > 0 && number <= names.numbers[i-1] {
			t.Fatalf("network %d is called %q", number, name)
		}
	}
	stored := len(ipdata.Networks) + len(ipdata.Countries) + len(ipdata.Names)
	memory := n.v4.Bytes() + n.v6.Bytes() + c.v4.Bytes() + c.v6.Bytes() + len(names.text) + 8*len(names.numbers)
	t.Logf("%d bytes in the program, %d in memory", stored, memory)
	if stored > 6_000_000 || memory > 16<<20 {
		t.Errorf("%d bytes in the program, %d in memory", stored, memory)
	}
}

func TestDamagedTables(t *testing.T) {
	for _, b := range [][]byte{nil, []byte("no table"), ipdata.Networks[:len(ipdata.Networks)/2]} {
		if _, err := parseNetworks(b); err == nil {
			t.Errorf("%d bytes are networks", len(b))
		}
		if _, err := parseCountries(b); err == nil {
			t.Errorf("%d bytes are countries", len(b))
		}
		if _, err := parseNames(b); err == nil {
			t.Errorf("%d bytes are names", len(b))
		}
	}
}

func TestOwnNames(t *testing.T) {
	p := open(t, Config{Network: writeMMDB(t, map[string]any{"autonomous_system_number": uint32(64512), "autonomous_system_organization": "Ours"})})
	if got := p.NetworkName(64512); got != "Ours" {
		t.Errorf("%q", got)
	}
	if got := p.NetworkName(15169); got != "" {
		t.Errorf("the built-in name %q beside the user's file", got)
	}
}

func TestAttributions(t *testing.T) {
	own := writeMMDB(t, map[string]any{"country_code": "FR"})
	for _, tt := range []struct {
		config Config
		want   string
	}{
		{Config{}, "iptoasn.com db-ip.com www.routeviews.org www.nro.net"},
		{Config{Country: own}, "db-ip.com www.routeviews.org www.nro.net"},
		{Config{Network: own}, "iptoasn.com"},
		{Config{Country: own, Network: own}, ""},
	} {
		var hosts []string
		for _, a := range open(t, tt.config).Attributions() {
			hosts = append(hosts, strings.TrimPrefix(a.URL, "https://"))
			if a.Text == "" || a.Licence == "" {
				t.Errorf("%+v", a)
			}
		}
		if got := strings.Join(hosts, " "); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.config, got, tt.want)
		}
	}
}

func TestSource(t *testing.T) {
	own := writeMMDB(t, map[string]any{"autonomous_system_number": uint32(64512)})
	for _, tt := range []struct{ ipv6, network, addr, want string }{
		{"", "", "192.0.2.7", "192.0.2.7"},
		{"48", "", "::ffff:192.0.2.7", "192.0.2.7"},
		{"", "", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"},
		{"64", "", "fe80::1%eth0", "fe80::"},
		{"48", "", "2001:db8:1:2:3:4:5:6", "2001:db8:1::"},
		{"announced", "", "2001:67c:2e8:1:2:3:4:5", "2001:67c:2e8::"}, // a /48
		{"announced", "", "2a02:8109:1:2:3:4:5:6", "2a02:8100::"},     // a /27
		{"announced", "", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"},   // not announced
		{"announced", own, "2a02:8109:1:2:3:4:5:6", "2a02:8109:1:2::"},
	} {
		p := open(t, Config{IPv6: tt.ipv6, Network: tt.network})
		if got := p.Source(netip.MustParseAddr(tt.addr)); got != netip.MustParseAddr(tt.want) {
			t.Errorf("%q %s: %s, want %s", tt.ipv6, tt.addr, got, tt.want)
		}
	}
	if got := open(t, Config{}).Source(netip.Addr{}); got.IsValid() {
		t.Errorf("no address: %s", got)
	}
}

// The announced prefix of an address contains it and belongs to one network.
func TestAnnouncedIsOneNetwork(t *testing.T) {
	p := open(t, Config{IPv6: "announced"})
	r := rand.New(rand.NewPCG(6, 64))
	announced := 0
	for range 20_000 {
		a := randomV6(r)
		bits := p.announced(a)
		if bits == 0 {
			continue
		}
		announced++
		prefix, _ := a.Prefix(bits)
		_, network := p.Lookup(a)
		first := prefix.Addr()
		last := first.As16()
		for i := bits; i < 128; i++ {
			last[i/8] |= 0x80 >> (i % 8)
		}
		for _, b := range []netip.Addr{first, netip.AddrFrom16(last)} {
			if _, n := p.Lookup(b); n != network || !prefix.Contains(b) {
				t.Fatalf("%s in %s: network %d, at %s %d", a, prefix, network, b, n)
			}
		}
	}
	if announced < 100 {
		t.Errorf("%d of 20,000 addresses are announced", announced)
	}
}

// randomV6 is an address of the blocks that the registries give from.
func randomV6(r *rand.Rand) netip.Addr {
	var b [16]byte
	b[0], b[1] = [...]byte{0x24, 0x26, 0x28, 0x2a, 0x2a}[r.IntN(5)], byte(r.IntN(16))
	for i := 2; i < 16; i++ {
		b[i] = byte(r.Uint32())
	}
	return netip.AddrFrom16(b)
}

func randomV4(r *rand.Rand) netip.Addr {
	v := r.Uint32()
	return netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
}

func TestLookupAllocatesNothing(t *testing.T) {
	p := open(t, Config{})
	a, b := netip.MustParseAddr("8.8.8.8"), netip.MustParseAddr("2a02:8109::1")
	p.Lookup(a)
	if n := testing.AllocsPerRun(100, func() {
		p.Lookup(a)
		p.Lookup(b)
		p.Source(b)
		p.Emergency("112")
		p.Number("+12")
		p.NetworkName(15169)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestConcurrentUse(t *testing.T) {
	p := open(t, Config{IPv6: "announced"})
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			r := rand.New(rand.NewPCG(uint64(i), 1))
			for range 1000 {
				for _, a := range []netip.Addr{randomV4(r), randomV6(r)} {
					_, network := p.Lookup(a)
					p.NetworkName(network)
					p.Source(a)
					p.Number("+4930901820")
				}
			}
		})
	}
	group.Wait()
}

func BenchmarkLookup(b *testing.B) {
	p := open(b, Config{})
	for _, bb := range []struct {
		name   string
		random func(*rand.Rand) netip.Addr
	}{{"ipv4", randomV4}, {"ipv6", randomV6}} {
		b.Run(bb.name, func(b *testing.B) {
			r := rand.New(rand.NewPCG(4, 6))
			addrs := make([]netip.Addr, 1<<16)
			for i := range addrs {
				addrs[i] = bb.random(r)
			}
			p.Lookup(addrs[0])
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				p.Lookup(addrs[i&(len(addrs)-1)])
				i++
			}
		})
	}
}

func BenchmarkUnpack(b *testing.B) {
	var before, after runtime.MemStats
	for b.Loop() {
		runtime.GC()
		runtime.ReadMemStats(&before)
		n, c, names := must(parseNetworks(ipdata.Networks)), must(parseCountries(ipdata.Countries)), must(parseNames(ipdata.Names))
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc)-float64(before.HeapAlloc), "heap-bytes")
		runtime.KeepAlive(n)
		runtime.KeepAlive(c)
		runtime.KeepAlive(names)
	}
}
