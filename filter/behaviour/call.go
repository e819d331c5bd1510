package behaviour

import (
	"math"
	"strings"

	"rempart/message"
)

// CallerHidden speaks a little against a call that names no number. Many honest people withhold theirs. Value: 1.
func CallerHidden(m *message.Message) message.Result {
	if m.Call == nil || m.Source.ID != "" {
		return message.Absent
	}
	return message.Present(1)
}

// NumberUnassigned speaks against an international number of a right length that lies in no range which its country has
// in use (national numbering plans after ITU-T E.129). Value: 1. Arguments: the number, the country.
func NumberUnassigned(m *message.Message) message.Result {
	n := &m.Facts.From
	if n.E164 == "" || n.Valid || n.Country == "" || NumberImpossible(m).State == message.StatePresent {
		return message.Absent
	}
	return message.Present(1, quote(n.E164), n.Country)
}

// NeverOriginates speaks against a number that its holder uses to take calls only, as the operator's list says: whoever
// shows it has borrowed it. Value: 1. Argument: the number.
func NeverOriginates(m *message.Message) message.Result {
	if !m.Facts.NeverOriginates {
		return message.Absent
	}
	return message.Present(1, quote(m.Source.ID))
}

// PremiumCaller speaks against a call from a number that is dear to call back: one ring is bait (wangiri). Value: 1.
// Arguments: the number, the kind of line.
func PremiumCaller(m *message.Message) message.Result {
	if l := m.Facts.From.Line; m.Call == nil || l != message.Premium && l != message.SharedCost {
		return message.Absent
	}
	return message.Present(1, quote(m.Facts.From.E164), m.Facts.From.Line.String())
}

// NeighbourNumber speaks against a caller whose number differs from the called one in its last digits alone: it is chosen
// for each victim, to look like somebody from next door. Real neighbours call too, so it says little by itself. Value: 1
// if two digits differ, 0.5 for three. Arguments: the two numbers.
func NeighbourNumber(m *message.Message) message.Result {
	from, to := m.Facts.From.E164, m.Facts.To.E164
	if m.Call == nil || len(from) < minNeighbour || len(from) != len(to) || from == to {
		return message.Absent
	}
	same := 0
	for same < len(from) && from[same] == to[same] {
		same++
	}
	switch len(from) - same {
	case 1, 2:
		return message.Present(1, quote(from), quote(to))
	case 3:
		return message.Present(0.5, quote(from), quote(to))
	}
	return message.Absent
}

// minNeighbour: in shorter plans everybody is a neighbour.
const minNeighbour = len("+12345678")

// AssertedOther speaks a little against a call whose network vouches for another number than the one that is shown
// (P-Asserted-Identity, RFC 3325). Call centres that show their client's number do the same. Value: 1. Arguments: the
// number shown, the one vouched for.
func AssertedOther(m *message.Message) message.Result {
	if m.Call == nil || m.Call.Asserted == "" || m.Source.ID == "" || sameNumber(m.Call.Asserted, m.Source.ID) {
		return message.Absent
	}
	return message.Present(1, quote(m.Source.ID), quote(m.Call.Asserted))
}

// PassportOther speaks against a call whose PASSporT was made for another caller (RFC 8224 section 6.2): it was copied
// from another call. That no PASSporT differs proves nothing, since no signature is verified. Value: 1. Arguments: the
// number shown, the one in the PASSporT.
func PassportOther(m *message.Message) message.Result {
	if m.Call == nil {
		return message.Absent
	}
	for i := range m.Call.Identity {
		if orig := m.Call.Identity[i].Orig; orig != "" && m.Source.ID != "" && !sameNumber(orig, m.Source.ID) {
			return message.Present(1, quote(m.Source.ID), quote(orig))
		}
	}
	return message.Absent
}

// ScannerAgent speaks against a call set up by a program that is made to search for open telephone systems. Value: 1.
// Argument: what it calls itself.
func ScannerAgent(m *message.Message) message.Result {
	if m.Call == nil {
		return message.Absent
	}
	agent := strings.ToLower(m.Call.UserAgent)
	for _, name := range scanners {
		if strings.Contains(agent, name) {
			return message.Present(1, quote(m.Call.UserAgent))
		}
	}
	return message.Absent
}

