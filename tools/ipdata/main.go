// Command ipdata packs what third_party/ipdata embeds: networks and their names from two CSV files (first address, last
// address, AS number, name; addresses as numbers), countries from an MMDB file (country_code).
//
//	ipdata asn-ipv4-num.csv asn-ipv6-num.csv country.mmdb OUT
package main

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/csv"
	"fmt"
	"io"
	"log"
	"maps"
	"math/big"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"rempart/geo"
	"rempart/geo/ranges"

	"github.com/klauspost/compress/zstd"
	"github.com/oschwald/maxminddb-golang/v2"
)

func main() {
	if len(os.Args) != 5 {
		log.Fatal("usage: ipdata asn-ipv4-num.csv asn-ipv6-num.csv country.mmdb OUT")
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
		log.Fatal(err)
	}
}

func run(asn4, asn6, country, out string) error {
	names := map[uint32]map[string]int{}
	v4, err := readCSV[uint32](asn4, 0, names)
	if err != nil {
		return err
	}
	v6, err := readCSV[uint64](asn6, 64, names)
	if err != nil {
		return err
	}
	countries, err := packCountries(country)
	if err != nil {
		return err
	}
	networks := ranges.Append(ranges.Append(nil, ranges.Make(v4)), ranges.Make(v6))
	for name, b := range map[string][]byte{"networks.zst": networks, "names.zst": packNames(names), "countries.zst": countries} {
		if err := os.WriteFile(filepath.Join(out, name), compress(b), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func compress(b []byte) []byte {
	w, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithWindowSize(8<<20))
	if err != nil {
		log.Fatal(err)
	}
	return w.EncodeAll(b, nil)
}

// readCSV reads ranges of networks; of addresses the bits right of shift are left out, and so are ranges that lie between
// two such addresses. names counts what each network is called.
func readCSV[K ranges.Key](path string, shift uint, names map[uint32]map[string]int) (list []ranges.Range[K, uint32], err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	in := csv.NewReader(f)
	in.FieldsPerRecord = 4
	for {
		row, err := in.Read()
		if err == io.EOF {
			return list, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		first, ok := new(big.Int).SetString(row[0], 10)
		last, okay := new(big.Int).SetString(row[1], 10)
		number, err := strconv.ParseUint(row[2], 10, 32)
		if !ok || !okay || err != nil {
			return nil, fmt.Errorf("%s: row %q", path, row)
		}
		up := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), shift), big.NewInt(1)) // to the next whole address
		first.Rsh(first.Add(first, up), shift)
		last.Rsh(last.Add(last, big.NewInt(1)), shift)
		if first.Cmp(last) >= 0 {
			continue
		}
		as := uint32(number)
		list = append(list, ranges.Range[K, uint32]{First: K(first.Uint64()), Last: K(last.Sub(last, big.NewInt(1)).Uint64()), Value: as})
		if names[as] == nil {
			names[as] = map[string]int{}
		}
		names[as][strings.Join(strings.Fields(row[3]), " ")]++
	}
}

// packNames writes how many networks have a name, the distances between their numbers as uvarint, and the names, each
// with a line feed.
func packNames(names map[uint32]map[string]int) []byte {
	var numbers, texts []byte
	n, before := 0, uint32(0)
	for _, as := range slices.Sorted(maps.Keys(names)) {
		name := slices.MaxFunc(slices.Sorted(maps.Keys(names[as])), func(a, b string) int { return cmp.Compare(names[as][a], names[as][b]) })
		if name == "" {
			continue
		}
		n++
		numbers = binary.AppendUvarint(numbers, uint64(as-before))
		before = as
		texts = append(append(texts, name...), '\n')
	}
	return bytes.Join([][]byte{binary.AppendUvarint(nil, uint64(n)), numbers, texts}, nil)
}

// packCountries writes the codes, and the table of each kind of address with their places in that list, from 1 on.
func packCountries(path string) ([]byte, error) {
	db, err := maxminddb.Open(path)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	var codes []string
	var v4 []ranges.Range[uint32, uint8]
	var v6 []ranges.Range[uint64, uint8]
	for r := range db.Networks() {
		var record struct {
			Code string `maxminddb:"country_code"`
		}
		if err := r.Decode(&record); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if geo.CountryName(record.Code) == "" {
			continue // AP and EU say a continent
		}
		at := slices.Index(codes, record.Code)
		if at < 0 {
			at = len(codes)
			codes = append(codes, record.Code)
		}
		prefix := r.Prefix()
		if prefix.Addr().Is4() {
			a := binary.BigEndian.Uint32(prefix.Addr().AsSlice())
			v4 = append(v4, ranges.Range[uint32, uint8]{First: a, Last: a | ^uint32(0)>>prefix.Bits(), Value: uint8(at + 1)})
		} else if prefix.Bits() <= 64 && prefix.Addr() != netip.IPv6Unspecified() {
			a := binary.BigEndian.Uint64(prefix.Addr().AsSlice())
			v6 = append(v6, ranges.Range[uint64, uint8]{First: a, Last: a | ^uint64(0)>>prefix.Bits(), Value: uint8(at + 1)})
		}
	}
	if len(codes) > 255 {
		return nil, fmt.Errorf("%s: %d countries", path, len(codes))
	}
	b := append(binary.AppendUvarint(nil, uint64(len(codes))), strings.Join(codes, "")...)
	return ranges.Append(ranges.Append(b, ranges.Make(v4)), ranges.Make(v6)), nil
}
