package behaviour

import "rempart/message"

//go:generate sh -c "go run ./gen > numbers.go"

// NumberImpossible speaks against an international number that cannot exist: its country has no numbers of that length
// (ITU-T E.164; lengths after libphonenumber). A number without + is in the national form of an unknown country and
// says nothing. Value: 1. Argument: the number.
func NumberImpossible(m *message.Message) message.Result {
	code, national, ok := split(m)
	if !ok {
		return message.Absent
	}
	if possible, known := lengths[code]; !known || possible&(1<<national) != 0 {
		return message.Absent
	}
	return message.Present(1, quote(m.Source.ID))
}

// CountryCodeUnknown speaks against an international number of a calling code that is not assigned (ITU-T E.164,
// complement of assigned codes). Value: 1. Argument: the number.
func CountryCodeUnknown(m *message.Message) message.Result {
	code, _, ok := split(m)
	if !ok || code != 0 {
		return message.Absent
	}
	return message.Present(1, quote(m.Source.ID))
}

// split finds the calling code of an international number and counts the digits after it; code is 0 if none is assigned.
// Calling codes have one to three digits and none begins another.
func split(m *message.Message) (code uint16, national int, ok bool) {
	s := m.Source.ID
	if m.SMS != nil && m.SMS.SenderType != message.SenderNumeric || m.SMS == nil && m.Call == nil || len(s) < 2 || s[0] != '+' {
		return 0, 0, false
	}
	var found, v uint16
	digits := 0
	for i := 1; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			continue
		}
		digits++
		if found != 0 {
			national++
			continue
		}
		if digits <= 3 {
			v = v*10 + uint16(s[i]-'0')
			if _, known := lengths[v]; known {
				found = v
			}
		}
	}
	return found, min(national, 31), digits > 0
}
