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
	if len(b)%timeSize != 0 {
		return wire.ErrShort
	}
	for ; len(b) > 0; b = b[timeSize:] {
		g.put(binary.BigEndian.Uint64(b), binary.BigEndian.Uint32(b[8:]))
	}
	return nil
}

func newKey() (key [32]byte) {
	_, _ = rand.Read(key[:]) // it never fails
	return key
}
