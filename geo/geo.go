// Package geo says where an address is: country and network, from MMDB files of the user's own.
//
// A country file answers ISO 3166-1 alpha-2 under country.iso_code or country_code; a network file answers
// autonomous_system_number (MaxMind's, DB-IP's and IPLocate's field names). Without a file nothing is known: country "" and
// network 0. A [Places] is immutable and safe for concurrent use; a changed file is taken over by opening a new one.
package geo

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/oschwald/maxminddb-golang/v2"
)

// Config is table [geo].
type Config struct {
	// Country is an MMDB file that maps addresses to countries. Default: none; the country of every source is unknown.
	Country string `toml:"country"`

	// Network is an MMDB file that maps addresses to autonomous systems. Default: none.
	Network string `toml:"network"`
}

// Places answers from open files.
type Places struct {
	country, network *maxminddb.Reader
}

// Open opens the configured files.
func Open(c Config) (*Places, error) {
	p := &Places{}
	for _, f := range []struct {
		key, path string
		reader    **maxminddb.Reader
	}{{"geo.country", c.Country, &p.country}, {"geo.network", c.Network, &p.network}} {
		if f.path == "" {
			continue
		}
		r, err := maxminddb.Open(f.path)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("%s = %q: %w", f.key, f.path, err), p.Close())
		}
		*f.reader = r
	}
	return p, nil
}

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

// Close closes the files.
func (p *Places) Close() error {
	var errs []error
	for _, r := range []*maxminddb.Reader{p.country, p.network} {
		if r != nil {
			errs = append(errs, r.Close())
		}
	}
	return errors.Join(errs...)
}
