package learn

import (
	"encoding/binary"
	"math"

	"rempart/wire"
)

// table is what lessons made of one learner, for all or for one tenant.
type table interface {
	// score is the log-odds, of oneScore, that the table gives a message with these features.
	score(hashes []uint32) int64
	// teach takes in one lesson at a rate of oneScore, as far as it is not sure of it already, and returns what it moved.
	// Beside, if not nil, scores along: a tenant's table learns only in what the tenant differs from it.
	teach(hashes []uint32, spam bool, rate int64, beside table) (moved int64)
	// undo takes back what lessons of one label moved, exactly, unless a cell met its bound between.
	undo(hashes []uint32, moved int64)
	store() *cells
}

// cells are the numbers of a table.
type cells struct {
	values []int32 // nil, and taking no memory, until something is taught
	size   int
	shift  uint // a 32-bit hash's upper bits are the index
}

func (c *cells) store() *cells { return c }

// open makes the cells before the first of them moves.
func (c *cells) open() {
	if c.values == nil {
		c.values = make([]int32, c.size)
	}
}

// append writes the cells that are not zero: the distance from the one before, then the value.
func (c *cells) append(b []byte) []byte {
	last := 0
	for i, v := range c.values {
		if v != 0 {
			b = binary.AppendUvarint(b, uint64(i-last))
			b = binary.AppendVarint(b, int64(v))
			last = i
		}
	}
	return b
}

// read reads what append wrote of a table of 2^fold times as many cells: those that are one here are added up.
func (c *cells) read(b []byte, fold uint) error {
	if len(b) > 0 {
		c.open()
	}
	at := uint64(0)
	for len(b) > 0 {
		d, n := binary.Uvarint(b)
		if n <= 0 {
			return wire.ErrShort
		}
		v, k := binary.Varint(b[n:])
		if at += d; k <= 0 || at>>fold >= uint64(len(c.values)) {
			return wire.ErrShort
		}
		cell := &c.values[at>>fold]
		*cell = int32(min(max(int64(*cell)+v, math.MinInt32), math.MaxInt32))
		b = b[n+k:]
	}
	return nil
}
