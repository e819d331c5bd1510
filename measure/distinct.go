package measure

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"

	"github.com/axiomhq/hyperloglog"
	"github.com/minio/highwayhash"

	"rempart/message"
)

// precision of the sketches: 2^12 registers, a standard error of 1.6 %. They are dense: the sparse form of one set has
// many encodings, and merged bytes must not depend on the way there.
const precision = 12

// hashName is the hash that sketches are made with; it stands in the format.
const hashName = "highwayhash64"

// sketchKey keys the hash: without it, who sees a sketch could ask it for an address. It belongs to the group that merges.
type sketchKey struct {
	key [32]byte
	id  string // first bytes of its SHA-256
}

func newSketchKey(key [32]byte) sketchKey {
	sum := sha256.Sum256(key[:])
	return sketchKey{key, hex.EncodeToString(sum[:8])}
}

// hash is the event's source as sketches see it: the number or sender ID of a text or call, else its address, cut to what
// counts as one source.
func (k *sketchKey) hash(e *message.Event, cut func(netip.Addr) netip.Addr) uint64 {
	named := (e.Channel == message.SMS || e.Channel == message.Call) && e.Source.ID != ""
	if a := e.Source.Address; a.IsValid() && !named {
		if cut != nil {
			a = cut(a)
		}
		b := a.As16()
		return highwayhash.Sum64(b[:], k.key[:])
	}
	return highwayhash.Sum64([]byte(e.Source.ID), k.key[:])
}

// distinctKey is what unlike sources are estimated by (HyperLogLog): sketches of unlike keys cannot be merged.
type distinctKey struct {
	breakdown
	key string // id
}

func newSketch() *hyperloglog.Sketch {
	sketch, err := hyperloglog.NewSketch(precision, false)
	if err != nil {
		panic(err) // the precision is a constant that the library takes
	}
	return sketch
}
