package filter

import (
	"strings"

	"rempart/message"
)

// basePrefix begins the names of the signals that the shipped weights give. They fade as lessons come.
const basePrefix = "base_"

// baseWordsSpam speaks against what a mail says, by the weights that come with the program: its words, and the themes they
// belong to, are those of spam. Value: log-odds, 0 to 32. Argument: the words that say most.
func baseWordsSpam(m *message.Message) message.Result {
	return shipped(m.Facts.Base.Words, telling(m))
}

// baseWordsHam speaks for what a mail says. Value and argument as for baseWordsSpam.
func baseWordsHam(m *message.Message) message.Result {
	return shipped(-m.Facts.Base.Words, telling(m))
}

// baseFormSpam speaks against how a mail is made, by the weights that come with the program: who seems to send it, where its
// links lead, what it consists of. Value: log-odds, 0 to 32.
func baseFormSpam(m *message.Message) message.Result { return shipped(m.Facts.Base.Form) }

// baseFormHam speaks for how a mail is made. Value as for baseFormSpam.
func baseFormHam(m *message.Message) message.Result { return shipped(-m.Facts.Base.Form) }

func shipped(odds message.LogOdds, args ...any) message.Result {
	if odds <= 0 {
		return message.Absent
	}
	return message.Present(odds.Float(), args...)
}

func telling(m *message.Message) string {
	t := m.Facts.Base.Telling
	if t[1] == "" {
		return t[0]
	}
	return strings.Join(t[:], ", ")
}
