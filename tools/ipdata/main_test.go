package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"rempart/geo/ranges"
)

func TestReadCSV(t *testing.T) {
	path := filepath.Join(t.TempDir(), "asn.csv")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	names := map[uint32]map[string]int{}
	write("3221225984,3221226239,64496,\"One,  of them\"\n3325256704,3325256959,64496,Other\n3405803776,3405804031,64496,Other\n")
	v4, err := readCSV[uint32](path, 0, names)
	if want := []ranges.Range[uint32, uint32]{{First: 0xC0000200, Last: 0xC00002FF, Value: 64496}, {First: 0xC6336400, Last: 0xC63364FF, Value: 64496},
		{First: 0xCB007100, Last: 0xCB0071FF, Value: 64496}}; err != nil || !slices.Equal(v4, want) {
		t.Errorf("%v, %x", err, v4)
	}
	// 2001:db8::/48, then 2001:db8:1::/96, which lies below the half that is kept, then a range that ends within one.
	write("42540766411282592856903984951653826560,42540766411283801782723599580828532735,64497,Six\n" +
		"42540766411283801782723599580828532736,42540766411283801782723599585123500031,64498,Tiny\n" +
		"42540766411285010708543214210003238912,42540766411285010726989958283712790527,64497,Six\n")
	v6, err := readCSV[uint64](path, 64, names)
	if want := []ranges.Range[uint64, uint32]{{First: 0x20010db800000000, Last: 0x20010db80000ffff, Value: 64497}}; err != nil || len(v6) != 2 || v6[0] != want[0] || v6[1].First != v6[1].Last {
		t.Errorf("%v, %x", err, v6)
	}
	if got, want := packNames(names), "\x02\xf0\xf7\x03\x01Other\nSix\n"; string(got) != want {
		t.Errorf("%q, want %q", got, want)
	}
	for _, bad := range []string{"1,2,3\n", "x,2,64496,Name\n", "1,2,-1,Name\n"} {
		write(bad)
		if _, err := readCSV[uint32](path, 0, names); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
}
