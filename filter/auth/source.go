package auth

import (
	"net/netip"
	"strings"

	"rempart/message"
)

// source is who handed the message on, as SPF, reverse names and lists ask about it.
type source struct {
	address   netip.Addr
	helo      string
	mailFrom  string // envelope sender
	forwarded bool   // a trusted forwarder stood between
}

// sourceOf is the message's source, or who stood before the trusted forwarders that it came through: each wrote the Received
// field that says so. Hosts with private addresses behind a forwarder are its own. If a forwarder does not say, it is the
// source itself. Who fetches mail from a mailbox trusts the mailbox's server as well.
func (c *Checker) sourceOf(m *message.Message) source {
	s := source{address: m.Source.Address.Unmap(), helo: m.Helo, mailFrom: m.MailFrom}
	if !c.forwards(s.address) {
		return s
	}
	next := s
	for i := range m.Route {
		h := &m.Route[i]
		if h.Trusted {
			continue // written by the operator's own relays, before the source
		}
		if handedToItself(m, i) || fetched(h) {
			continue
		}
		next.address, next.helo = h.Address.Unmap(), h.From
		if !next.address.IsValid() {
			return s
		}
		if !c.forwards(next.address) && !inside(next.address) {
			next.forwarded, next.mailFrom = true, unwrapSRS(m.MailFrom)
			return next
		}
	}
	return s
}

// handedToItself reports whether the i-th hop was written when a server put a mail into its own queue again, as Postfix does for
// a .forward file ("by fwd.example (Postfix) id ..."): the hop below says who gave it to that server. A mail that was born there
// names its user instead ("from userid"), and what stands below is that user's word.
func handedToItself(m *message.Message, i int) bool {
	h := &m.Route[i]
	return h.From == "" && !h.Address.IsValid() && h.By != "" && i+1 < len(m.Route) && strings.EqualFold(h.By, m.Route[i+1].By) &&
		!strings.Contains(received(m, i), "userid")
}

// received is the i-th Received field.
func received(m *message.Message, i int) string {
	for j := range m.Header {
		if strings.EqualFold(m.Header[j].Name, "Received") {
			if i == 0 {
				return m.Header[j].Value
			}
			i--
		}
	}
	return ""
}

// fetched reports whether a hop is a mailbox that was emptied: its server received the mail, it did not send it.
func fetched(h *message.Hop) bool {
	return len(h.With) >= 4 && (strings.EqualFold(h.With[:4], "POP3") || strings.EqualFold(h.With[:4], "IMAP"))
}

func (c *Checker) forwards(a netip.Addr) bool {
	for _, p := range c.forwarders {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

func inside(a netip.Addr) bool { return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() }

// unwrapSRS is the sender before a forwarder put its own domain there by the Sender Rewriting Scheme:
// SRS0=hash=time=domain=local@forwarder, or SRS1=hash=forwarder==hash=time=domain=local@forwarder after a second one.
// The hash is for the forwarder to check; who trusts it needs not.
func unwrapSRS(address string) string {
	local := address[:max(strings.LastIndexByte(address, '@'), 0)]
	if len(local) < 5 || !strings.ContainsRune("=+-", rune(local[4])) {
		return address
	}
	skip := 2 // hash, time
	switch strings.ToUpper(local[:4]) {
	case "SRS0":
	case "SRS1":
		skip = 5 // hash, forwarder, nothing, hash, time
	default:
		return address
	}
	parts := strings.SplitN(local[5:], "=", skip+2)
	if len(parts) < skip+2 || parts[skip] == "" {
		return address
	}
	return parts[skip+1] + "@" + parts[skip]
}
