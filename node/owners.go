package node

import (
	"context"
	"strings"
	"time"

	"rempart/catalogue"
	"rempart/message"
)

const (
	// writeAgain is when an owner is written to who could not be, if another mail is stopped then.
	writeAgain = time.Hour
	// maxSubject is what an owner needs to recognise a mail. Whoever stole the account wrote it: no room for a letter of theirs.
	maxSubject = 80
)

// writeOwner has the owner of an account told by mail that one of its mails did not go out, where the program can write and the account's
// name is an address. It does not wait.
func (n *Node) writeOwner(m *message.Message, e *message.Event) {
	if !n.quarantine.Writes() || !strings.Contains(e.Account, "@") {
		return
	}
	subject := m.Subject
	if len(subject) > maxSubject {
		subject = strings.ToValidUTF8(subject[:maxSubject], "") + "…"
	}
	owner, words := message.Scope{Tenant: e.Tenant, User: e.Account}, catalogue.English()
	text := words.Say("stopped.text", catalogue.Seen(owner.User), catalogue.Seen(subject), len(m.Recipients), e.Time.UTC().Format("2006-01-02 15:04 MST"))
	n.stopped.add(mailing{kind: "mail of an account was stopped", to: owner.User,
		send: func(ctx context.Context) error {
			return n.quarantine.Write(ctx, owner.User, words.Say("stopped.subject"), text)
		},
		lost: func() { n.suspects.later(owner, n.now().Add(writeAgain)) }})
}
