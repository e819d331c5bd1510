package message

import (
	"math"
	"slices"
)

// Method is how a signal was found (X.1245 section 7: source, characteristics, content analysis).
type Method uint8

// The three methods of X.1245.
const (
	SourceAnalysis Method = iota + 1
	Characteristic
	Content
)

var methodNames = names{"", "source", "characteristic", "content"}

func (m Method) String() string               { return methodNames.of(uint8(m)) }
func (m Method) MarshalText() ([]byte, error) { return []byte(m.String()), nil }
func (m *Method) UnmarshalText(b []byte) error {
	return methodNames.parse("method", b, (*uint8)(m))
}

// State says whether a signal was seen.
type State uint8

// Unknown is not absent: an answer that did not come in time is never learned as "no signal".
const (
	StateAbsent State = iota
	StatePresent
	StateUnknown
)

var stateNames = names{"absent", "present", "unknown"}

func (s State) String() string               { return stateNames.of(uint8(s)) }
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
func (s *State) UnmarshalText(b []byte) error {
	return stateNames.parse("state", b, (*uint8)(s))
}

// Result is what one signal found in one message.
type Result struct {
	State State
	Value float64 // 0 to [MaxValue]; 1 for a plain yes
	Args  []any   // of its sentence: string or int64
}

// MaxValue bounds a signal's value so that no single fact can drown the others, whatever its weight.
const MaxValue = 32

// Absent and Unknown carry neither value nor arguments.
var (
	Absent  = Result{State: StateAbsent}
	Unknown = Result{State: StateUnknown}
)

// Present is a signal that was seen: its value is bounded to 0..[MaxValue] (not a number counts as 0), its arguments
// are strings or integers.
func Present(value float64, args ...any) Result {
	if math.IsNaN(value) || value < 0 {
		value = 0
	}
	for i, a := range args {
		switch a := a.(type) {
		case int:
			args[i] = int64(a)
		case uint32:
			args[i] = int64(a)
		case string, int64:
		default:
			panic("message: a signal's argument is a string or an integer")
		}
	}
	return Result{StatePresent, min(value, MaxValue), args}
}

// Equal compares state, value and arguments.
func (r Result) Equal(o Result) bool {
	return r.State == o.State && r.Value == o.Value && slices.Equal(r.Args, o.Args)
}
