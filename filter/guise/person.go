package guise

import (
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"rempart/message"
)

// titles stand beside a name without being part of it: forms of address, degrees, and what those are called whose name is worth
// taking.
var titles = bare(set(`mr mrs ms miss mx dr prof professor sir madam herr frau hr fr dipl mag phd md mba msc bsc jr sr ii iii esq
	m mme mlle monsieur madame sr sra srta señor señora dott dottssa sig sigra signor signora dhr mevr
	ceo cfo cto coo cio ciso chief executive financial operating officer president vice vp director directeur directrice direktor
	direttore manager managing chairman chairwoman founder owner partner principal rector minister secretary
	geschäftsführer geschäftsführerin vorstand gérant gerente presidente président présidente доктор`))

// offices are the words of offices and firms, as [Person] reads them.
var offices = func() map[string]bool {
	m := bare(office)
	for w := range bare(firms) {
		m[w] = !titles[w]
	}
	return m
}()

// bare is a set of words as [Person] reads them.
func bare(words map[string]bool) map[string]bool {
	m := make(map[string]bool, len(words))
	for w := range words {
		m[string(appendBare(nil, w))] = true
	}
	return m
}

// appendBare appends the words of a name without accents, also where these are part of a letter.
func appendBare(dst []byte, name string) []byte { return appendWords(dst, norm.NFD.String(name)) }

// maxWords of a name; a longer one is no person's.
const maxWords = 6

// Person is whom a display name names, whatever the order of its words, their case, accents and punctuation, the letters they
// are drawn with (UTS 39), titles and single letters: "ROE, Jane A." and "Dr. Jane Roe" are one. Words of an office beside it
// ("Jane Roe, Billing") are left out too, and alone says that there were none. It is empty where no two words are left that may be a
// name; one is enough where scripts put no space between them.
func Person(name string) (person string, alone bool) {
	var fold [2 * maxName]byte
	var buf [maxWords]string
	words, besides := buf[:0], false
	for w := range strings.FieldsSeq(string(appendBare(fold[:0], name[:min(len(name), maxName)]))) {
		if offices[w] {
			besides = true
			continue
		}
		if len(w) == 1 || titles[w] {
			continue
		}
		if len(words) == maxWords {
			return "", false
		}
		words = append(words, string(skeleton([]byte(w))))
	}
	if len(words) < 2 && !(len(words) == 1 && words[0][0] >= 0xe1) { // Hangul, Kana, ideographs
		return "", false
	}
	slices.Sort(words)
	return strings.Join(words, " "), !besides
}

// OwnDomain is the registered domain that an organisation has to itself; empty for free mailboxes, which have nothing in common.
func OwnDomain(domain string) string {
	if org := organisation(strings.ToLower(domain)); strings.Contains(org, ".") && !freemail[org] {
		return org
	}
	return ""
}

// NameColleague speaks against an author who shows the name of somebody of the recipient's own organisation and writes from an
// address that is not theirs: who asks for money in a director's name does so. Left out are senders whom the recipient knows, mail
// that the own domain vouches for, and notes that a service's own mailbox sends in a person's name. Value: 1 for a person on the
// operator's list, 1/2 for one whose mail was seen going out. Arguments: the name, the author's address.
func NameColleague(m *message.Message) message.Result {
	value := 0.0
	switch m.Facts.Namesake {
	case message.NamesakeExecutive:
		value = 1
	case message.NamesakeAccount:
		value = 0.5
	}
	if value == 0 || m.Facts.KnownSender != "" || m.Facts.AnswersOurs || m.Source.Trusted || comesFromOwn(m) || notifies(m) {
		return message.Absent
	}
	return message.Present(value, quote(m.From.Name), quote(m.From.String()))
}

// comesFromOwn reports mail that a domain of the recipient's organisation vouches for, or that claims to come from it and is not shown
// to be forged: an address of the organisation that we do not know.
func comesFromOwn(m *message.Message) bool {
	a := &m.Facts.Auth
	own := func(domain string) bool {
		return slices.Contains(m.Facts.Guise.Own, organisation(strings.ToLower(domain)))
	}
	for _, d := range a.DKIM {
		if d.Status == "pass" && own(d.Domain) {
			return true
		}
	}
	if a.SPF == "pass" && own(a.SPFDomain) {
		return true
	}
	return own(m.From.Domain) && (a.DMARC != "fail" && a.SPF != "fail" || a.DMARCOverride != "")
}

// notifiers are how the mailboxes begin or end that a service writes from in the name of its users: nobody reads what is sent there.
var notifiers = [...]string{"noreply", "no-reply", "no_reply", "donotreply", "do-not-reply", "notification", "notifications", "notify", "invitations"}

// notifies reports such a mail: the author's domain vouches for it, and answers go nowhere else. A free mailbox is never one: anybody
// can have it named so, and its domain vouches for everybody.
func notifies(m *message.Message) bool {
	author := m.Facts.Guise.Author
	if freemail[author] {
		return false
	}
	local := strings.ToLower(m.From.Local)
	if !slices.ContainsFunc(notifiers[:], func(n string) bool { return strings.HasPrefix(local, n) || strings.HasSuffix(local, n) }) {
		return false
	}
	for _, r := range m.ReplyTo {
		if org := organisation(r.Domain); org != author && !slices.Contains(m.Facts.Guise.Own, org) {
			return false
		}
	}
	a := &m.Facts.Auth
	return a.DMARC == "pass" || slices.ContainsFunc(a.DKIM, func(d message.DKIM) bool {
		return d.Status == "pass" && organisation(strings.ToLower(d.Domain)) == author
	})
}
