package guise

import (
	"strings"

	"rempart/message"
)

// FreemailOffice speaks against a free mailbox whose author shows the name of an office or firm ("… Bank", "… Ltd"). Small firms
// do so honestly. Value: 1. Arguments: the name, the domain.
func FreemailOffice(m *message.Message) message.Result {
	g := &m.Facts.Guise
	if !freemail[g.Author] || strings.EqualFold(m.From.Local, "mailer-daemon") || strings.EqualFold(m.From.Local, "postmaster") || !anyOffice(g.Name) && !anyFirm(g.Name) {
		return message.Absent
	}
	return message.Present(1, quote(m.From.Name), quote(m.From.Domain))
}

func anyFirm(words string) bool {
	for w := range strings.FieldsSeq(words) {
		if firms[w] {
			return true
		}
	}
	return false
}

// firms are words of the names of firms, states and those who claim to act for them, beside [office].
var firms = set(`ag agency association barrister chambers commission company consultant consulting corp corporation council court
	director embassy enterprise enterprises estate finance foundation fund funding global gmbh government group holding holdings
	hospital industries institute insurance international investment investments investor law lawyer limited loan loans logistics
	lottery lotto manager ministry mrs nations office official organisation organization pharma pharmacy police
	president resources sarl sas solutions stock technologies technology trade trading treasury trust united university usa worldwide
	ооо компания банк фонд 公司 有限公司`)

// FreemailReply speaks against mail that asks for answers to a free mailbox (Reply-To, RFC 5322 section 3.6.2) other than the one
// it was written from. Lists ask for answers to whom they like. Value: 1. Argument: the mailbox.
func FreemailReply(m *message.Message) message.Result {
	if m.From.Domain == "" || m.Header.Count("List-Id")+m.Header.Count("List-Post") > 0 {
		return message.Absent
	}
	for _, a := range m.ReplyTo[:min(len(m.ReplyTo), maxOwn)] {
		if freemail[a.Domain] && !(a.Domain == m.From.Domain && strings.EqualFold(a.Local, m.From.Local)) {
			return message.Present(1, quote(a.String()))
		}
	}
	return message.Absent
}

// Disposable speaks against an author, or an address for answers, whose mailbox anybody can have for some minutes. Value: 1.
// Argument: the domain.
func Disposable(m *message.Message) message.Result {
	if disposable[m.Facts.Guise.Author] || disposable[m.From.Domain] {
		return message.Present(1, quote(m.From.Domain))
	}
	for _, a := range m.ReplyTo[:min(len(m.ReplyTo), maxOwn)] {
		if disposable[a.Domain] {
			return message.Present(1, quote(a.Domain))
		}
	}
	return message.Absent
}

func set(words string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		m[w] = true
	}
	return m
}
