package learn

import (
	"cmp"
	"slices"
	"strings"

	"rempart/message"
)

// correction is in what one user, or one domain, differs from everybody: small tables of who sends and of near copies, and
// no more than a bounded say.
type correction [len(correctionViews)]sparse

// correctionViews are the views a correction learns from, each on its own.
var correctionViews = [...]struct {
	name    string // of the feature set in a lesson
	extract func(*features, *message.Message)
}{
	{"correction_sender", sender},
	{"correction_copy", copyBands},
}

const (
	maxCorrection    = 8 * oneScore  // the most a correction says
	correctionStep   = 3             // of oneScore: one update at full error
	correctionRounds = 8             // updates of one lesson
	correctionSure   = oneProb / 200 // below this error the correction is sure
	maxCorrected     = 4096          // features of one view; the weakest are dropped beyond it
)

// What a correction's contribution is called: the recipient's own, and the recipient's domain's.
const (
	userLessons   = "user_lessons"
	domainLessons = "domain_lessons"
)

// score is what the correction says of a message with these features, by view.
func (c *correction) score(views *correctionFeatures) int64 {
	if c == nil {
		return 0
	}
	sum := int64(0)
	for i := range c {
		sum += c[i].score(views[i])
	}
	return min(max(sum, -maxCorrection), maxCorrection)
}

// correctionFeatures are the hashed features of one message, by view.
type correctionFeatures [len(correctionViews)][]uint32

// teach moves each view until the whole score, of it and others, says what the lesson says, or until the bound: the sender's
// next mail has nothing of this one's text, and the next sender's near copy nothing of this one's names. It returns what each
// feature moved, by view.
func (c *correction) teach(views *correctionFeatures, spam bool, others int64) (moved [len(correctionViews)]int64) {
	for i := range c {
		n := int64(len(views[i]))
		for round := 0; n > 0 && round < correctionRounds; round++ {
			err := target(spam) - sigmoid(others+min(max(c[i].score(views[i]), -maxCorrection), maxCorrection))
			if abs(err) < correctionSure {
				break
			}
			d := err * correctionStep >> 14 / n
			c[i].move(views[i], d)
			moved[i] += d
		}
	}
	return moved
}

// undo takes back what a lesson moved, unless a view was full between.
func (c *correction) undo(views *correctionFeatures, moved [len(correctionViews)]int64) {
	for i := range c {
		c[i].move(views[i], -moved[i])
	}
}

// sparse is a table of the few weights that are not zero, sorted by feature.
type sparse []weight

type weight struct {
	feature uint32
	value   int32 // of oneScore
}

// find is where a feature is or belongs. Hashes are spread evenly, so it looks where the feature would be if they were quite
// even, and walks from there: a step or two, where halving waits for one look after the other.
func (s sparse) find(feature uint32) (int, bool) {
	i := int(uint64(feature) * uint64(len(s)) >> 32)
	for i < len(s) && s[i].feature < feature {
		i++
	}
	for i > 0 && s[i-1].feature >= feature {
		i--
	}
	return i, i < len(s) && s[i].feature == feature
}

func (s sparse) score(hashes []uint32) (sum int64) {
	for _, h := range hashes {
		if i, ok := s.find(h); ok {
			sum += int64(s[i].value)
		}
	}
	return sum
}

func (s *sparse) move(hashes []uint32, d int64) {
	for _, h := range hashes {
		i, ok := s.find(h)
		if !ok {
			*s = slices.Insert(*s, i, weight{feature: h})
		}
		v := &(*s)[i].value
		*v = int32(min(max(int64(*v)+d, -maxCorrection), maxCorrection))
	}
	for len(*s) > maxCorrected {
		s.dropWeakest()
	}
}

func (s *sparse) dropWeakest() {
	weakest := 0
	for i, w := range *s {
		if abs(int64(w.value)) < abs(int64((*s)[weakest].value)) {
			weakest = i
		}
	}
	*s = slices.Delete(*s, weakest, weakest+1)
}

