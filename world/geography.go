package world

import (
	"encoding/binary"
	"net/netip"
	"time"
)

// Geography is the world's addresses as an MMDB file (MaxMind DB format 2.0, IPv6 tree, 24-bit records): country.iso_code
// and autonomous_system_number and autonomous_system_organization of each network. Package geo reads it under both of its
// keys.
func (w *World) Geography() []byte {
	var tree mmdb
	tree.nodes = make([][2]int, 1)
	for _, n := range w.networks {
		at := len(tree.data)
		tree.data = appendMap(tree.data, 3)
		tree.data = appendString(tree.data, "country")
		tree.data = appendMap(tree.data, 1)
		tree.data = appendString(appendString(tree.data, "iso_code"), n.country.code)
		tree.data = appendUint(appendString(tree.data, "autonomous_system_number"), typeUint32, uint64(n.number))
		tree.data = appendString(appendString(tree.data, "autonomous_system_organization"), n.name)
		tree.insert(n.v4, at)
		tree.insert(n.v6, at)
	}
	return tree.bytes(w.cfg.Start)
}

// mmdb is the file in the making. A record of a node is 0 for none, n for node n, or -1-offset into data.
type mmdb struct {
	nodes [][2]int
	data  []byte
}

func (t *mmdb) insert(p netip.Prefix, at int) {
	bits, a := p.Bits(), p.Addr().As16()
	if p.Addr().Is4() { // the tree has IPv4 at ::/96
		a4 := p.Addr().As4()
		a = [16]byte{}
		copy(a[12:], a4[:])
		bits += 96
	}
	node := 0
	for i := range bits {
		bit := a[i/8] >> (7 - i%8) & 1
		if i == bits-1 {
			t.nodes[node][bit] = -1 - at
			return
		}
		if t.nodes[node][bit] == 0 {
			t.nodes = append(t.nodes, [2]int{})
			t.nodes[node][bit] = len(t.nodes) - 1
		}
		node = t.nodes[node][bit]
	}
}

func (t *mmdb) bytes(built time.Time) []byte {
	var b []byte
	for _, n := range t.nodes {
		for _, r := range n {
			switch {
			case r == 0:
				r = len(t.nodes) // not found
			case r < 0:
				r = len(t.nodes) + 16 + (-1 - r)
			}
			b = append(b, byte(r>>16), byte(r>>8), byte(r))
		}
	}
	b = append(b, make([]byte, 16)...)
	b = append(b, t.data...)
	b = append(b, "\xab\xcd\xefMaxMind.com"...)
	b = appendMap(b, 9)
	b = appendUint(appendString(b, "binary_format_major_version"), typeUint16, 2)
	b = appendUint(appendString(b, "binary_format_minor_version"), typeUint16, 0)
	b = appendUint(appendString(b, "build_epoch"), typeUint64, uint64(built.Unix()))
	b = appendString(appendString(b, "database_type"), "Rempart-World")
	b = appendMap(appendString(b, "description"), 1)
	b = appendString(appendString(b, "en"), "A world that is not there")
	b = appendUint(appendString(b, "ip_version"), typeUint16, 6)
	b = append(appendString(b, "languages"), 0, 4) // an array of none: extended type 11
	b = appendUint(appendString(b, "node_count"), typeUint32, uint64(len(t.nodes)))
	return appendUint(appendString(b, "record_size"), typeUint16, 24)
}

// Types of the data section that are used here; those above 7 are extended.
const (
	typeString = 2
	typeUint16 = 5
	typeUint32 = 6
	typeMap    = 7
	typeUint64 = 9
)

func appendMap(b []byte, pairs int) []byte { return append(b, typeMap<<5|byte(pairs)) }

// appendString: none here is longer than 284 bytes. Up to 28 the control byte says, beyond it the byte that follows.
func appendString(b []byte, s string) []byte {
	if len(s) > 28 {
		return append(append(b, typeString<<5|29, byte(len(s)-29)), s...)
	}
	return append(append(b, typeString<<5|byte(len(s))), s...)
}

func appendUint(b []byte, kind byte, v uint64) []byte {
	var be [8]byte
	binary.BigEndian.PutUint64(be[:], v)
	size := map[byte]int{typeUint16: 2, typeUint32: 4, typeUint64: 8}[kind]
	if kind > 7 {
		b = append(b, byte(size), kind-7)
	} else {
		b = append(b, kind<<5|byte(size))
	}
	return append(b, be[8-size:]...)
}
