package email

import (
	"net/netip"
	"strings"

	"rempart/message"
)

// hop reads one Received field (RFC 5321 section 4.4): from NAME (REVERSE [ADDRESS]) by NAME with PROTOCOL; date.
func hop(v string) message.Hop {
	var h message.Hop
	if i := strings.LastIndexByte(v, ';'); i >= 0 {
		h.At = ParseDate(v[i+1:])
		v = v[:i]
	}
	clause, named := "", false // the word that rules what follows
	seen := false              // the address that the receiving side saw, which stands in the comment
	for v != "" {
		v = strings.TrimLeft(v, " \t\r\n")
		if v == "" {
			break
		}
		if v[0] == '(' {
			n := skipComment(v)
			if n == 0 {
				n = len(v)
			}
			if clause == "from" && !seen {
				// Exim writes the claim behind what it saw: "host.example ([192.0.2.7] helo=name)", or "[192.0.2.7] (helo=name)" where
				// the address has no name.
				saw, claim, claims := strings.Cut(v[:n], "helo=")
				if a := addressIn(saw); a.IsValid() {
					h.Address, seen = a, true
				}
				if claims && strings.HasPrefix(h.From, "[") {
					h.From = clean(claim[:strings.IndexAny(claim+")", " )")])
				}
			}
			v = v[n:]
			continue
		}
		end := strings.IndexAny(v, " \t\r\n(")
		if end <= 0 {
			end = len(v)
		}
		token := v[:end]
		v = v[end:]
		if w := lowerASCII(token); len(token) <= 4 && (w == "from" || w == "by" || w == "with" || w == "id" || w == "for" || w == "via") {
			clause, named = w, false
			continue
		}
		if named {
			continue
		}
		named = true
		switch clause {
		case "from":
			h.From = clean(token)
			if a := addressIn(token); a.IsValid() && !h.Address.IsValid() && strings.HasPrefix(token, "[") {
				h.Address = a
			}
		case "by":
			h.By = clean(token)
		case "with":
			h.With = clean(token)
		}
	}
	return h
}

// addressIn finds the address of the giving side in a comment: in brackets as RFC 5321 wants it, or bare.
func addressIn(s string) netip.Addr {
	for i := 0; i < len(s); i++ {
		open := strings.IndexByte(s[i:], '[')
		if open < 0 {
			break
		}
		i += open + 1
		end := strings.IndexByte(s[i:], ']')
		if end < 0 {
			break
		}
		if a := literal(s[i : i+end]); a.IsValid() {
			return a
		}
	}
	for i := 0; i < len(s); {
		if unhex(s[i]) > 15 && s[i] != ':' {
			i++
			continue
		}
		n := i
		for n < len(s) && (unhex(s[n]) < 16 || s[n] == '.' || s[n] == ':') {
			n++
		}
		if n-i >= 3 && (i == 0 || !letter(s[i-1]) && s[i-1] != '-') && (n == len(s) || !letter(s[n]) && s[n] != '-') {
			if a := literal(strings.TrimRight(s[i:n], ".:")); a.IsValid() && strings.ContainsAny(s[i:n], ".:") {
				return a
			}
		}
		i = n
	}
	return netip.Addr{}
}

func literal(s string) netip.Addr {
	if len(s) > 5 && strings.EqualFold(s[:5], "ipv6:") {
		s = s[5:]
	}
	s, _, _ = strings.Cut(s, "%")
	if len(s) > 45 || len(s) < 2 {
		return netip.Addr{}
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap()
}

// Trust follows the route back through the operator's own relays. client is who handed us the message; as long as the
// giver is a relay, the next Received field was written by it and is trusted. The first giver that is no relay is the
// source: its address and HELO name become m's. A relay's field without an address means that the message was born on
// that relay, which then is the source. Without a client nothing is trusted and m stays as it is.
func Trust(m *message.Message, relays []netip.Prefix, client netip.Addr) {
	client = client.Unmap()
	if !client.IsValid() {
		return
	}
	m.Source.Address = client
	giver := client
	for i := range m.Route {
		if !contains(relays, giver) {
			return
		}
		h := &m.Route[i]
		h.Trusted = true
		if !h.Address.IsValid() {
			return
		}
		giver = h.Address
		m.Source.Address, m.Helo, m.Source.Name, m.Source.TLS = giver, h.From, "", ""
	}
}

func contains(prefixes []netip.Prefix, a netip.Addr) bool {
	for _, p := range prefixes {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
