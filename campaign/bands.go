package campaign

import "slices"

// bands finds digests near to one among many, each named by its place in a list of the owner's. Near copies agree in at
// least one of 21 bands of 12 bits with a probability of 95 % at [Near] bits of distance and 99.9 % at half of it, and a
// band has few strangers.
type bands struct {
	slots [][]uint32 // one for each value of each band
}

const (
	bandBits  = 12
	bandCount = 256 / bandBits
	maxBucket = 256 // digests looked at in one band: a flood of unrelated texts must not cost more
)

func newBands() bands { return bands{make([][]uint32, bandCount<<bandBits)} }

// slot is where the digests stand that agree with d in a band.
func (b *bands) slot(d Digest, band int) *[]uint32 { return &b.slots[band<<bandBits|int(d.band(band))] }

func (b *bands) add(d Digest, at uint32) {
	for band := range bandCount {
		slot := b.slot(d, band)
		*slot = append(*slot, at)
	}
}

func (b *bands) remove(d Digest, at uint32) {
	for band := range bandCount {
		slot := b.slot(d, band)
		*slot = slices.DeleteFunc(*slot, func(i uint32) bool { return i == at })
		if len(*slot) == 0 {
			*slot = nil
		}
	}
}

// buckets are the latest digests that agree with d in each band; one may stand in several.
func (b *bands) buckets(d Digest) (out [bandCount][]uint32) {
	for band := range out {
		bucket := *b.slot(d, band)
		out[band] = bucket[max(0, len(bucket)-maxBucket):]
	}
	return out
}

// shortest are all digests that agree with d in one band, the one with the fewest: d itself is among them if it is held.
func (b *bands) shortest(d Digest) []uint32 {
	slot := *b.slot(d, 0)
	for band := 1; band < bandCount; band++ {
		if s := *b.slot(d, band); len(s) < len(slot) {
			slot = s
		}
	}
	return slot
}

// band returns the band's bits.
func (d Digest) band(i int) uint16 {
	at := i * bandBits
	word, shift := at/64, at%64
	v := d[word] >> shift
	if shift > 64-bandBits && word < 3 {
		v |= d[word+1] << (64 - shift)
	}
	return uint16(v & (1<<bandBits - 1))
}
