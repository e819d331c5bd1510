package main

import (
	"slices"

	"rempart/message"

	"github.com/nyaruka/phonenumbers"
)

// order is the order in which libphonenumber asks for the type of a number (getNumberTypeHelper); fixed and mobile lines
// come after these.
var order = []struct {
	line message.LineType
	desc func(*phonenumbers.PhoneMetadata) *phonenumbers.PhoneNumberDesc
}{
	{message.Premium, (*phonenumbers.PhoneMetadata).GetPremiumRate},
	{message.TollFree, (*phonenumbers.PhoneMetadata).GetTollFree},
	{message.SharedCost, (*phonenumbers.PhoneMetadata).GetSharedCost},
	{message.VoIP, (*phonenumbers.PhoneMetadata).GetVoip},
	{message.PersonalNumber, (*phonenumbers.PhoneMetadata).GetPersonalNumber},
	{message.Pager, (*phonenumbers.PhoneMetadata).GetPager},
	{message.UAN, (*phonenumbers.PhoneMetadata).GetUan},
	{message.Voicemail, (*phonenumbers.PhoneMetadata).GetVoicemail},
}

// expressions are those of one plan, each once.
type expressions struct {
	wholes []*whole
	ids    map[string]int
	err    error
}

// matcher answers whether a number of n digits matches.
type matcher func(n int, matches func(int) bool) bool

func never(int, func(int) bool) bool { return false }

// add is the matcher of an expression; lengths 0 permits all.
func (e *expressions) add(expr string, lengths uint32) matcher {
	if expr == "" {
		return never
	}
	id, ok := e.ids[expr]
	if !ok {
		w, err := newWhole(expr)
		if err != nil {
			e.err = err
			return never
		}
		id = len(e.wholes)
		e.ids[expr] = id
		e.wholes = append(e.wholes, w)
	}
	return func(n int, matches func(int) bool) bool {
		return (lengths == 0 || lengths>>n&1 == 1) && matches(id)
	}
}

func (e *expressions) desc(d *phonenumbers.PhoneNumberDesc) matcher {
	if slices.Contains(d.GetPossibleLength(), -1) {
		return never
	}
	return e.add(d.GetNationalNumberPattern(), lengths(d.GetPossibleLength()))
}

// lengths is a set: bit n stands for n digits.
func lengths(list []int32) (set uint32) {
	for _, n := range list {
		if n > 0 {
			set |= 1 << n
		}
	}
	return set
}

// member is a region within a plan.
type member struct {
	row                    int
	leading                matcher // nil: the region has a number if it has a type for it
	general, fixed, mobile matcher
	same                   bool
	types                  []matcher
}

// plan adds the automaton of a calling code: its label is (row of the region + 1) << 4 | type of line.
func (g *generator) plan(rows []int) (uint16, error) {
	e := &expressions{ids: map[string]int{}}
	var members []member
	for _, row := range rows {
		m := g.regions[row].PhoneMetadata
		r := member{row: row, general: e.desc(m.GetGeneralDesc()), fixed: e.desc(m.GetFixedLine()), mobile: e.desc(m.GetMobile()),
			same: m.GetSameMobileAndFixedLinePattern()}
		if lead := m.GetLeadingDigits(); lead != "" {
			r.leading = e.add("(?:"+lead+`)\d*`, 0)
		}
		for _, o := range order {
			r.types = append(r.types, e.desc(o.desc(m)))
		}
		members = append(members, r)
	}
	if e.err != nil {
		return 0, e.err
	}
	return g.product(e.wholes, func(n int, matches func(int) bool) uint16 {
		for _, r := range members {
			line := r.line(n, matches)
			if len(members) == 1 && line == message.LineUnknown {
				return 0 // the only region is known anyhow
			}
			if r.leading != nil && r.leading(n, matches) || r.leading == nil && line != message.LineUnknown || len(members) == 1 {
				return uint16(r.row+1)<<4 | uint16(line)
			}
		}
		return 0
	}), nil
}

// line is the type of a number in a region; unknown if the region does not have it.
func (r *member) line(n int, matches func(int) bool) message.LineType {
	if !r.general(n, matches) {
		return message.LineUnknown
	}
	for i, o := range order {
		if r.types[i](n, matches) {
			return o.line
		}
	}
	fixed := r.fixed(n, matches)
	mobile := r.mobile(n, matches)
	switch {
	case fixed && (r.same || mobile):
		return message.FixedOrMobile
	case fixed:
		return message.FixedLine
	case mobile && !r.same:
		return message.Mobile
	}
	return message.LineUnknown
}
