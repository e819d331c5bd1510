package main

import (
	"fmt"
	"strings"
)

// product adds the automaton that runs several expressions over the same digits; label says what is known when they end
// after n digits, from which expressions match.
func (t *table) product(exprs []*whole, label func(n int, matches func(i int) bool) uint16) uint16 {
	memo := map[string]uint16{}
	var build func(at []int, n int) uint16
	build = func(at []int, n int) uint16 {
		if n > maxNumber {
			return 0
		}
		key := fmt.Sprint(at, n)
		if id, ok := memo[key]; ok {
			return id
		}
		s := state{label: label(n, func(i int) bool { return exprs[i].accept[at[i]] })}
		alive := false
		for _, a := range at {
			alive = alive || a != 0
		}
		if alive {
			for d := range 10 {
				next := make([]int, len(at))
				for i, a := range at {
					next[i] = exprs[i].next[a][d]
				}
				s.next[d] = build(next, n+1)
			}
		}
		id := t.add(s)
		memo[key] = id
		return id
	}
	at := make([]int, len(exprs))
	for i := range at {
		at[i] = begin
	}
	return build(at, 0)
}

// accepts adds the automaton with label 1 where the expression matches all digits.
func (t *table) accepts(expr string) (uint16, error) {
	w, err := newWhole(expr)
	if err != nil {
		return 0, err
	}
	return t.product([]*whole{w}, func(_ int, matches func(int) bool) uint16 {
		if matches(0) {
			return 1
		}
		return 0
	}), nil
}

// edit is what becomes of digits that begin with a prefix: literal, then digits[from:to], then digits[cut:].
type edit struct {
	literal       string
	from, to, cut int
}

// prefix adds the automaton of an expression that matches at the beginning; its labels number the edits. The rule is
// libphonenumber's national prefix transform rule: text and, at its end, one group. It applies where the last group of
// the expression has matched.
func (t *table) prefix(expr, rule string, number func(edit) uint16) (uint16, error) {
	prog, err := compile("^(?:"+expr+")", true)
	if err != nil {
		return 0, err
	}
	literal, group := rule, 0
	if rule != "" {
		at := strings.IndexByte(rule, '$')
		if at < 0 || at != len(rule)-2 {
			return 0, fmt.Errorf("transform rule %q is not text and one group", rule)
		}
		literal, group = rule[:at], int(rule[at+1]-'0')
	}
	edited := func(m *thread) uint16 {
		if m == nil {
			return 0
		}
		e := edit{cut: int(m.caps[1])}
		if last := prog.groups; rule != "" && m.caps[2*last] >= 0 {
			e.literal = literal
			if m.caps[2*group] >= 0 {
				e.from, e.to = int(m.caps[2*group]), int(m.caps[2*group+1])
			}
		}
		if e == (edit{}) {
			return 0
		}
		return number(e)
	}
	memo := map[string]uint16{}
	var build func(threads []thread, before *thread, n int) (uint16, error)
	build = func(threads []thread, before *thread, n int) (uint16, error) {
		if n > 2*maxNumber {
			return 0, fmt.Errorf("%s has no end", expr)
		}
		if len(threads) == 0 {
			return t.loop(edited(before)), nil
		}
		key := fmt.Sprint(threads, n)
		if before != nil {
			key += fmt.Sprint(*before)
		}
		if id, ok := memo[key]; ok {
			return id, nil
		}
		var s state
		if m := prog.end(threads, n); m != nil {
			s.label = edited(m)
		} else {
			s.label = edited(before)
		}
		for d := range 10 {
			next, m := prog.step(threads, n, d)
			if m == nil {
				m = before
			}
			id, err := build(next, m, n+1)
			if err != nil {
				return 0, err
			}
			s.next[d] = id
		}
		id := t.add(s)
		memo[key] = id
		return id, nil
	}
	first := thread{pc: uint32(prog.Start)}
	for i := range first.caps {
		first.caps[i] = -1
	}
	return build([]thread{first}, nil, 0)
}
