package geo

import "net/netip"

// Lookup says the country and the autonomous system of an address, as far as they are known.
func (p *Places) Lookup(a netip.Addr) (country string, network uint32) {
	a = a.Unmap()
	if p.country != nil {
		var r struct {
			Code    string `maxminddb:"country_code"`
			Country struct {
				Code string `maxminddb:"iso_code"`
			} `maxminddb:"country"`
		}
		// An address that the file does not have, or a record of another form, is an unknown country.
		_ = p.country.Lookup(a).Decode(&r)
		country = r.Country.Code
		if country == "" {
			country = r.Code
		}
	}
	if p.network != nil {
		var r struct {
			Number uint32 `maxminddb:"autonomous_system_number"`
		}
		_ = p.network.Lookup(a).Decode(&r)
		network = r.Number
	}
	return country, network
}

// announced is the length of the announced prefix that an IPv6 address lies in; 0 if none is known.
func (p *Places) announced(a netip.Addr) int {
	if p.network != nil {
		if r := p.network.Lookup(a); r.Found() {
			return r.Prefix().Bits()
		}
	}
	return 0
}