// scanners are what such programs call themselves as long as nobody changes it, and few do.
var scanners = []string{"friendly-scanner", "sipvicious", "sipcli", "sip-scan", "sundayddr", "iwar", "sipsak", "vaxsipuseragent", "pplsip"}

// BrokenSignalling speaks against a set-up that breaks the rules of SIP (RFC 3261): no telephone writes such. Value: how
// many rules, up to 3. Argument: the first.
func BrokenSignalling(m *message.Message) message.Result {
	if len(m.Anomalies) == 0 {
		return message.Absent
	}
	return message.Present(min(float64(len(m.Anomalies)), 3), m.Anomalies[0].Name)
}

// CallRate speaks against a caller who begins calls faster than people dial. Value: doublings beyond six a minute, up to
// 5. Argument: calls within the last minute.
func CallRate(m *message.Message) message.Result {
	n := m.Facts.Calling.Minute
	if n <= handDialled {
		return message.Absent
	}
	return message.Present(min(math.Log2(float64(n)/handDialled), 5), n)
}

// handDialled is how many calls a minute a person begins who wants to reach somebody.
const handDialled = 6

// ManyCallees speaks against a caller who calls many unlike numbers within an hour. Alerts of schools and call centres do,
// too. Value: doublings beyond twenty, up to 5. Argument: how many.
func ManyCallees(m *message.Message) message.Result {
	n := m.Facts.Calling.Callees
	if n <= hourlyCallees {
		return message.Absent
	}
	return message.Present(min(math.Log2(float64(n)/hourlyCallees), 5), n)
}

const hourlyCallees = 20

// minEnded: fewer calls tell nothing of a caller's habit.
const minEnded = 5

// FewAnswers speaks against a caller whose calls are seldom answered: numbers dialled at random, or one ring (ITU-T E.411,
// answer-seizure ratio). Value: 1 at no answer, 0 at three in ten. Arguments: answered, calls.
func FewAnswers(m *message.Message) message.Result {
	c := &m.Facts.Calling
	if c.Ended < minEnded {
		return message.Absent
	}
	const few = 0.3
	ratio := float64(c.Answered) / float64(c.Ended)
	if ratio >= few {
		return message.Absent
	}
	return message.Present(1-ratio/few, c.Answered, c.Ended)
}

// ShortCalls speaks against a caller whose calls are over as soon as they were answered. Value: 0 at half of them, 1 if
// all are. Arguments: short ones, answered ones.
func ShortCalls(m *message.Message) message.Result {
	c := &m.Facts.Calling
	if c.Answered < minEnded || 2*c.Short <= c.Answered {
		return message.Absent
	}
	return message.Present(2*float64(c.Short)/float64(c.Answered)-1, c.Short, c.Answered)
}

// CalleesHangUp speaks against a caller on whom the called ones hang up. Value: 0 at six in ten, 1 if all do. Arguments:
// ended by the called one, answered ones.
func CalleesHangUp(m *message.Message) message.Result {
	c := &m.Facts.Calling
	const most = 0.6
	if c.Answered < minEnded {
		return message.Absent
	}
	ratio := float64(c.CalleeHungUp) / float64(c.Answered)
	if ratio <= most {
		return message.Absent
	}
	return message.Present((ratio-most)/(1-most), c.CalleeHungUp, c.Answered)
}

// TalksLong speaks for a caller whose calls are answered and last. Value: 1. Arguments: answered and not short, calls.
func TalksLong(m *message.Message) message.Result {
	c := &m.Facts.Calling
	long := c.Answered - min(c.Short, c.Answered)
	if c.Ended < minTalks || 2*long < c.Ended {
		return message.Absent
	}
	return message.Present(1, long, c.Ended)
}

const minTalks = 3

// sameNumber compares numbers or URIs by their digits; a national form equals an international one that ends like it.
func sameNumber(a, b string) bool {
	a, b = digitsOf(a), digitsOf(b)
	if a == "" || b == "" {
		return a == b
	}
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	const national = 6 // digits that no two subscribers of one plan share
	return a == b || len(a) >= national && strings.HasSuffix(b, a) || len(b) >= national && strings.HasSuffix(a, b)
}

// digitsOf are the digits of a number or of the user part of a URI.
func digitsOf(s string) string {
	if _, rest, ok := strings.Cut(s, ":"); ok {
		s = rest
	}
	s, _, _ = strings.Cut(s, "@")
	s, _, _ = strings.Cut(s, ";")
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}
