package guise

import (
	"strings"
	"unicode/utf8"

	"rempart/message"
	"rempart/message/link"
)

// BrandName speaks against an author who shows the name of a known brand and writes from a domain that is not the brand's, nor
// signed by it (DKIM). Value: 1, or 2 if the name is written with letters that only look like its own. Arguments: the name,
// the domain.
func BrandName(m *message.Message) message.Result {
	g := &m.Facts.Guise
	if strings.Contains(m.From.Name, "@") { // an address has its own signal
		return message.Absent
	}
	c := claimIn(g.Name, m.From.Name)
	if c.brand == nil || speaksFor(c.brand, m) || strings.Contains(g.Name, " via ") || branded(g.Author, c.text) {
		return message.Absent
	}
	if c.brand.common && g.Name == c.text && strings.HasPrefix(strings.ToLower(m.From.Local), c.text) {
		return message.Absent // somebody whose first name it is
	}
	value := 1.0
	if c.disguise {
		value = 2
	}
	return message.Present(value, quote(m.From.Name), quote(m.From.Domain))
}

// branded reports a domain that has the brand's name in it and no lure beside it: owners have more domains than a table.
func branded(domain, text string) bool {
	name, _, _ := strings.Cut(domain, ".")
	first, _, _ := strings.Cut(text, " ")
	if len(first) < minImitated || !strings.Contains(name, first) || link.Random(name) {
		return false
	}
	return imitated(name) == nil && misspelt(name) == nil
}

// speaksFor reports whether the message comes from the brand, as far as it says.
func speaksFor(b *brand, m *message.Message) bool {
	shared := freemail[m.From.Domain] && !reserved[strings.ToLower(m.From.Local)] // with everybody who has a mailbox there
	if m.From.Domain != "" && !shared && b.ownsHost(m.From.Domain, m.Facts.Guise.Author) {
		return true
	}
	for _, d := range m.Facts.Auth.DKIM {
		if d.Status == "pass" && !freemail[organisation(d.Domain)] && b.ownsHost(d.Domain, organisation(d.Domain)) {
			return true
		}
	}
	return false
}

// reserved are the mailboxes that who runs a free mail service keeps to itself.
var reserved = set(`no-reply noreply no_reply donotreply do-not-reply mailer-daemon postmaster abuse admin administrator account
	accounts billing contact help info kundenservice news newsletter security service support team`)

// BrandDomain speaks against an author, or an address for answers, in a domain that imitates a known brand's: its name with
// words of an office ("brand-support.example"), with letters that look alike, or with one letter wrong. Value: 1; 0.6 for a
// wrong letter. Arguments: the domain, the brand.
func BrandDomain(m *message.Message) message.Result {
	if r := brandDomain(m.From.Domain, m.Facts.Guise.Author, m); r.State == message.StatePresent {
		return r
	}
	for _, a := range m.ReplyTo[:min(len(m.ReplyTo), maxOwn)] {
		if a.Domain != "" && a.Domain != m.From.Domain {
			if r := brandDomain(a.Domain, organisation(a.Domain), m); r.State == message.StatePresent {
				return r
			}
		}
	}
	return message.Absent
}

func brandDomain(host, org string, m *message.Message) message.Result {
	name, _, ok := strings.Cut(org, ".")
	if !ok || freemail[org] {
		return message.Absent
	}
	value := 1.0
	b := imitated(shown(name))
	if b == nil {
		b, value = misspelt(shown(name)), 0.6
	}
	if b == nil || b.ownsHost(host, org) || speaksFor(b, m) {
		return message.Absent
	}
	first, _, _ := strings.Cut(b.spellings, "|")
	return message.Present(value, quote(org), first)
}

// OwnLookalike speaks against an author whose domain may be taken for the recipient's own: letters that look alike, or one
// letter wrong. Answers and lists are left out: organisations have neighbours. Value: 1. Arguments: the author's domain, the
// recipient's.
func OwnLookalike(m *message.Message) message.Result {
	g := &m.Facts.Guise
	if talks(m) {
		return message.Absent
	}
	for _, o := range g.Own {
		if alike(g.Author, o) {
			return message.Present(1, quote(g.Author), quote(o))
		}
	}
	return message.Absent
}

// ReplyLookalike speaks against an address for answers (Reply-To, RFC 5322 section 3.6.2) in a domain that may be taken for
// the author's. Value: 1. Arguments: its domain, the author's.
func ReplyLookalike(m *message.Message) message.Result {
	for _, a := range m.ReplyTo[:min(len(m.ReplyTo), maxOwn)] {
		if org := organisation(a.Domain); alike(org, m.Facts.Guise.Author) {
			return message.Present(1, quote(org), quote(m.Facts.Guise.Author))
		}
	}
	return message.Absent
}

// minAlike: shorter names have honest neighbours one letter away.
const minAlike = 7

// alike reports two registered domains, not the same, that a reader may take for each other.
func alike(a, b string) bool {
	if a == b || a == "" || b == "" {
		return false
	}
	one, oneSuffix, _ := strings.Cut(a, ".")
	two, twoSuffix, _ := strings.Cut(b, ".")
	if oneSuffix != twoSuffix || one == "" || two == "" || freemail[a] {
		return false
	}
	x, y := string(appendSkeleton(nil, shown(one))), string(appendSkeleton(nil, shown(two)))
	return x != "" && x == y || min(len(x), len(y)) >= minAlike && near(x, y)
}

