package guise

import (
	"errors"
	"fmt"
	"net/mail"
	"strings"

	"rempart/message"
)

// Executives is one table [[executives]]: people whose names others take.
type Executives struct {
	// Tenant whose mail this is for. Default: any.
	Tenant string `toml:"tenant"`

	// Domain of the recipients this is for. Default: any.
	Domain string `toml:"domain"`

	// People are names with an address of theirs, "Jane Roe <jane@example.com>". Who has several addresses, also private ones,
	// stands there once with each. Order of the words, case, accents, titles and initials of the name do not matter. Default: none.
	People []string `toml:"people"`
}

// maxRecipients of a mail whose lists are looked at.
const maxRecipients = 20

// Roll is the configured people. It is immutable.
type Roll struct {
	people map[string][]listed // by [Person]
}

type listed struct {
	tenant, domain string // lower case; empty: any
	address        string // lower case
}

// NewRoll checks the tables; nil if they name nobody. Errors name the key.
func NewRoll(tables []Executives) (*Roll, error) {
	r := &Roll{people: map[string][]listed{}}
	var errs []error
	for i, t := range tables {
		for j, text := range t.People {
			a, err := mail.ParseAddress(text)
			person := ""
			if err == nil {
				person, _ = Person(a.Name)
			}
			if person == "" {
				errs = append(errs, fmt.Errorf("executives[%d].people[%d] = %q: write a name of two words or more and an address, \"Jane Roe <jane@example.com>\"", i, j, text))
				continue
			}
			r.people[person] = append(r.people[person], listed{strings.ToLower(t.Tenant), strings.ToLower(t.Domain), strings.ToLower(a.Address)})
		}
	}
	if len(r.people) == 0 {
		r = nil
	}
	return r, errors.Join(errs...)
}

// Namesake reports whether the author of m shows a name that stands on the roll for one of its recipients, and whether the address is
// one that stands there with it.
func (r *Roll) Namesake(m *message.Message, person string) (named, theirs bool) {
	if r == nil {
		return false, false
	}
	author := strings.ToLower(m.From.String())
	for _, l := range r.people[person] {
		if l.concerns(m) {
			named, theirs = true, theirs || l.address == author
		}
	}
	return named, theirs
}

func (l *listed) concerns(m *message.Message) bool {
	if l.tenant == "" && l.domain == "" {
		return true
	}
	for i := range m.Recipients[:min(len(m.Recipients), maxRecipients)] {
		who := m.ScopeOf(&m.Recipients[i])
		if (l.tenant == "" || l.tenant == who.Tenant) && (l.domain == "" || l.domain == who.Domain) {
			return true
		}
	}
	return false
}
