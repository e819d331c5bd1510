package content

import (
	"strings"
	"unicode/utf8"

	"rempart/message"
)

// Replies speaks for a message that answers another one: References names what In-Reply-To names (RFC 5322 section 3.6.4). Value: 1.
func Replies(m *message.Message) message.Result { return seen(Answers(m)) }

// Answers reports a message that answers another one. Some old programs name another parent, or none by its id: then the
// subject has to be an answer's.
func Answers(m *message.Message) bool {
	claims, agrees := thread(m)
	return claims && (agrees || answering(m.Subject))
}

// ThreadForged speaks against a message that claims to answer another one as no mail program does: References names nothing
// that In-Reply-To names (RFC 5322 section 3.6.4), and the subject is not an answer's. Value: 1. Argument: In-Reply-To.
func ThreadForged(m *message.Message) message.Result {
	if claims, agrees := thread(m); !claims || agrees || answering(m.Subject) {
		return message.Absent
	}
	return message.Present(1, quote(m.Header.Get("In-Reply-To")))
}

// thread says whether a message names another one both as its parent and among its references, and whether the two agree.
func thread(m *message.Message) (claims, agrees bool) {
	parent, references := m.Header.Get("In-Reply-To"), m.Header.Get("References")
	if parent == "" || !strings.Contains(references, "@") {
		return false, false
	}
	for range maxParents {
		_, after, _ := strings.Cut(parent, "<")
		id, rest, found := strings.Cut(after, ">")
		if !found {
			break
		}
		if id != "" && strings.Contains(references, "<"+id+">") {
			return true, true
		}
		parent = rest
	}
	return true, false
}

// maxParents are looked at: there should be one.
const maxParents = 8

// answering reports a subject that begins as those of answers and of what is handed on do: "Re:", "AW:", "Antw:", "Fwd:", "回复：".
func answering(subject string) bool {
	word, _, found := strings.Cut(strings.ReplaceAll(subject, "：", ":"), ":")
	word = strings.TrimSpace(word)
	return found && word != "" && utf8.RuneCountInString(word) <= maxAnswerWord && !strings.ContainsAny(word, " !")
}

const maxAnswerWord = 4
