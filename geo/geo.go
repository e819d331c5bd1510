// Package geo says where things come from: of an address the country and the network, of a telephone number the country
// and the kind of line.
//
// All data comes with the build: addresses from third_party/ipdata, the numbering plans of the world as automata that
// gen makes from the metadata of libphonenumber, names of countries from the CLDR. The user's own files replace or overlay
// them. Addresses are unpacked at the first question. A [Places] is immutable and safe for concurrent use; a changed file
// is taken over by opening a new one.
package geo

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/oschwald/maxminddb-golang/v2"
)

// Config is table [geo].
type Config struct {
	// Country is an MMDB file that maps addresses to countries (country.iso_code or country_code) and replaces the built-in
	// table. Default: none; the built-in table has where each announced network is, as of the build.
	Country string `toml:"country"`

	// Network is an MMDB file that maps addresses to autonomous systems (autonomous_system_number,
	// autonomous_system_organization) and replaces the built-in table. Default: none; the built-in table has what was
	// announced as of the build.
	Network string `toml:"network"`

	// IPv6 is what counts as one source of IPv6: "64" is the network of one customer's line, "48" that of one customer,
	// "announced" the prefix that the provider announces: for campaigns that wander within one. IPv4 addresses count one by
	// one. Default: 64.
	IPv6 string `toml:"ipv6"`

	// Home is the country (ISO 3166-1 alpha-2: "DE") whose subscribers dial: numbers without + are read as they dial them,
	// and its emergency numbers count. Default: none; only numbers with + or 00 are read, and the emergency numbers of all
	// countries count.
	Home string `toml:"home"`

	// Numbers is a CSV file of number ranges laid over the built-in numbering plan, "prefix,country,type" a line:
	// "+4930,DE,fixed". The longest prefix wins; type is one of fixed, mobile, fixed_or_mobile, toll_free, premium,
	// shared_cost, voip, personal, pager, uan, voicemail, or unknown for a range that is not in use. Default: none.
	Numbers string `toml:"numbers"`
}

// Errors of settings and of the file that Numbers names.
var (
	ErrIPv6          = errors.New("use 64, 48 or announced")
	ErrHome          = errors.New("no country with a numbering plan; use ISO 3166-1 alpha-2, like DE")
	ErrPrefix        = errors.New("not a prefix of numbers; use + and up to 17 digits")
	ErrPrefixTwice   = errors.New("prefix comes twice")
	ErrCountry       = errors.New("not a country; use ISO 3166-1 alpha-2, like DE")
	ErrLineType      = errors.New("unknown type of line")
	ErrTooManyRanges = errors.New("too many ranges")
)

// Places answers from the built-in data and from open files.
type Places struct {
	country, network *maxminddb.Reader // nil: built in
	ipv6             string
	home             *region // nil: none
	own              ownPlan
	names            func() map[uint32]string // of networks, in the user's file
}

// Open checks the settings and opens the configured files.
func Open(c Config) (*Places, error) {
	p := &Places{ipv6: c.IPv6}
	if !slices.Contains([]string{"", "64", "48", "announced"}, c.IPv6) {
		return nil, fmt.Errorf("geo.ipv6 = %q: %w", c.IPv6, ErrIPv6)
	}
	if c.Home != "" {
		i := slices.IndexFunc(regions[:], func(r region) bool { return r.code == c.Home })
		if i < 0 {
			return nil, fmt.Errorf("geo.home = %q: %w", c.Home, ErrHome)
		}
		p.home = &regions[i]
	}
	if c.Numbers != "" {
		var err error
		if p.own, err = readPlan(c.Numbers); err != nil {
			return nil, fmt.Errorf("geo.numbers = %q: %w", c.Numbers, err)
		}
	}
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
	p.names = sync.OnceValue(p.ownNames)
	return p, nil
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