// whose is the key of the correction that a narrow scope names: a user's, else a domain's. A user's name without a domain is
// one of the domain named beside it.
func whose(s message.Scope) message.Scope {
	if s.User == "" {
		return message.Scope{Tenant: s.Tenant, Domain: s.Domain}
	}
	user := s.User
	if s.Domain != "" && strings.IndexByte(user, '@') < 0 {
		user += "@" + s.Domain
	}
	return message.Scope{Tenant: s.Tenant, User: user}
}

// correctionsOf finds what the recipient that a scope names, and the recipient's domain, know better; nil where nothing.
func (m *Model) correctionsOf(s message.Scope) (user, domain *correction) {
	if len(m.corrections) == 0 || !s.Narrow() {
		return nil, nil
	}
	if s.User != "" {
		user = m.corrections[whose(s)]
	}
	if s.Domain != "" {
		domain = m.corrections[whose(message.Scope{Tenant: s.Tenant, Domain: s.Domain})]
	}
	return user, domain
}

// correctionOf returns the correction of a narrow scope, made at its first lesson.
func (m *Model) correctionOf(s message.Scope) *correction {
	key := whose(s)
	c := m.corrections[key]
	if c == nil {
		c = &correction{}
		m.corrections[key] = c
	}
	return c
}

// correctionFeaturesOf reads the views of a message.
func correctionFeaturesOf(f *features, msg *message.Message) (views correctionFeatures) {
	for i, v := range correctionViews {
		v.extract(f, msg)
		f.unique()
		views[i] = slices.Clone(f.hashes)
	}
	return views
}

// correctionFeaturesIn finds the views in a lesson; they are empty in lessons of builds before there were corrections.
func correctionFeaturesIn(l *message.Lesson) (views correctionFeatures) {
	for _, set := range l.Features {
		for i, v := range correctionViews {
			if v.name == set.Learner {
				views[i] = set.Hashes
			}
		}
	}
	return views
}

// Places of what names a sender.
const (
	authorPlace uint32 = iota*nameShare + 0x5e0d0000
	listPlace
	numberPlace
	domainPlace
	linkHostPlace
	bandPlace
)

// nameShare: what names one sender weighs so many times what it may share with strangers, as a domain does.
const nameShare = 4

// maxLinkHosts bounds the link hosts that tell a sender.
const maxLinkHosts = 4

// sender takes what tells who sends a message, by its own word: the author, the list, the number, the domains of author and
// envelope, and where the first links lead.
func sender(f *features, m *message.Message) {
	f.start(32)
	name := func(place uint32, s string, share uint32) {
		if s = strings.ToLower(s); s != "" {
			for i := range share {
				f.add(hashWord(place+i, s))
			}
		}
	}
	if m.From.Local != "" || m.From.Domain != "" {
		name(authorPlace, m.From.Local+"@"+m.From.Domain, nameShare)
		name(domainPlace, m.From.Domain, 1)
	}
	if _, domain, ok := strings.Cut(m.MailFrom, "@"); ok {
		name(domainPlace, domain, 1)
	} else {
		name(numberPlace, cmp.Or(m.Facts.From.E164, m.MailFrom), nameShare)
	}
	for i := range m.Header {
		if strings.EqualFold(m.Header[i].Name, "List-Id") {
			name(listPlace, m.Header[i].Value, nameShare)
			break
		}
	}
	for _, l := range m.Links[:min(len(m.Links), maxLinkHosts)] {
		name(linkHostPlace, l.Host, 1)
	}
}

// copyBands takes the digest in bands of 12 bits; near copies agree in many of them.
func copyBands(f *features, m *message.Message) {
	f.start(32)
	d := m.Facts.Digest
	for i := 0; i+3 <= len(d); i += 3 {
		low := uint32(d[i]) | uint32(d[i+1]&0xf)<<8
		high := uint32(d[i+1]>>4) | uint32(d[i+2])<<4
		place := bandPlace + uint32(i)<<12
		f.add(mix(place ^ low))
		f.add(mix(place + 1<<12 ^ high))
	}
}
