package world

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"rempart/message"
)

// block is a range of numbers of one country: a prefix, international without plus, and how many digits follow it.
type block struct {
	prefix string
	digits int
	line   message.LineType
}

func (b block) number(rng *rand.Rand) string {
	n := 1
	for range b.digits {
		n *= 10
	}
	return fmt.Sprintf("%s%0*d", b.prefix, b.digits, rng.IntN(n))
}

// number is a number of the country for a kind of line.
func (c *country) number(rng *rand.Rand, line message.LineType) string {
	of := make([]block, 0, len(c.blocks))
	for _, b := range c.blocks {
		if b.line == line {
			of = append(of, b)
		}
	}
	return pick(rng, of).number(rng)
}

// anyNumber is one that people have: mobile more often than not.
func (c *country) anyNumber(rng *rand.Rand) string {
	if rng.IntN(3) == 0 {
		return c.number(rng, message.FixedLine)
	}
	return c.number(rng, message.Mobile)
}

// has reports whether the country has a kind of line.
func (c *country) has(line message.LineType) bool {
	for _, b := range c.blocks {
		if b.line == line {
			return true
		}
	}
	return false
}

// neighbour is a number of the same block as another: who is called sees the first digits of the own one.
func (w *World) neighbour(number string) string {
	if b, _ := w.blockOf(number); b != nil {
		return b.number(w.rng)
	}
	return number
}

// blockOf finds where a number belongs; nil if it is in no block.
func (w *World) blockOf(number string) (*block, *country) {
	for _, c := range w.countries {
		for i := range c.blocks {
			if b := &c.blocks[i]; strings.HasPrefix(number, b.prefix) && len(number) == len(b.prefix)+b.digits {
				return b, c
			}
		}
	}
	return nil, nil
}

// impossible is a number that no plan can have: an area code that is none, too few digits, too many.
func (w *World) impossible() string {
	switch w.rng.IntN(3) {
	case 0:
		return fmt.Sprintf("1%d1155501%02d", 2+w.rng.IntN(8), w.rng.IntN(100))
	case 1:
		return fmt.Sprintf("447700%02d", w.rng.IntN(90))
	}
	return fmt.Sprintf("3300%010d", w.rng.IntN(1000000000))
}

// NumberPlan is the world's numbering plan as CSV, one range a line: prefix with plus, country, and the type of line as
// [message.LineType] names it.
func (w *World) NumberPlan() []byte {
	var b strings.Builder
	for _, c := range w.countries {
		for _, r := range c.blocks {
			fmt.Fprintf(&b, "+%s,%s,%s\n", r.prefix, c.code, r.line)
		}
	}
	return []byte(b.String())
}
