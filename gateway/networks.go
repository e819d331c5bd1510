package gateway

import (
	"fmt"
	"net/netip"
	"slices"
)

// Networks reads addresses and networks of a configuration; an address is a network of one.
func Networks(list []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, s := range list {
		p, err := netip.ParsePrefix(s)
		if a, e := netip.ParseAddr(s); e == nil {
			p, err = netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()), nil
		}
		if err != nil {
			return nil, fmt.Errorf("%q: use an address or a network like 192.0.2.0/24", s)
		}
		out = append(out, p.Masked())
	}
	return out, nil
}

// Contains reports whether a lies in one of the networks.
func Contains(networks []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(a) })
}
