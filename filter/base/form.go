package base

import (
	"math/bits"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/publicsuffix"

	"rempart/message"
	"rempart/message/link"
)

// A trait is one question about how a mail is made and who sends it; a feature is a trait with its answer.
const (
	traitSenderSuffix uint32 = iota + 32
	traitSenderLabel
	traitSenderDepth
	traitLocal
	traitNameDomain
	traitNameShape
	traitMessageID
	traitReplyTo
	traitSubjectShape
	traitSubjectNamesYou
	traitSubjectLength
	traitLinkOrganisations
	traitLinksToSender
	traitLinkSuffix
	traitLinkLabel
	traitLinkHosted
	traitOneTarget
	traitImagesElsewhere
	traitTextAndImages
	traitThemeCount
	traitQuotes
	traitTextShape
	traitHidden
	traitLinkPath
	traitAttachment
	traitSenderAndText
	traitThemeLinks
	traitGreeting
)

// maxGreeting is how much of the text may be its greeting.
const maxGreeting = 300

// maxLinks is how many links are looked at.
const maxLinks = 40

// readForm asks the traits. What only says when or by what program a mail was written is not asked.
func (f *features) readForm(m *message.Message) {
	from := organisation(m.From.Domain)
	f.readSender(m, from)
	f.readSubject(m)
	f.readLinks(m, from)
	f.readText(m)
}

func (f *features) trait(trait, answer uint32) { f.add(&f.form, hash(trait, answer)) }

func (f *features) readSender(m *message.Message, from string) {
	f.trait(traitSenderSuffix, suffixKind(m.From.Domain))
	f.trait(traitSenderLabel, labelShape(firstLabel(from)))
	f.trait(traitSenderDepth, uint32(min(strings.Count(m.From.Domain, ".")-strings.Count(from, "."), 3)+1))
	f.trait(traitLocal, localShape(m.From.Local))
	f.trait(traitNameDomain, nameAndDomain(m.From.Name, from))
	f.trait(traitNameShape, textShape(m.From.Name))
	id := ""
	if at := strings.LastIndexByte(m.MessageID, '@'); at >= 0 {
		id = organisation(strings.ToLower(m.MessageID[at+1:]))
	}
	f.trait(traitMessageID, relation(id, from))
	reply := ""
	if len(m.ReplyTo) > 0 {
		reply = organisation(m.ReplyTo[0].Domain)
	}
	f.trait(traitReplyTo, relation(reply, from))
}

func (f *features) readSubject(m *message.Message) {
	f.trait(traitSubjectShape, textShape(m.Subject))
	f.trait(traitSubjectLength, bin(len(m.Subject)))
	if len(m.To) == 1 && len(m.To[0].Local) > 3 && strings.Contains(strings.ToLower(m.Subject), strings.ToLower(m.To[0].Local)) {
		f.trait(traitSubjectNamesYou, 1)
	}
}

// readLinks compares where links lead with who sends the mail.
func (f *features) readLinks(m *message.Message, from string) {
	var hosts []string
	own, follow, images, far := 0, 0, 0, 0
	target, last, org := "", "", ""
	one := true
	for i := range m.Links[:min(len(m.Links), maxLinks)] {
		l := &m.Links[i]
		if l.Host == "" {
			continue
		}
		if l.Host != last { // most links of a mail lead to one host
			last, org = l.Host, organisation(l.Host)
		}
		if l.Kind == message.LinkImage {
			if images++; org != from {
				far++
			}
			continue
		}
		if follow++; org == from {
			own++
		}
		one = one && (target == "" || target == l.URL)
		target = l.URL
		if known(hosts, org) {
			continue
		}
		hosts = append(hosts, org)
		f.readHost(l, org, from)
	}
	f.trait(traitLinkOrganisations, uint32(min(len(hosts), 4)))
	f.trait(traitLinksToSender, share(own, follow))
	if follow > 1 && one {
		f.trait(traitOneTarget, 1)
	}
	f.trait(traitImagesElsewhere, share(far, images))
	for _, theme := range f.about {
		f.trait(traitThemeLinks, theme<<2|whither(own, follow))
	}
	f.trait(traitTextAndImages, bin((len(m.VisibleText())+63)/64)<<8|min(bin(images), 2)<<4|min(uint32(len(hosts)), 2))
}

func (f *features) readHost(l *message.Link, org, from string) {
	if org == from {
		return
	}
	f.trait(traitLinkSuffix, suffixKind(l.Host))
	f.trait(traitLinkLabel, labelShape(firstLabel(org)))
	if hosted(l.Host) {
		f.trait(traitLinkHosted, 1)
	}
	path := l.URL
	if i := strings.Index(path, l.Host); i >= 0 {
		path = path[i+len(l.Host):]
	}
	f.trait(traitLinkPath, bin(len(path)/8)<<4|labelShape(lastPart(path)))
}

func (f *features) readText(m *message.Message) {
	text := m.VisibleText()
	text = text[:min(len(text), maxText)]
	f.trait(traitThemeCount, bin(len(f.themes)))
	if strings.HasPrefix(text, "> ") || strings.Contains(text, "\n> ") || strings.Contains(text, "\n>>") {
		f.trait(traitQuotes, 1)
	}
	if strings.Contains(text, "\n-- \n") || strings.Contains(text, "\n--\n") {
		f.trait(traitQuotes, 2)
	}
	f.trait(traitTextShape, textShape(text))
	if len(m.To) == 1 && m.To[0].Domain != "" && strings.Contains(text[:min(len(text), maxGreeting)], m.To[0].String()) {
		f.trait(traitGreeting, 1)
	}
	f.trait(traitHidden, bin(len(m.HiddenText)/100))
	f.trait(traitAttachment, min(bin(len(m.Attachments)), 2))
	f.trait(traitSenderAndText, localShape(m.From.Local)<<8|suffixKind(m.From.Domain)<<4|min(bin(len(f.themes)), 5))
}

