package behaviour

import (
	"math"

	"rempart/message"
)

// NetworkRate speaks against mail from a network that hands over far more than is its habit: large senders are used to much,
// a machine that was broken into, or a network rented for one campaign, is not. Value: doublings beyond twice its busiest hour of
// a day, at least beyond a hundred mails; up to 5. Arguments: the network, mails within the hour, its habit.
func NetworkRate(m *message.Message) message.Result { return beyondHabit(&m.Facts.Arriving.Network) }

// SenderRate speaks against mail of a sender's domain of which far more comes than is its habit. Value as for NetworkRate.
// Arguments: the domain, mails within the hour, its habit.
func SenderRate(m *message.Message) message.Result { return beyondHabit(&m.Facts.Arriving.Sender) }

func beyondHabit(f *message.Flow) message.Result {
	most := max(2*f.Usual, smallFlow)
	if !f.Settled || f.Hour <= most {
		return message.Absent
	}
	return message.Present(min(math.Log2(float64(f.Hour)/float64(most)), maxDoublings), f.Name, f.Hour, f.Usual)
}

const (
	// smallFlow is how many mails within an hour are nothing to speak of, whoever sends.
	smallFlow    = 100
	maxDoublings = 5
)

// MailboxFlood speaks against mail into a mailbox that many unlike senders write to at once, far beyond its habit: subscriptions
// made in its owner's name hide the one mail that matters, such as a bank's (mail bomb). One sender's alarms are none. Value:
// doublings of mails within the hour, or of unlike domains that sent them if those are fewer, beyond twice its busiest hour of a
// day, at least beyond twenty; up to 5. Arguments: mails, unlike domains; not the mailbox, of which other recipients may not know.
func MailboxFlood(m *message.Message) message.Result {
	value, flooded := 0.0, (*message.Flow)(nil)
	for i := range m.Facts.Arriving.Mailboxes {
		f := &m.Facts.Arriving.Mailboxes[i]
		n, most := min(f.Hour, f.Senders), max(2*f.Usual, smallMailbox)
		if v := math.Log2(float64(n) / float64(most)); f.Settled && v > value {
			value, flooded = v, f
		}
	}
	if flooded == nil {
		return message.Absent
	}
	return message.Present(min(value, maxDoublings), flooded.Hour, flooded.Senders)
}

const smallMailbox = 20
