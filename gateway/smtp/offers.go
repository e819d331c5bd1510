package smtp

import (
	"slices"
	"strconv"
	"strings"
)

// offers are the service extensions of a server that matter here.
type offers struct {
	size     bool
	maxSize  int // 0: not told
	hopSize  bool
	eightBit bool // 8BITMIME, RFC 6152
	utf8     bool // SMTPUTF8, RFC 6531
	dsn      bool // RFC 3461
	status   bool // ENHANCEDSTATUSCODES, RFC 2034
	chunking bool // RFC 3030
	xforward []string
}

// readOffers reads the answer to EHLO or LHLO.
func readOffers(r reply) (o offers) {
	for _, line := range r.lines[min(1, len(r.lines)):] {
		words := strings.Fields(strings.ToUpper(line))
		if len(words) == 0 {
			continue
		}
		switch words[0] {
		case "SIZE":
			o.size, o.hopSize = true, true
			if len(words) > 1 {
				o.maxSize, _ = strconv.Atoi(words[1])
			}
		case "8BITMIME":
			o.eightBit = true
		case "SMTPUTF8":
			o.utf8 = true
		case "DSN":
			o.dsn = true
		case "ENHANCEDSTATUSCODES":
			o.status = true
		case "CHUNKING":
			o.chunking = true
		case "XFORWARD":
			o.xforward = words[1:]
		}
	}
	return o
}

// forClient is what a client is told of a next hop's offers. Whatever passes through needs both sides; PIPELINING, SIZE and
// CHUNKING are ours alone, since the content goes no further before it is whole.
func (o offers) forClient(maxSize int) offers {
	o.size, o.chunking, o.xforward = true, true, nil
	if o.maxSize <= 0 || o.maxSize > maxSize {
		o.maxSize = maxSize
	}
	return o
}

// keywords are the lines of an answer to EHLO after the first.
func (o offers) keywords() []string {
	lines := []string{"PIPELINING", "SIZE " + strconv.Itoa(o.maxSize), "CHUNKING"}
	for _, k := range []struct {
		on   bool
		word string
	}{{o.eightBit, "8BITMIME"}, {o.utf8, "SMTPUTF8"}, {o.dsn, "DSN"}, {o.status, "ENHANCEDSTATUSCODES"}} {
		if k.on {
			lines = append(lines, k.word)
		}
	}
	return lines
}

// covers reports whether a next hop with offers o can do all that a client was told.
func (o offers) covers(told offers) bool {
	return (o.eightBit || !told.eightBit) && (o.utf8 || !told.utf8) && (o.dsn || !told.dsn) && (o.hopSize || !told.hopSize)
}

func (o offers) forwards(attribute string) bool { return slices.Contains(o.xforward, attribute) }
