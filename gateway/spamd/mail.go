package spamd

import (
	"net/netip"
	"slices"
	"strings"

	"rempart/gateway"
	"rempart/message"
	"rempart/message/email"
)

// message is the mail with what the request and the mail server's own fields tell of it.
func (b body) message(r *request, client netip.Addr, cfg *settings) *message.Message {
	m := cfg.Mail(b.raw, b.size)
	m.OneAnswer = true
	own := ownFields(m.Header)
	m.MailFrom = own.from
	if to := mailbox(r.user); to != nil {
		m.Recipients = []message.Recipient{*to}
	} else {
		m.Recipients = own.to
	}
	trust(m, cfg.relays, client)
	return m
}

// mailbox is whom the header User names; nil of root and nobody, which stand for no user as they do for spamd.
func mailbox(user string) *message.Recipient {
	user = strings.Trim(user, "<>")
	if user == "" || user == "root" || user == "nobody" {
		return nil
	}
	r := gateway.Recipient(user)
	r.User = user
	return &r
}

// scopeOf is whose verdicts a lesson of that user speaks for: the user's, or all of the node's.
func scopeOf(user string) message.Scope {
	if to := mailbox(user); to != nil {
		return message.Scope{Domain: to.Domain, User: to.User}
	}
	return message.Scope{}
}

// envelope is what the mail server wrote above a mail.
type envelope struct {
	from string
	to   []message.Recipient
}

// maxRecipients bounds one mail's list.
const maxRecipients = 1000

// ownFields reads the envelope from the fields above the topmost Received, which the asking mail server wrote: Exim's
// X-Envelope-From and X-Envelope-To, or Return-Path. What stands below may be anybody's.
func ownFields(h message.Header) (e envelope) {
	received := slices.IndexFunc(h, func(f message.Field) bool { return strings.EqualFold(f.Name, "Received") })
	for _, f := range h[:max(received, 0)] {
		switch strings.ToLower(f.Name) {
		case "x-envelope-from", "return-path":
			e.from = strings.Trim(f.Value, "<> ")
		case "x-envelope-to":
			for to := range strings.SplitSeq(f.Value, ",") {
				if to = strings.ToLower(strings.Trim(to, "<> \t")); to != "" && len(e.to) < maxRecipients {
					e.to = append(e.to, gateway.Recipient(to))
				}
			}
		}
	}
	return e
}

// trust reads the source from the topmost Received field, which the asking mail server wrote, and from those of the relays
// behind it. The server is who is connected; one on a UNIX socket is on this machine. A mail without the field came from nobody
// that is known.
func trust(m *message.Message, relays []netip.Prefix, server netip.Addr) {
	if len(m.Route) == 0 {
		return
	}
	if !server.IsValid() {
		server = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	if !gateway.Contains(relays, server) {
		relays = append(slices.Clip(relays), netip.PrefixFrom(server, server.BitLen()))
	}
	email.Trust(m, relays, server)
}
