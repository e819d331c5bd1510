package behaviour

import (
	"math"

	"rempart/message"
)

// SendRate speaks against mail of an account that writes to far more recipients within an hour than is its habit. Value:
// doublings beyond twice its busiest hour of a day, at least beyond thirty recipients; up to 6. Arguments: recipients within the
// hour, its habit.
func SendRate(m *message.Message) message.Result {
	s := &m.Facts.Sending
	most := max(2*s.Usual, smallHour)
	if s.Hour <= most {
		return message.Absent
	}
	return message.Present(min(math.Log2(float64(s.Hour)/float64(most)), 6), s.Hour, s.Usual)
}

// SendStrangers speaks against mail of an account that writes within an hour to many to whom it never wrote. Value: 0 at half of
// its recipients, 1 if all are strangers, for every doubling beyond ten of them; up to 4. Arguments: strangers, recipients.
func SendStrangers(m *message.Message) message.Result {
	s := &m.Facts.Sending
	if s.Strangers <= fewStrangers || 2*s.Strangers <= s.Hour {
		return message.Absent
	}
	share := 2*float64(s.Strangers)/float64(max(s.Hour, s.Strangers)) - 1
	return message.Present(min(share*math.Log2(float64(s.Strangers)/fewStrangers), 4), s.Strangers, max(s.Hour, s.Strangers))
}

const fewStrangers = 10

// SendReturned speaks against mail of an account whose mail comes back: lists of addresses that spammers buy are old. Value: 1
// where one in ten recipients of a day comes back, 2 for a fifth; up to 3. Arguments: mails that came back, recipients of the
// day.
func SendReturned(m *message.Message) message.Result {
	s := &m.Facts.Sending
	if s.Returned < fewReturned || 20*s.Returned < s.Day {
		return message.Absent
	}
	return message.Present(min(10*float64(s.Returned)/float64(max(s.Day, s.Returned)), 3), s.Returned, s.Day)
}

const fewReturned = 5

// SendComplained speaks against mail of an account about whose mail others complain. One complaint in a thousand recipients is what
// large mailbox providers let pass. Value: doublings beyond that, up to 5. Arguments: complaints that came in within a day,
// recipients of the day.
func SendComplained(m *message.Message) message.Result {
	s := &m.Facts.Sending
	if s.Complained < fewComplained || 1000*s.Complained <= s.Day {
		return message.Absent
	}
	return message.Present(min(math.Log2(1000*float64(s.Complained)/float64(max(s.Day, s.Complained))), 5), s.Complained, s.Day)
}

// A person who knows the account may press the wrong button.
const fewComplained = 3

// SendAuthors speaks against mail of an account that names many unlike authors on one day. Value: doublings beyond four, up to
// 5. Argument: how many.
func SendAuthors(m *message.Message) message.Result {
	n := m.Facts.Sending.Authors
	if n <= fewAuthors {
		return message.Absent
	}
	return message.Present(min(math.Log2(float64(n)/fewAuthors), 5), n)
}

const fewAuthors = 4

// SendNewCountry speaks against mail of an account that is sent from a country that is new to it.
// People travel: it says little alone. Value: 1. Argument: the country.
func SendNewCountry(m *message.Message) message.Result {
	if !m.Facts.Sending.NewCountry {
		return message.Absent
	}
	return message.Present(1, m.Source.Country)
}

// SendNewNetwork speaks a little against mail of an account that is sent from a network that is new to it. Value: 1. Argument:
// the network's number.
func SendNewNetwork(m *message.Message) message.Result {
	if !m.Facts.Sending.NewNetwork {
		return message.Absent
	}
	return message.Present(1, m.Source.Network)
}
