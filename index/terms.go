package index

import (
	"strings"
	"unicode"

	"rempart/message"
)

const (
	maxTermBytes  = 200
	maxTerms      = 128 // an event with more recipients than that is found by the first
	maxTitleWords = 32

	// crowded is an added term of an event that has more than maxTerms: who looks for a person must read its record.
	crowded = "\x01crowded"
)

// terms is what an event is found by. Its result for an event must not change without [schemaVersion].
func terms(e *message.Event) []string {
	all := allTerms(e)
	if len(all) > maxTerms {
		return append(all[:maxTerms], crowded)
	}
	return all
}

func allTerms(e *message.Event) []string {
	s := termSet{seen: make(map[string]bool), list: compared(e)}
	s.add(e.ID, e.QueueID, e.MessageID, e.Source.Client(), e.Source.Name, e.Source.ID, e.Account, e.Campaign)
	s.addAddress(e.MailFrom)
	s.addAddress(e.From)
	for i, w := range words(e.Subject) {
		if i == maxTitleWords {
			break
		}
		s.add(w)
	}
	s.add(e.LinkHosts...)
	for _, o := range e.Outcomes {
		s.addAddress(o.Recipient)
	}
	return s.list
}

type termSet struct {
	seen map[string]bool
	list []string
}

func (s *termSet) add(list ...string) {
	for _, t := range list {
		if t = normal(t); t != "" && !s.seen[t] {
			s.seen[t] = true
			s.list = append(s.list, t)
		}
	}
}

func (s *termSet) addAddress(a string) {
	s.add(a)
	if i := strings.LastIndexByte(a, '@'); i >= 0 {
		s.add(a[i+1:])
	}
}

// normal is the form in which terms are stored and looked up: lower case, without brackets; of a number only the digits. It has no
// control characters, by which our own terms begin: a sender can write them.
func normal(t string) string {
	if strings.ContainsFunc(t, unicode.IsControl) {
		t = strings.Map(func(r rune) rune {
			if unicode.IsControl(r) {
				return -1
			}
			return r
		}, t)
	}
	t = strings.ToLower(strings.Trim(strings.TrimSpace(t), `<>[](),;"'`))
	if digits := strings.Map(digit, t); len(digits) >= 3 && strings.Trim(t, "0123456789+-./() ") == "" && !strings.ContainsRune(t, '.') {
		return strings.TrimPrefix(digits, "00")
	}
	if len(t) > maxTermBytes {
		t = t[:maxTermBytes]
	}
	return t
}

func digit(r rune) rune {
	if r >= '0' && r <= '9' {
		return r
	}
	return -1
}

// words are the runs of letters and digits.
func words(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) })
}
