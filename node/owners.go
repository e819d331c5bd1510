package node

import (
	"context"
	"errors"
	"strings"
	"time"

	"rempart/catalogue"
	"rempart/message"
	"rempart/quarantine"
)

// stoppedMail is what the owner of an account is told of a mail that did not go out.
type stoppedMail struct {
	account    message.Scope
	subject    string
	recipients int
	time       time.Time
}

const (
	// stoppedQueue bounds the owners that wait to be written to; writeTime is how long the next hop may take for one.
	stoppedQueue = 64
	writeTime    = 30 * time.Second
	// writeAgain is when an owner is written to who could not be, if another mail is stopped then.
	writeAgain = time.Hour
	// maxSubject is what an owner needs to recognise a mail. Whoever stole the account wrote it: no room for a letter of theirs.
	maxSubject = 80
)

// writeOwner has the owner of an account told by mail, where the program can write and the account's name is an address. It does not wait.
func (n *Node) writeOwner(m *message.Message, e *message.Event) {
	if !n.quarantine.Writes() || !strings.Contains(e.Account, "@") {
		return
	}
	s := stoppedMail{account: message.Scope{Tenant: e.Tenant, User: e.Account}, subject: m.Subject, recipients: len(m.Recipients), time: e.Time}
	if len(s.subject) > maxSubject {
		s.subject = strings.ToValidUTF8(s.subject[:maxSubject], "") + "…"
	}
	select {
	case n.stopped <- s:
	default:
		n.suspects.later(s.account, e.Time.Add(writeAgain))
		n.log.Warn("the owner of an account was not told that its mail was stopped: too many wait")
	}
}

// writeOwners tells the owners until ctx ends.
func (n *Node) writeOwners(ctx context.Context) error {
	for {
		select {
		case s := <-n.stopped:
			n.tellOwner(ctx, s)
		case <-ctx.Done():
			return nil
		}
	}
}

func (n *Node) tellOwner(ctx context.Context, s stoppedMail) {
	ctx, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	words := catalogue.English()
	text := words.Say("stopped.text", catalogue.Seen(s.account.User), catalogue.Seen(s.subject), s.recipients, s.time.UTC().Format("2006-01-02 15:04 MST"))
	err := n.quarantine.Write(ctx, s.account.User, words.Say("stopped.subject"), text)
	switch {
	case err == nil:
		n.log.Info("the owner of an account was told that its mail was stopped", "account", message.Masked(s.account.User))
	case errors.Is(err, quarantine.ErrNotFound): // a name with an @ in it, but no address
	default:
		n.suspects.later(s.account, n.now().Add(writeAgain))
		n.log.Error("the owner of an account was not told that its mail was stopped", "account", message.Masked(s.account.User), "error", err)
	}
}
