// Package campaign recognises near copies of what was taught.
//
// A [Digest] is 32 bytes. [Digest.Distance] counts the bits in which two differ, 0 to 256; unlike texts differ in about
// 128, and at [Near] bits or fewer they share some nine tenths of their text. Digits count alike, so that a template
// stays itself when its prices and codes change; order of sentences does not matter. The channel is not part of it: a
// text and a mail can meet. The text cannot be had back. A [Book] holds the taught digests; it is safe for concurrent use.
package campaign

import (
	"encoding/binary"
	"math/bits"
)

// Digest is a similarity-preserving hash of a text: bit i says whether more of the text's six-byte sequences have bit i of
// their hash set than not (Charikar 2002).
type Digest [4]uint64

// Near is the largest distance of near copies. Two texts that share a part c of their sequences differ in about
// 256·acos(c)/π bits: 40 bits are nine tenths. Distances of unlike texts have a standard deviation of 8 around 128.
const Near = 40

const (
	shingle    = 6     // bytes of one sequence
	minText    = 24    // bytes below which a text is too short to tell copies from coincidence
	sampleFrom = 256   // bytes from which one sequence in four is enough
	maxText    = 4_000 // bytes read
)

// Sum returns the digest of the texts read as one, and whether there was enough of it.
func Sum(texts ...string) (d Digest, ok bool) {
	var c counter
	total := 0
	for _, t := range texts {
		total += len(t)
	}
	sample := uint64(0)
	if total >= sampleFrom {
		sample = 3
	}
	budget := maxText
	for _, t := range texts {
		budget -= c.addText(t[:min(len(t), budget)], sample)
	}
	if c.read < minText || c.n == 0 {
		return Digest{}, false
	}
	return c.majority(), true
}

// Distance counts the bits in which d and e differ.
func (d Digest) Distance(e Digest) int {
	return bits.OnesCount64(d[0]^e[0]) + bits.OnesCount64(d[1]^e[1]) + bits.OnesCount64(d[2]^e[2]) + bits.OnesCount64(d[3]^e[3])
}

// Bytes is the digest's stored form, big-endian.
func (d Digest) Bytes() []byte {
	b := make([]byte, 0, 32)
	for _, w := range d {
		b = binary.BigEndian.AppendUint64(b, w)
	}
	return b
}

// FromBytes reads what [Digest.Bytes] wrote.
func FromBytes(b []byte) (d Digest, ok bool) {
	if len(b) != 32 {
		return d, false
	}
	for i := range d {
		d[i] = binary.BigEndian.Uint64(b[8*i:])
	}
	return d, true
}

// counter counts, for each of 256 bits, how many hashes had it set: bit-sliced, so that one addition serves 64 counters.
type counter struct {
	planes [4][13]uint64 // planes[w][p]: bit p of the counts of word w
	n      uint32        // hashes counted; below 2^13 by maxText
	read   int           // bytes that were not space
	held   [8]uint64     // hashes not yet in the planes
}

// addText adds the sequences of t whose hash passes the sample and returns the bytes read. Letters are lowered, every
// digit is 0, white space and punctuation in a row are one space.
func (c *counter) addText(t string, sample uint64) int {
	const mask = 1<<(8*shingle) - 1
	var window uint64
	held := c.n % uint32(len(c.held))
	c.n -= held
	filled := 0
	space := true
	for i := range len(t) {
		b := folded[t[i]]
		if b == ' ' {
			if space {
				continue
			}
			space = true
		} else {
			space = false
			c.read++
		}
		window = (window<<8 | uint64(b)) & mask
		if filled++; filled < shingle {
			continue
		}
		h := (window ^ window>>29) * 0xbf58476d1ce4e5b9
		h ^= h >> 32
		c.held[held%uint32(len(c.held))] = h
		if h&sample == 0 { // which no processor can guess; if not, the next takes its place
			held++
		}
		if held == uint32(len(c.held)) {
			c.flush(held)
			c.n, held = c.n+held, 0
		}
	}
	c.n += held
	return len(t)
}

// flush adds the first n held hashes, each stretched to 256 bits, to the planes by carry-save adders (Harley and Seal): a third of the
// work of adding one by one.
func (c *counter) flush(n uint32) {
	var x [8]uint64
	copy(x[:n], c.held[:n])
	for w := range c.planes {
		var y [8]uint64
		for i := range n {
			x[i] = (x[i] ^ x[i]>>31) * 0x94d049bb133111eb
			y[i] = x[i] ^ x[i]>>33
		}
		planes := &c.planes[w]
		ones, twos, fours := planes[0], planes[1], planes[2]
		var twosA, twosB, foursA, foursB, carry uint64
		twosA, ones = carrySave(ones, y[0], y[1])
		twosB, ones = carrySave(ones, y[2], y[3])
		foursA, twos = carrySave(twos, twosA, twosB)
		twosA, ones = carrySave(ones, y[4], y[5])
		twosB, ones = carrySave(ones, y[6], y[7])
		foursB, twos = carrySave(twos, twosA, twosB)
		carry, fours = carrySave(fours, foursA, foursB)
		planes[0], planes[1], planes[2] = ones, twos, fours
		for p := 3; carry != 0 && p < len(planes); p++ {
			planes[p], carry = planes[p]^carry, planes[p]&carry
		}
	}
}

// carrySave adds three bits in each of 64 places.
func carrySave(a, b, c uint64) (carry, sum uint64) {
	u := a ^ b
	return a&b | u&c, u ^ c
}

// majority sets the bits counted in more than half of the hashes: it compares all counts with n/2 at once.
func (c *counter) majority() (d Digest) {
	c.flush(c.n % 8)
	half := c.n / 2
	for w := range d {
		greater, equal := uint64(0), ^uint64(0)
		for p := len(c.planes[w]) - 1; p >= 0; p-- {
			plane := c.planes[w][p]
			if half>>p&1 == 0 {
				greater |= equal & plane
				equal &^= plane
			} else {
				equal &= plane
			}
		}
		d[w] = greater
	}
	return d
}

var folded = func() (f [256]byte) {
	for i := range f {
		c := byte(i)
		switch {
		case 'A' <= c && c <= 'Z':
			f[i] = c + 'a' - 'A'
		case '0' <= c && c <= '9':
			f[i] = '0'
		case 'a' <= c && c <= 'z' || c >= 0x80:
			f[i] = c
		default:
			f[i] = ' '
		}
	}
	return f
}()
