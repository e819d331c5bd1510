package filter

import (
	"rempart/campaign"
	"rempart/message"
)

// nearSpamName is nearSpam's in the tables: a near copy has the purpose of what it is a copy of.
const nearSpamName = "near_spam"

// nearSpam speaks against a near copy of a message that was taught as spam: it follows the taught one at once, whatever
// the learners think of it yet. Value: 1 for the very text, down to 1/2 at the limit of likeness. Argument: percent of
// likeness.
func nearSpam(m *message.Message) message.Result { return near(m, message.Spam) }

// nearHam speaks for a near copy of a message that was taught as honest. Value and argument as for nearSpam.
func nearHam(m *message.Message) message.Result { return near(m, message.Ham) }

func near(m *message.Message, label message.Label) message.Result {
	n := &m.Facts.Campaign
	if n.State != message.StatePresent || n.Label != label {
		return message.Absent
	}
	value := 1 - float64(n.Distance)/(2*campaign.Near)
	return message.Present(value, 100-n.Distance*100/256)
}
