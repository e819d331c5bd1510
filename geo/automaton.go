package geo

import _ "embed"

//go:generate go run ./gen

// automata are the states of all automata of plan.go, 22 bytes each: what is known when the digits end in this state (its
// label), and the states that the digits 0 to 9 lead to, little-endian. State 0 knows nothing and leads to itself.
//
//go:embed plan.bin
var automata string

const stateBytes = 22

// walk is the state that digits (0 to 9 each) lead to.
func walk(state uint16, digits []byte) uint16 {
	for _, d := range digits {
		at := int(state)*stateBytes + 2 + 2*int(d)
		state = uint16(automata[at]) | uint16(automata[at+1])<<8
	}
	return state
}

func label(state uint16) uint16 {
	at := int(state) * stateBytes
	return uint16(automata[at]) | uint16(automata[at+1])<<8
}

// region is a country in the numbering plan, or what a calling code of no country has (code "").
type region struct {
	code            string // ISO 3166-1 alpha-2
	calling         uint16
	possible, local uint32 // lengths that national numbers have, and those dialled within an area: bit n stands for n digits
	international   uint16 // automaton of the international prefix: labels are edits
	national        uint16 // automaton of the national prefix: labels are edits
	general         uint16 // accepts what can be a number
	emergency       uint16 // accepts emergency numbers
}

// calling is the plan under a calling code (ITU-T E.164): labels of its automaton are (index in regions + 1) << 4 | type of
// line; 0 where nothing is assigned.
type calling struct {
	code uint16
	plan uint16
	main uint8 // index in regions: by its rules national prefixes are taken off
	only bool  // no other region has this calling code
}

// edit is what becomes of dialled digits: literal, then digits[from:to], then digits[cut:].
type edit struct {
	literal       string
	from, to, cut uint8
}

// editBuffer has room for the longest edited digits.
type editBuffer [maxDigits + maxLiteral]byte

// apply answers a part of digits if that will do, else it writes to buf.
func (e *edit) apply(digits []byte, buf *editBuffer) []byte {
	if e.literal == "" && e.from == e.to {
		return digits[e.cut:]
	}
	b := buf[:0]
	for i := range len(e.literal) {
		b = append(b, e.literal[i]-'0')
	}
	b = append(b, digits[e.from:e.to]...)
	return append(b, digits[e.cut:]...)
}

// maxLiteral is the longest literal of an edit; a test holds it.
const maxLiteral = 4
