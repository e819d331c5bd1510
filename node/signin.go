package node

import (
	"context"
	"slices"
	"strings"

	"rempart/quarantine"
)

// AskSignIn has a link sent to an address if it is one that may sign in. It returns at once and says nothing: neither the answer nor the
// time that it takes tells who has a mailbox here. What is no address goes no further: tables of mailboxes are asked for what is queued.
func (n *Node) AskSignIn(address string) {
	if !quarantine.Plain(address) {
		return
	}
	n.signIns.add(mailing{kind: "link to sign in", to: address, send: func(ctx context.Context) error {
		return n.quarantine.MailSignIn(ctx, address, n.mailboxesOf(ctx, address))
	}})
}

// mailboxesOf are whose copies the owner of an address may see: those of the mailbox that it leads to, and those that came for the
// address while no table could say where it leads. An address of which tables say nothing may be a stranger's, and has no mailbox but
// its own: mail of ours may be forwarded to jean@else.example, which is nothing to who has jean+x@else.example. Only the letters A to
// Z are folded, as mail servers do: an address with others that would become one of ours, as the dotted capital I becomes an i, is
// somebody else's, and has no mailbox here.
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

// ownMailbox is a test for a person's address that recognises their mailboxes too, as mailboxName names them.
func ownMailbox(isUser func(string) bool) func(string) bool {
	return func(name string) bool { return isUser(name) || isUser(strings.Replace(name, " ", "@", 1)) }
}

// mailboxName makes the name of a mailbox that has no domain, as a system's users are named, one of the address's domain alone: what
// is called root in two domains need not be one person's. The space keeps it from being taken for an address.
func mailboxName(box, address string) string {
	if _, domain, ok := strings.Cut(address, "@"); ok && !strings.Contains(box, "@") {
		return box + " " + strings.ToLower(domain)
	}
	return box
}
