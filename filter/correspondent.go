package filter

import (
	"cmp"
	"strings"

	"rempart/filter/behaviour"
	"rempart/message"
)

// Judged notes what the verdicts on m say for later messages: honest mail of a verified author or list makes them known to the
// recipient, and its language usual. It is told of every message once, after it was judged.
func (f *Filter) Judged(m *message.Message, j message.Judgement) {
	if m.Channel != message.Email || m.Direction != message.In || len(m.Recipients) > maxAcquainted {
		return
	}
	for i := range m.Recipients {
		if i >= len(j.Verdicts) || j.Verdicts[i].Probability >= 0.5 {
			continue
		}
		for _, who := range sendersOf(m) {
			f.correspondents.Had(mailboxOf(m, i), who, m.Arrived)
		}
		f.languages.Had(mailboxOf(m, i), m.Facts.Language)
	}
}

// wrote notes to whom an account writes, and under which Message-ID, for its own mailbox. The envelope sender, which the account chooses, counts only where the
// account's name is no address.
func (f *Filter) wrote(m *message.Message) {
	mailbox := behaviour.Mailbox{Tenant: m.ScopeOf(nil).Tenant, Address: m.Account}
	if !strings.Contains(m.Account, "@") {
		mailbox.Address = cmp.Or(m.MailFrom, m.From.String())
	}
	for i := range m.Recipients {
		f.correspondents.Wrote(mailbox, authorPrefix+m.Recipients[i].Address, m.Arrived)
	}
	if m.MessageID != "" {
		f.correspondents.Wrote(mailbox, idPrefix+m.MessageID, m.Arrived)
	}
}

// gatherCorrespondence finds out whether the sender of a mail coming in is known to all its recipients, and whether it answers
// one of them.
func (f *Filter) gatherCorrespondence(m *message.Message) {
	m.Facts.KnownSender, m.Facts.AnswersOurs = "", false
	who := sendersOf(m)
	for _, w := range who {
		known := len(m.Recipients) > 0 && len(m.Recipients) <= maxAcquainted
		for i := 0; known && i < len(m.Recipients); i++ {
			known = f.correspondents.Known(mailboxOf(m, i), w)
		}
		if known {
			_, m.Facts.KnownSender, _ = strings.Cut(w, ":")
			break
		}
	}
	m.Facts.AnswersOurs = len(who) > 0 && len(m.Recipients) <= maxAcquainted && f.answers(m)
}

// answers reports whether a recipient's own mailbox sent what m answers: who knows a Message-ID of one mailbox, from an archive or
// from a mail of their own, is a stranger to the others.
func (f *Filter) answers(m *message.Message) bool {
	for _, id := range answered(m) {
		for i := range m.Recipients {
			if f.correspondents.Known(mailboxOf(m, i), idPrefix+id) {
				return true
			}
		}
	}
	return false
}

// mailboxOf is the i-th recipient's of a mail coming in.
func mailboxOf(m *message.Message, i int) behaviour.Mailbox {
	to := &m.Recipients[i]
	return behaviour.Mailbox{Tenant: m.ScopeOf(to).Tenant, Address: to.Address}
}

const (
	// maxAcquainted bounds the work on one mail; who writes to more is no correspondent.
	maxAcquainted = 20
	// maxAnswered is how many Message-IDs of a thread are looked at, and maxThread how much of a field.
	maxAnswered = 10
	maxThread   = 4 << 10

	authorPrefix, listPrefix, idPrefix = "author:", "list:", "id:"
)

// sendersOf are the verified author and list of a mail.
func sendersOf(m *message.Message) (who []string) {
	if a := behaviour.VerifiedAuthor(m); a != "" {
		who = append(who, authorPrefix+a)
	}
	if l := behaviour.VerifiedList(m); l != "" {
		who = append(who, listPrefix+l)
	}
	return who
}

// answered are the Message-IDs that a mail answers, without brackets; of a long thread the latest.
func answered(m *message.Message) (ids []string) {
	for _, field := range []string{"In-Reply-To", "References"} {
		v := m.Header.Get(field)
		v = v[max(0, len(v)-maxThread):]
		for len(ids) < maxAnswered {
			end := strings.LastIndexByte(v, '>')
			if end < 0 {
				break
			}
			begin := strings.LastIndexByte(v[:end], '<')
			if begin < 0 {
				break
			}
			if id := v[begin+1 : end]; strings.Contains(id, "@") && !strings.ContainsAny(id, "<> ") {
				ids = append(ids, id)
			}
			v = v[:begin]
		}
	}
	return ids
}