// NameDomain speaks against a display name that is or holds a host name of another organisation than the author's: most
// programs show the name alone. Value: 1. Arguments: the name, the author's address.
func NameDomain(m *message.Message) message.Result {
	if m.From.Domain == "" || !strings.Contains(m.From.Name, ".") || strings.Contains(m.From.Name, "@") {
		return message.Absent
	}
	for w := range strings.FieldsSeq(strings.ToLower(m.From.Name)) {
		w = strings.Trim(w, ".,;:()[]<>\"'|-")
		if !strings.Contains(w, ".") || len(w) < 6 || !link.KnownSuffix(w) || strings.Trim(w, "abcdefghijklmnopqrstuvwxyz0123456789-.") != "" {
			continue
		}
		if org := link.Organisation(w); len(org) > 5 && org != m.Facts.Guise.Author && !sameLabel(org, m.Facts.Guise.Author) {
			return message.Present(1, quote(m.From.Name), quote(m.From.String()))
		}
	}
	return message.Absent
}

// sameLabel reports one name under two suffixes, or one that holds the other ("shop.example" writes from "shopmail.example").
func sameLabel(a, b string) bool {
	x, _, _ := strings.Cut(a, ".")
	y, _, _ := strings.Cut(b, ".")
	return strings.Contains(x, y) || strings.Contains(y, x)
}

// NameOwn speaks against an author outside who shows the name of the recipient's own organisation with a word of an office
// beside it ("Example Support"), or its domain. Value: 1. Arguments: the name, the author's address.
func NameOwn(m *message.Message) message.Result {
	g := &m.Facts.Guise
	if strings.Contains(m.From.Name, "@") || strings.Contains(g.Name, " via ") {
		return message.Absent
	}
	for _, o := range g.Own {
		if o == g.Author || g.Author == "" {
			return message.Absent
		}
		name, suffix, _ := strings.Cut(o, ".")
		at := strings.Index(g.Name, name)
		if len(name) < 4 || at < 0 || at > 0 && g.Name[at-1] != ' ' || sameLabel(o, g.Author) {
			continue
		}
		rest := g.Name[at+len(name):]
		if rest != "" && rest[0] != ' ' {
			continue
		}
		if strings.HasPrefix(strings.TrimPrefix(rest, " "), strings.ReplaceAll(suffix, ".", " ")) || anyOffice(g.Name) {
			return message.Present(1, quote(m.From.Name), quote(m.From.String()))
		}
	}
	return message.Absent
}

func anyOffice(words string) bool {
	for w := range strings.FieldsSeq(words) {
		if office[w] {
			return true
		}
	}
	return false
}

// postmasters are how phishing for mail accounts calls itself, in folded words.
var postmasters = [...]string{"webmail", "web mail", "helpdesk", "help desk", "mail admin", "mail administrator", "email admin",
	"email administrator", "e mail admin", "mail support", "email support", "it support", "it service", "it department",
	"it admin", "it desk", "it team", "mail server", "email server", "mail service", "email service", "mail security",
	"email security", "mail team", "mailbox", "system administrator", "system admin", "server admin", "account team",
	"account security", "domain support", "soporte de correo", "administrador de correo", "administrateur de messagerie",
	"service informatique", "support informatique", "administração de e mail", "suporte de e mail", "mail verwaltung", "it abteilung"}

// NamePostmaster speaks against an author outside who shows the name of those who run mail accounts. Value: 1. Arguments: the
// name, the author's address.
func NamePostmaster(m *message.Message) message.Result {
	g := &m.Facts.Guise
	if len(g.Name) < 7 || g.Author == "" {
		return message.Absent
	}
	for _, o := range g.Own {
		if o == g.Author {
			return message.Absent
		}
	}
	for _, p := range postmasters {
		if at := strings.Index(g.Name, p); at >= 0 && (at == 0 || g.Name[at-1] == ' ') && (at+len(p) == len(g.Name) || g.Name[at+len(p)] == ' ') {
			return message.Present(1, quote(m.From.Name), quote(m.From.String()))
		}
	}
	return message.Absent
}

// FromImpossible speaks against an author's domain that cannot be one (RFC 1123 section 2.1): no full stop, or signs that no
// host name has. Value: 1. Argument: the domain.
func FromImpossible(m *message.Message) message.Result {
	d := m.From.Domain
	if d == "" || strings.HasPrefix(d, "[") {
		return message.Absent
	}
	bad := !strings.Contains(strings.Trim(d, "."), ".")
	for i := range len(d) {
		c := d[i]
		bad = bad || c < utf8.RuneSelf && !('a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '_')
	}
	if !bad {
		return message.Absent
	}
	return message.Present(1, quote(d))
}

// FromRandom speaks against an author's registered domain whose name is drawn by lot ("vy448tguxl"), or who hides behind four
// labels and more before it. Value: 1. Argument: the domain.
func FromRandom(m *message.Message) message.Result {
	org := m.Facts.Guise.Author
	name, _, _ := strings.Cut(org, ".")
	if link.Random(name) || strings.Count(m.From.Domain, ".")-strings.Count(org, ".") >= 4 {
		return message.Present(1, quote(m.From.Domain))
	}
	return message.Absent
}

// SubjectRecipient speaks against a subject that holds the recipient's address: a list of addresses fills a form. Value: 1.
func SubjectRecipient(m *message.Message) message.Result {
	if !strings.Contains(m.Subject, "@") {
		return message.Absent
	}
	subject := strings.ToLower(m.Subject)
	for i := range m.Recipients[:min(len(m.Recipients), maxOwn)] {
		if strings.Contains(subject, strings.ToLower(m.Recipients[i].Address)) {
			return message.Present(1)
		}
	}
	for i := range m.To[:min(len(m.To), maxOwn)] {
		if m.To[i].Domain != "" && strings.Contains(subject, strings.ToLower(m.To[i].String())) {
			return message.Present(1)
		}
	}
	return message.Absent
}
