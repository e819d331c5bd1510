package geo

import (
	"encoding/binary"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
)

// writeMMDB makes a database (MaxMind DB format 2.0, 24-bit records) in which 192.0.2.0/24 has the given record.
func writeMMDB(t *testing.T, record map[string]any) string {
	t.Helper()
	prefix := netip.MustParsePrefix("192.0.2.0/24")
	addr := binary.BigEndian.Uint32(prefix.Addr().AsSlice())
	const nodes = 24
	var tree []byte
	appendRecord := func(v uint32) { tree = append(tree, byte(v>>16), byte(v>>8), byte(v)) }
	for i := range uint32(nodes) {
		next := i + 1
		if next == nodes {
			next = nodes + 16 // the first byte of data
		}
		if addr>>(31-i)&1 == 0 {
			appendRecord(next)
			appendRecord(nodes)
		} else {
			appendRecord(nodes)
			appendRecord(next)
		}
	}
	b := append(tree, make([]byte, 16)...)
	b = appendValue(b, record)
	b = append(b, "\xab\xcd\xefMaxMind.com"...)
	b = appendValue(b, map[string]any{"node_count": uint32(nodes), "record_size": uint16(24), "ip_version": uint16(4),
		"binary_format_major_version": uint16(2), "binary_format_minor_version": uint16(0), "database_type": "test"})
	path := filepath.Join(t.TempDir(), "test.mmdb")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func appendValue(b []byte, v any) []byte {
	switch v := v.(type) {
	case string:
		if len(v) >= 29 { // the size goes on in the next byte
			return append(append(b, 2<<5|29, byte(len(v)-29)), v...)
		}
		return append(append(b, 2<<5|byte(len(v))), v...)
	case uint16:
		return append(b, 5<<5|2, byte(v>>8), byte(v))
	case uint32:
		return append(b, 6<<5|4, byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
	case map[string]any:
		b = append(b, 7<<5|byte(len(v)))
		for key, value := range v {
			b = appendValue(appendValue(b, key), value)
		}
	}
	return b
}

func TestLookup(t *testing.T) {
	p, err := Open(Config{Country: writeMMDB(t, map[string]any{"country": map[string]any{"iso_code": "BF"}}),
		Network: writeMMDB(t, map[string]any{"autonomous_system_number": uint32(64512)})})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for _, tt := range []struct {
		addr, country string
		network       uint32
	}{
		{"192.0.2.7", "BF", 64512},
		{"::ffff:192.0.2.7", "BF", 64512},
		{"198.51.100.1", "", 0},
		{"2001:db8::1", "", 0},
	} {
		if country, network := p.Lookup(netip.MustParseAddr(tt.addr)); country != tt.country || network != tt.network {
			t.Errorf("%s: %q, %d, want %q, %d", tt.addr, country, network, tt.country, tt.network)
		}
	}
}

func TestOtherFieldName(t *testing.T) {
	p, err := Open(Config{Country: writeMMDB(t, map[string]any{"country_code": "FR"})})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if country, network := p.Lookup(netip.MustParseAddr("192.0.2.1")); country != "FR" || network != 0 {
		t.Errorf("%q, %d", country, network)
	}
}

func TestNoFile(t *testing.T) {
	p, err := Open(Config{})
	if err != nil {
		t.Fatal(err)
	}
	if country, network := p.Lookup(netip.MustParseAddr("192.0.2.1")); country != "" || network != 0 {
		t.Errorf("without data: %q, %d", country, network)
	}
	if _, err := Open(Config{Network: filepath.Join(t.TempDir(), "none.mmdb")}); err == nil {
		t.Error("a file that is not there was opened")
	}
}
