package filter

import (
	"rempart/filter/language"
	"rempart/message"
)

// gatherLanguage finds out which language a mail coming in is in, and whether that is unusual for those it comes to.
func (f *Filter) gatherLanguage(m *message.Message) {
	m.Facts.Language, m.Facts.LanguageUnusual = message.LanguageUnknown, false
	if len(m.Recipients) == 0 || len(m.Recipients) > maxAcquainted {
		return
	}
	l := language.Of(m.VisibleText())
	if m.Facts.Language = l; l == message.LanguageUnknown {
		return
	}
	for i := range m.Recipients {
		habit, usual := f.languages.Habit(mailboxOf(m, i), l)
		if usual {
			m.Facts.LanguageUnusual = false
			return
		}
		m.Facts.LanguageUnusual = m.Facts.LanguageUnusual || habit
	}
}
