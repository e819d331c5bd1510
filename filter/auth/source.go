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
// source itself.
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
