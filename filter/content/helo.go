package content

import (
	"net/netip"
	"strings"

	"rempart/message"
	"rempart/message/link"
)

// HeloOdd speaks against a source that introduces itself by what is no host name (EHLO, RFC 5321 section 4.1.1.1): a bare
// address, "localhost", a name without full stop, or an address in brackets other than its own. Unknown where the front door
// was not told. Value: 1. Argument: the name.
func HeloOdd(m *message.Message) message.Result {
	if m.Helo == "" {
		return message.Unknown
	}
	if m.Source.Trusted || m.Direction == message.Out || internal(m.Source.Address) {
		return message.Absent
	}
	name := strings.TrimSuffix(m.Helo, ".")
	odd := !strings.Contains(name, ".") && !strings.HasPrefix(name, "[") || strings.HasSuffix(name, ".localdomain") || strings.HasSuffix(name, ".local")
	if a, err := netip.ParseAddr(name); err == nil && a.IsValid() {
		odd = true
	}
	if literal, ok := strings.CutPrefix(name, "["); ok {
		literal = strings.TrimPrefix(strings.TrimSuffix(literal, "]"), "IPv6:")
		a, err := netip.ParseAddr(literal)
		odd = err != nil || m.Source.Address.IsValid() && a.Unmap() != m.Source.Address.Unmap()
	}
	return seen(odd, quote(m.Helo))
}

// HeloOwn speaks against a source outside that introduces itself by the name of the recipient's own organisation. Value: 1.
// Argument: the name.
func HeloOwn(m *message.Message) message.Result {
	if m.Helo == "" {
		return message.Unknown
	}
	if m.Source.Trusted || m.Direction != message.In || internal(m.Source.Address) {
		return message.Absent
	}
	name := link.Lower(strings.TrimSuffix(m.Helo, "."))
	for _, own := range m.Facts.Guise.Own {
		if link.Organisation(name) == own && (m.Source.Name == "" || link.Organisation(m.Source.Name) != own) && m.Facts.Auth.SPF != "pass" {
			return message.Present(1, quote(m.Helo))
		}
	}
	return message.Absent
}
