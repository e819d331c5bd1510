package filter

import "rempart/message"

// Answered notes what the node did with a mail that came in. It is told of every message once, with the decisions on it, after
// it was judged. What was put off is not counted: it comes again. In shadow nothing is put off, but what would have been is
// remembered, so that the decisions are those that would be made.
func (f *Filter) Answered(m *message.Message, decisions []message.Decision) {
	if !arriving(m) {
		return
	}
	for i, d := range decisions {
		if d.Action == message.Greylist {
			f.greylist.PutOff(m, i)
		}
	}
	if putOff(decisions) {
		return
	}
	f.flows.Take(m)
	f.domains.Take(m)
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

// putOff reports whether the sender was told to come again, for all recipients, and would.
func putOff(decisions []message.Decision) bool {
	for _, d := range decisions {
		switch d.Effective() {
		case message.Greylist, message.Tempfail, message.Throttle, message.Challenge:
		default:
			return false
		}
	}
	return len(decisions) > 0
}
