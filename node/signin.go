package node

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"rempart/message"
	"rempart/quarantine"
)

const (
	// signInQueue bounds the addresses that wait for a mail to sign in with. What is beyond gets none, and asks again.
	signInQueue = 64
	// signInTime is how long the next hop may take for one: others wait behind it.
	signInTime = 30 * time.Second
)

// AskSignIn has a link sent to an address if it is one that may sign in. It returns at once and says nothing: neither the answer nor the
// time that it takes tells who has a mailbox here. What is no address goes no further: tables of mailboxes are asked for what is queued.
func (n *Node) AskSignIn(address string) {
	if !quarantine.Plain(address) {
		return
	}
	select {
	case n.signIns <- address:
	default:
		n.log.Warn("a mail to sign in with was not sent: too many wait")
	}
}

// mailSignIns sends the links that are asked for until ctx ends.
func (n *Node) mailSignIns(ctx context.Context) error {
	for {
		select {
		case address := <-n.signIns:
			n.mailSignIn(ctx, address)
		case <-ctx.Done():
			return nil
		}
	}
}

func (n *Node) mailSignIn(ctx context.Context, address string) {
	ctx, cancel := context.WithTimeout(ctx, signInTime)
	defer cancel()
	err := n.quarantine.MailSignIn(ctx, address, n.mailboxesOf(ctx, address))
	switch {
	case err == nil:
		n.log.Info("a link to sign in was sent", "address", message.Masked(address))
	case errors.Is(err, quarantine.ErrNotFound): // a stranger, or a slip: not worth a line that others can make us write
	case errors.Is(err, quarantine.ErrSignIns):
		n.log.Warn("a link to sign in was not sent: too many were asked for", "address", message.Masked(address))
	default:
		n.log.Error("a link to sign in was not sent", "address", message.Masked(address), "error", err)
	}
}

// mailboxesOf are whose copies the owner of an address may see: those of the mailbox that it leads to, and those that came for the
// address while no table could say where it leads. Of which tables say nothing may be a stranger's, and has no mailbox but its own: mail
// of ours may be forwarded to jean@else.example, which is nothing to who has jean+x@else.example. Only the letters A to Z are folded, as mail servers do: an address with others that
// would become one of ours, as the dotted capital I becomes an i, is somebody else's, and has no mailbox here.
func (n *Node) mailboxesOf(ctx context.Context, address string) []string {
	own := strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r - 'A' + 'a'
		}
		return r
	}, address)
	if own != strings.ToLower(own) {
		return nil
	}
	box, known, err := n.live.Load().boxes.Mailbox(ctx, own)
	if err != nil || !known {
		return []string{own}
	}
	return slices.Compact([]string{mailboxName(box, own), own})
}

// mailboxName makes the name of a mailbox that has no domain, as a system's users are named, one of the address's domain alone: what
// is called root in two domains need not be one person's. The space keeps it from being taken for an address.
func mailboxName(box, address string) string {
	if _, domain, ok := strings.Cut(address, "@"); ok && !strings.Contains(box, "@") {
		return box + " " + strings.ToLower(domain)
	}
	return box
}
