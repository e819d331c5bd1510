package main

import (
	"encoding/binary"
	"fmt"
	"regexp/syntax"
)

// maxNumber is the longest national number that libphonenumber reads; automata of whole numbers end there.
const maxNumber = 17

// state is one state of the table: what is known when the digits end here, and where each further digit leads.
// State 0 is dead: nothing is known, and it stays so.
type state struct {
	label uint16
	next  [10]uint16
}

// table holds the states of all automata, each kept once. As every automaton is acyclic but for states that lead to
// themselves, keeping states once minimises it.
type table struct {
	states []state
	ids    map[state]uint16
	loops  map[uint16]uint16 // by label
}

func newTable() *table {
	return &table{states: make([]state, 1), ids: map[state]uint16{{}: 0}, loops: map[uint16]uint16{0: 0}}
}

func (t *table) add(s state) uint16 {
	id, ok := t.ids[s]
	if !ok {
		id = t.new(s)
		t.ids[s] = id
	}
	return id
}

// loop is the state that knows label whatever comes.
func (t *table) loop(label uint16) uint16 {
	id, ok := t.loops[label]
	if !ok {
		id = t.new(state{label: label})
		for d := range 10 {
			t.states[id].next[d] = id
		}
		t.loops[label] = id
	}
	return id
}

func (t *table) new(s state) uint16 {
	if len(t.states) > 0xFFFF {
		panic("more states than 16 bits can name")
	}
	t.states = append(t.states, s)
	return uint16(len(t.states) - 1)
}

// bytes is the table as the package embeds it: for each state label and successors, little-endian.
func (t *table) bytes() []byte {
	b := make([]byte, 0, len(t.states)*22)
	for _, s := range t.states {
		b = binary.LittleEndian.AppendUint16(b, s.label)
		for _, n := range s.next {
			b = binary.LittleEndian.AppendUint16(b, n)
		}
	}
	return b
}

// whole is the automaton of one regular expression that has to match all digits.
type whole struct {
	accept []bool
	next   [][10]int // 0 is dead
}

// newWhole makes the deterministic automaton of an expression, by the construction of subsets.
func newWhole(expr string) (*whole, error) {
	prog, err := compile("^(?:"+expr+")$", false)
	if err != nil {
		return nil, err
	}
	w := &whole{}
	ids := map[string]int{}
	var build func(threads []thread, n int) int
	build = func(threads []thread, n int) int {
		key := fmt.Sprint(threads, n == 0)
		if id, ok := ids[key]; ok {
			return id
		}
		id := len(w.next)
		ids[key] = id
		w.next = append(w.next, [10]int{})
		w.accept = append(w.accept, prog.end(threads, n) != nil)
		for d := range 10 {
			next, _ := prog.step(threads, n, d)
			to := build(next, n+1)
			w.next[id][d] = to
		}
		return id
	}
	build(nil, 1) // dead is 0
	build([]thread{{pc: uint32(prog.Start)}}, 0)
	return w, nil
}

const begin = 1 // of a whole

// thread is a place in the program of an expression, with what its groups have captured: begin and end of each, -1 where
// nothing was.
type thread struct {
	pc   uint32
	caps [2 * maxGroups]int8
}

const maxGroups = 4 // the whole match and three groups

// program runs an expression digit by digit, with the priorities of leftmost-first matching.
type program struct {
	*syntax.Prog
	groups  int // without the whole match
	capture bool
}

func compile(expr string, capture bool) (*program, error) {
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil, err
	}
	groups := re.MaxCap()
	if capture && groups >= maxGroups {
		return nil, fmt.Errorf("%s: %d groups", expr, groups)
	}
	prog, err := syntax.Compile(re.Simplify())
	return &program{prog, groups, capture}, err
}

// step reads the digit at position n. It answers the threads that live on, and the captures of a match that ended before
// the digit, if there is one that no living thread precedes.
func (p *program) step(threads []thread, n, digit int) (next []thread, matched *thread) {
	p.follow(threads, n, false, func(t thread) bool {
		inst := &p.Inst[t.pc]
		if inst.Op == syntax.InstMatch {
			t.caps[1] = int8(n)
			matched = &t
			return false
		}
		if inst.MatchRune('0' + rune(digit)) {
			t.pc = inst.Out
			next = append(next, t)
		}
		return true
	})
	return next, matched
}

// end answers the captures of the match when the digits end at position n.
func (p *program) end(threads []thread, n int) (matched *thread) {
	p.follow(threads, n, true, func(t thread) bool {
		if p.Inst[t.pc].Op == syntax.InstMatch {
			t.caps[1] = int8(n)
			matched = &t
			return false
		}
		return true
	})
	return matched
}

// follow calls visit with the threads that stand before a digit or at a match, in order of priority, until it says false.
func (p *program) follow(threads []thread, n int, last bool, visit func(thread) bool) {
	seen := make([]bool, len(p.Inst))
	var walk func(t thread) bool
	walk = func(t thread) bool {
		if seen[t.pc] {
			return true
		}
		seen[t.pc] = true
		inst := &p.Inst[t.pc]
		switch inst.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			a, b := t, t
			a.pc, b.pc = inst.Out, inst.Arg
			return walk(a) && walk(b)
		case syntax.InstCapture:
			if p.capture {
				t.caps[inst.Arg] = int8(n)
			}
			t.pc = inst.Out
			return walk(t)
		case syntax.InstNop:
			t.pc = inst.Out
			return walk(t)
		case syntax.InstEmptyWidth:
			need := syntax.EmptyOp(inst.Arg)
			if n == 0 {
				need &^= syntax.EmptyBeginText
			}
			if last {
				need &^= syntax.EmptyEndText
			}
			if need != 0 {
				return true
			}
			t.pc = inst.Out
			return walk(t)
		case syntax.InstFail:
			return true
		}
		return visit(t)
	}
	for _, t := range threads {
		if !walk(t) {
			return
		}
	}
}
