package geo

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"sync"

	"rempart/geo/ranges"
	"rempart/third_party/ipdata"

	"github.com/klauspost/compress/zstd"
)

// Lookup says the country and the autonomous system of an address, as far as they are known: "" and 0 if not. An
// IPv4-mapped address is unmapped.
func (p *Places) Lookup(a netip.Addr) (country string, network uint32) {
	a = a.Unmap()
	if !a.IsValid() {
		return "", 0
	}
	if p.country == nil {
		country = countries().find(a)
	} else {
		country = p.countryOf(a)
	}
	if p.network == nil {
		network = networks().find(a).Value
	} else {
		network, _ = p.networkOf(a)
	}
	return country, network
}

// countryOf asks the user's file. An address that it does not have, or a record of another form, is an unknown country.
func (p *Places) countryOf(a netip.Addr) string {
	var r struct {
		Code    string `maxminddb:"country_code"`
		Country struct {
			Code string `maxminddb:"iso_code"`
		} `maxminddb:"country"`
	}
	_ = p.country.Lookup(a).Decode(&r)
	if r.Country.Code != "" {
		return r.Country.Code
	}
	return r.Code
}

// networkOf asks the user's file; bits is the length of the prefix that it has the address under.
func (p *Places) networkOf(a netip.Addr) (network uint32, bits int) {
	var r struct {
		Number uint32 `maxminddb:"autonomous_system_number"`
	}
	result := p.network.Lookup(a)
	_ = result.Decode(&r)
	return r.Number, result.Prefix().Bits()
}

// announced is the length of the prefix under which an IPv6 address is announced; 0 if none is known. Prefixes side by
// side of one network are one.
func (p *Places) announced(a netip.Addr) int {
	if p.network != nil {
		if network, bits := p.networkOf(a); network != 0 {
			return bits
		}
		return 0
	}
	r := networks().find(a)
	if r.Value == 0 {
		return 0
	}
	upper := binary.BigEndian.Uint64(a.AsSlice())
	bits := 64
	for bits > 1 && upper>>(65-bits)<<(65-bits) >= r.First && upper|(1<<(65-bits)-1) <= r.Last {
		bits--
	}
	return bits
}

// networkTable holds AS numbers.
type networkTable struct {
	v4 *ranges.Table[uint32, uint32]
	v6 *ranges.Table[uint64, uint32] // upper halves
}

// find answers the range of an address too; that of IPv4 in the same units.
func (t *networkTable) find(a netip.Addr) ranges.Range[uint64, uint32] {
	if a.Is4() {
		r := t.v4.Find(v4Key(a))
		return ranges.Range[uint64, uint32]{First: uint64(r.First), Last: uint64(r.Last), Value: r.Value}
	}
	return t.v6.Find(v6Key(a))
}

// countryTable holds places in its list of codes, from 1 on.
type countryTable struct {
	codes []string
	v4    *ranges.Table[uint32, uint8]
	v6    *ranges.Table[uint64, uint8]
}

func (t *countryTable) find(a netip.Addr) string {
	if a.Is4() {
		return t.codes[t.v4.Find(v4Key(a)).Value]
	}
	return t.codes[t.v6.Find(v6Key(a)).Value]
}

func v4Key(a netip.Addr) uint32 {
	b := a.As4()
	return binary.BigEndian.Uint32(b[:])
}

func v6Key(a netip.Addr) uint64 {
	b := a.As16()
	return binary.BigEndian.Uint64(b[:])
}

// The built-in tables are unpacked at the first question and then kept. That they can be unpacked is a matter of the
// build, which a test holds.
var (
	networks  = sync.OnceValue(func() *networkTable { return must(parseNetworks(ipdata.Networks)) })
	countries = sync.OnceValue(func() *countryTable { return must(parseCountries(ipdata.Countries)) })
)

func must[T any](v T, err error) T {
	if err != nil {
		panic("geo: embedded data: " + err.Error())
	}
	return v
}

func parseNetworks(packed []byte) (*networkTable, error) {
	b, err := unpack(packed)
	if err != nil {
		return nil, err
	}
	t := &networkTable{}
	if t.v4, b, err = ranges.Parse[uint32, uint32](b); err != nil {
		return nil, fmt.Errorf("networks of IPv4: %w", err)
	}
	if t.v6, _, err = ranges.Parse[uint64, uint32](b); err != nil {
		return nil, fmt.Errorf("networks of IPv6: %w", err)
	}
	return t, nil
}

func parseCountries(packed []byte) (*countryTable, error) {
	b, err := unpack(packed)
	if err != nil {
		return nil, err
	}
	n, size := binary.Uvarint(b)
	if size <= 0 || n > 255 || uint64(len(b)-size) < 2*n {
		return nil, errors.New("countries without their list")
	}
	t := &countryTable{codes: make([]string, 256)}
	for i := range int(n) {
		t.codes[i+1] = string(b[size+2*i:][:2])
	}
	if t.v4, b, err = ranges.Parse[uint32, uint8](b[size+2*int(n):]); err != nil {
		return nil, fmt.Errorf("countries of IPv4: %w", err)
	}
	if t.v6, _, err = ranges.Parse[uint64, uint8](b); err != nil {
		return nil, fmt.Errorf("countries of IPv6: %w", err)
	}
	return t, nil
}

// maxUnpacked bounds what an embedded table takes when it is unpacked.
const maxUnpacked = 64 << 20

func unpack(packed []byte) ([]byte, error) {
	r, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxUnpacked))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return r.DecodeAll(packed, nil)
}
