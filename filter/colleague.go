package filter

import (
	"rempart/filter/guise"
	"rempart/message"
)

// signs notes under which name an account writes, if from the organisation's own domain.
func (f *Filter) signs(m *message.Message) {
	domain := guise.OwnDomain(m.From.Domain)
	if domain == "" || m.From.Name == "" {
		return
	}
	if person, alone := guise.Person(m.From.Name); person != "" && alone {
		f.colleagues.Wrote(m.ScopeOf(nil).Tenant, domain, person, m.From.String(), m.Arrived)
	}
}

// gatherNamesake finds out whether the author of a mail coming in shows the name of one of the recipients' own people without
// writing from an address of theirs.
func (f *Filter) gatherNamesake(m *message.Message, asks *Asks) {
	m.Facts.Namesake = message.NamesakeNone
	if m.From.Name == "" || m.From.Domain == "" || asks.Executives == nil && f.colleagues.Empty() {
		return
	}
	person, _ := guise.Person(m.From.Name)
	if person == "" {
		return
	}
	executive, theirs := asks.Executives.Namesake(m, person)
	if theirs {
		return
	}
	colleague := false
	for i := range m.Recipients[:min(len(m.Recipients), maxAcquainted)] {
		who := m.ScopeOf(&m.Recipients[i])
		if domain := guise.OwnDomain(who.Domain); domain != "" {
			named, theirs := f.colleagues.Namesake(who.Tenant, domain, person, m.From.String())
			if theirs {
				return
			}
			colleague = colleague || named
		}
	}
	switch {
	case executive:
		m.Facts.Namesake = message.NamesakeExecutive
	case colleague:
		m.Facts.Namesake = message.NamesakeAccount
	}
}
