package geo

import "net/netip"

// Source is what counts as one source: an IPv4 address itself; of an IPv6 address the first address of its network, as
// long as [Config].IPv6 says, since whoever has one IPv6 address has 2^64 of them. An IPv4-mapped address is unmapped, a
// zone taken off.
func (p *Places) Source(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if !a.Is6() {
		return a
	}
	bits := 64
	switch p.ipv6 {
	case "48":
		bits = 48
	case "announced":
		if announced := p.announced(a); announced > 0 {
			bits = min(announced, 64)
		}
	}
	prefix, err := a.Prefix(bits)
	if err != nil {
		return a
	}
	return prefix.Addr()
}
