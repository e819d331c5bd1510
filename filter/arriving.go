package filter

import (
	"slices"

	"rempart/message"
)

// Answered notes what the node did with a mail that came in. It is told of every message once, with the decisions on it, after
// it was judged. Only what was taken is counted, for those for whom it was: what was put off comes again, and what was refused or
// dropped must not use up what honest mail may. In shadow all is taken, but what would have been put off is remembered, so that the
// decisions are those that would be made.
func (f *Filter) Answered(m *message.Message, decisions []message.Decision) {
	if !arriving(m) {
		return
	}
	for i, d := range decisions {
		if d.Action == message.Greylist {
			f.greylist.PutOff(m, i)
		}
	}
	taken := takenFor(m, decisions)
	if taken == nil {
		return
	}
	f.flows.Take(taken)
	f.domains.Take(taken)
	if cameAgain(m, decisions) {
		f.greylist.Pass(m)
	}
}

// cameAgain reports whether a mail, or one before of the same host, was put off, and is taken now.
func cameAgain(m *message.Message, decisions []message.Decision) bool {
	g := &m.Facts.Greylist
	for i, d := range decisions {
		refused := d.Action == message.Greylist || d.Action == message.Reject || d.Action == message.Discard
		if !refused && (g.Passed || i < len(g.Waited) && g.Waited[i] > 0) {
			return true
		}
	}
	return false
}

// gatherArriving finds out what else came of late from where m comes from, and to where it goes, whether m
// was put off before, and which of its domains, which guise found, are new.
func (f *Filter) gatherArriving(m *message.Message) {
	if !arriving(m) {
		return
	}
	m.Facts.Arriving, m.Facts.Greylist, m.Facts.Newcomers = f.flows.Of(m), f.greylist.Of(m), f.domains.Of(m)
}

// arriving reports mail that comes in now; what came beside a stored one, or one of a file, is not known.
func arriving(m *message.Message) bool {
	return m.Channel == message.Email && m.Direction == message.In && !m.Stored && !m.Arrived.IsZero()
}

// takenFor is m with those of its recipients alone for whom the node took it; nil if it took it for none.
func takenFor(m *message.Message, decisions []message.Decision) *message.Message {
	if !slices.ContainsFunc(decisions, func(d message.Decision) bool { return !takes(d) }) {
		return m
	}
	taken := *m
	taken.Recipients = nil
	for i := range m.Recipients[:min(len(m.Recipients), len(decisions))] {
		if takes(decisions[i]) {
			taken.Recipients = append(taken.Recipients, m.Recipients[i])
		}
	}
	if taken.Recipients == nil {
		return nil
	}
	return &taken
}

// takes reports whether a mail goes on to a recipient, or is kept for them.
func takes(d message.Decision) bool {
	switch d.Effective() {
	case message.Greylist, message.Tempfail, message.Throttle, message.Challenge, message.Reject, message.Discard, message.Remove:
		return false
	}
	return true
}