func organisation(host string) string {
	if host == "" {
		return ""
	}
	return link.Organisation(host)
}

func known(hosts []string, host string) bool {
	for _, h := range hosts {
		if h == host {
			return true
		}
	}
	return false
}

// relation of another domain to the author's: none, the same, another.
func relation(other, from string) uint32 {
	switch other {
	case "":
		return 0
	case from:
		return 1
	}
	return 2
}

// share in quarters, told apart from none at all.
func share(part, whole int) uint32 {
	if whole == 0 {
		return 9
	}
	return uint32(4 * part / whole)
}

// whither links lead: there are none, all to the author, some, or none to the author.
func whither(own, all int) uint32 {
	switch {
	case all == 0:
		return 0
	case own == all:
		return 1
	case own > 0:
		return 2
	}
	return 3
}

// bin is the number of binary digits of n: 0, 1, 2-3, 4-7 and so on.
func bin(n int) uint32 { return uint32(bits.Len(uint(max(n, 0)))) }

// suffixKind is what stands at the end of a host name: nothing sensible, an address, one of the oldest suffixes, a country,
// an organisation's, or one of the many since.
func suffixKind(host string) uint32 {
	dot := strings.LastIndexByte(host, '.')
	if dot < 0 || dot == len(host)-1 {
		return 0
	}
	switch s := host[dot+1:]; {
	case s == "example" || s == "test": // of documents and trials (RFC 2606)
		return 2
	case s[0] >= '0' && s[0] <= '9':
		return 1
	case s == "com" || s == "net":
		return 2
	case s == "org" || s == "edu" || s == "gov" || s == "mil" || s == "int":
		return 3
	case s == "info" || s == "biz":
		return 4
	case len(s) == 2:
		return 5
	}
	if suffix, icann := publicsuffix.PublicSuffix(host); !icann && !strings.Contains(suffix, ".") {
		return 7 // there is no such suffix
	}
	return 6
}

// hosted reports a host below a suffix at which anybody may publish (the private part of the public suffix list).
func hosted(host string) bool {
	suffix, icann := publicsuffix.PublicSuffix(host)
	return !icann && strings.Contains(suffix, ".")
}

func firstLabel(host string) string {
	label, _, _ := strings.Cut(host, ".")
	return label
}

func lastPart(path string) string {
	path = strings.TrimRight(path, "/")
	return path[strings.LastIndexAny(path, "/=")+1:]
}

// labelShape tells names that people chose from those that a program made: by length, digits and runs of consonants.
func labelShape(s string) uint32 {
	digits, run, longest := 0, 0, 0
	for i := range len(s) {
		c := s[i] | 0x20
		switch {
		case '0' <= s[i] && s[i] <= '9':
			digits++
			run = 0
		case strings.IndexByte("aeiouy", c) >= 0 || c < 'a' || c > 'z':
			run = 0
		default:
			run++
			longest = max(longest, run)
		}
	}
	shape := min(uint32(len(s))/6, 3)
	if digits > 0 {
		shape |= 4
	}
	if longest > 4 {
		shape |= 8
	}
	return shape
}

// localShape tells kinds of local parts: roles, names, and what a program made.
func localShape(s string) uint32 {
	lower := strings.ToLower(s)
	for i, role := range [...]string{"noreply", "no-reply", "info", "contact", "support", "service", "admin", "newsletter", "mail", "office"} {
		if strings.HasPrefix(lower, role) {
			return min(uint32(i)+1, 8)
		}
	}
	if s == "" {
		return 0
	}
	shape := labelShape(s) >> 2 << 4
	if lower != s {
		shape |= 0x40
	}
	if len(s) > 16 {
		shape |= 0x80
	}
	return shape | 9
}

// nameAndDomain says whether a word of the display name stands in the author's domain.
func nameAndDomain(name, org string) uint32 {
	label := firstLabel(org)
	if name == "" {
		return 0
	}
	for _, w := range strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if len(w) >= 3 && (strings.Contains(label, w) || len(label) >= 3 && strings.Contains(w, label)) {
			return 1
		}
	}
	return 2
}

// textShape is what letters a text is made of: capitals, pictures, letters of fancy alphabets, long numbers, marks.
func textShape(s string) (shape uint32) {
	var ascii [5]int
	letters := 0
	for i := 0; i < len(s); {
		if s[i] < utf8.RuneSelf {
			ascii[asciiKind[s[i]]]++
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		i += size
		switch {
		case r >= 0x1d400 && r < 0x1d800:
			shape |= 1
		case r >= 0x1f000 && r < 0x1fc00, r >= 0x2600 && r < 0x27c0:
			shape |= 2
		case unicode.IsLetter(r):
			letters++
		}
	}
	capitals, digits, exclaims := ascii[capital], ascii[digit], ascii[exclaim]
	letters += ascii[small] + capitals
	if letters > 6 && capitals*2 > letters {
		shape |= 4
	}
	if digits > 5 && digits*8 > letters {
		shape |= 8
	}
	if exclaims > 0 && exclaims*200 > letters {
		shape |= 16
	}
	return shape
}

// Kinds of ASCII characters.
const (
	other = iota
	small
	capital
	digit
	exclaim
)

var asciiKind = func() (kind [utf8.RuneSelf]uint8) {
	for c := range kind {
		switch {
		case 'a' <= c && c <= 'z':
			kind[c] = small
		case 'A' <= c && c <= 'Z':
			kind[c] = capital
		case '0' <= c && c <= '9':
			kind[c] = digit
		case c == '!':
			kind[c] = exclaim
		}
	}
	return kind
}()
