package behaviour

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"

	"rempart/wire"
)

const snapshotVersion = 1

// Tags of a snapshot of the greylist; see docs/formats.md.
const (
	greylistKey wire.Tag = iota + 1
	greylistWaiting
	greylistPassed
)

// Tags of a snapshot of domains; see docs/formats.md.
const (
	domainsKey wire.Tag = iota + 1
	domainsSeen
	domainsForgot
	domainsWatched
)

// AppendSnapshot appends what the greylist holds, in which hashes and their key stand: it is to be sealed.
func (g *Greylist) AppendSnapshot(b []byte) []byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	b = wire.AppendBytes(append(b, snapshotVersion), greylistKey, g.key[:])
	b = wire.AppendBytes(b, greylistWaiting, appendTimes(nil, &g.waiting))
	return wire.AppendBytes(b, greylistPassed, appendTimes(nil, &g.passed))
}

// ReadGreylist makes the greylist that a snapshot was taken of.
func ReadGreylist(b []byte) (*Greylist, error) {
	g, keyed := NewGreylist(), false
	err := snapshotFields(b, func(tag wire.Tag, c wire.Content) error {
		switch tag {
		case greylistKey:
			keyed = copy(g.key[:], c) == len(g.key)
		case greylistWaiting:
			return readTimes(c, &g.waiting)
		case greylistPassed:
			return readTimes(c, &g.passed)
		}
		return nil
	})
	if err == nil && !keyed {
		err = wire.ErrShort
	}
	if err != nil {
		return nil, fmt.Errorf("read snapshot of the greylist: %w", err)
	}
	return g, nil
}

func snapshotFields(b []byte, visit func(wire.Tag, wire.Content) error) error {
	if len(b) == 0 || b[0] != snapshotVersion {
		return wire.ErrVersion
	}
	return wire.Fields(b[1:], visit)
}

// Sizes of the parts of a snapshot of domains: the bucket and what it saw; the bucket and what it forgot; a tenant's hash and watch.
const (
	seenSize    = 4 + 3*4
	forgotSize  = 4 + 4
	watchedSize = 8 + 3*4
)

// AppendSnapshot appends what is known of domains, in which hashes and their key stand: it is to be sealed.
func (d *Domains) AppendSnapshot(b []byte) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	var seen, forgot, watched []byte
	for n := range d.buckets {
		at := &d.buckets[n]
		for _, s := range at.slots {
			if s.mark != 0 {
				seen = appendNumbers(seen, uint32(n), s.mark, s.first, s.last)
			}
		}
		if at.forgot != 0 {
			forgot = appendNumbers(forgot, uint32(n), at.forgot)
		}
	}
	for _, half := range []map[uint64]watch{d.watches.old, d.watches.young} {
		for tenant, w := range half {
			watched = appendNumbers(binary.BigEndian.AppendUint64(watched, tenant), w.since, w.mails, w.ready)
		}
	}
	b = wire.AppendBytes(append(b, snapshotVersion), domainsKey, d.key[:])
	b = wire.AppendBytes(b, domainsSeen, seen)
	b = wire.AppendBytes(b, domainsForgot, forgot)
	return wire.AppendBytes(b, domainsWatched, watched)
}

// ReadDomains makes the table that a snapshot was taken of.
func ReadDomains(b []byte) (*Domains, error) {
	d, keyed := NewDomains(), false
	d.buckets = make([]bucket, bucketCount)
	err := snapshotFields(b, func(tag wire.Tag, c wire.Content) error {
		switch tag {
		case domainsKey:
			keyed = copy(d.key[:], c) == len(d.key)
		case domainsSeen:
			return numbers(c, seenSize, func(n []uint32) {
				at := &d.buckets[n[0]%bucketCount]
				if i := at.find(0); i >= 0 && n[1] != 0 {
					at.slots[i] = sighting{n[1], n[2], n[3]}
				}
			})
		case domainsForgot:
			return numbers(c, forgotSize, func(n []uint32) { d.buckets[n[0]%bucketCount].forgot = n[1] })
		case domainsWatched:
			return numbers(c, watchedSize, func(n []uint32) {
				d.watches.put(uint64(n[0])<<32|uint64(n[1]), watch{n[2], n[3], n[4]})
			})
		}
		return nil
	})
	if err == nil && !keyed {
		err = wire.ErrShort
	}
	if err != nil {
		return nil, fmt.Errorf("read snapshot of domains: %w", err)
	}
	return d, nil
}

func appendNumbers(b []byte, numbers ...uint32) []byte {
	for _, n := range numbers {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	return b
}

// numbers reads rows of so many bytes.
func numbers(b []byte, size int, row func(n []uint32)) error {
	if len(b)%size != 0 {
		return wire.ErrShort
	}
	var n [watchedSize / 4]uint32
	for ; len(b) > 0; b = b[size:] {
		for i := range size / 4 {
			n[i] = binary.BigEndian.Uint32(b[4*i:])
		}
		row(n[:size/4])
	}
	return nil
}

// timeSize is that of a hash and a time in a snapshot.
const timeSize = 8 + 4

// appendTimes appends hashes and their times, those that are forgotten first before the others.
func appendTimes(b []byte, g *generations[uint32]) []byte {
	for _, half := range []map[uint64]uint32{g.old, g.young} {
		for hash, at := range half {
			b = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(b, hash), at)
		}
	}
	return b
}

func readTimes(b []byte, g *generations[uint32]) error {
	return numbers(b, timeSize, func(n []uint32) { g.put(uint64(n[0])<<32|uint64(n[1]), n[2]) })
}

func newKey() (key [32]byte) {
	_, _ = rand.Read(key[:]) // it never fails
	return key
}
