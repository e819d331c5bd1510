package sip

import (
	"net/netip"
	"strings"
	"time"

	"rempart/message"
)

// Via is one value of that field (section 20.42): who handed the request on, and where it wants the answer.
type Via struct {
	Protocol string // "SIP/2.0/UDP"
	Host     string // of sent-by, as written
	Port     string
	Params   string
}

// ReadVia reads one value. ok is false if something in it breaks the rules; what could be read stands in v all the same,
// and without a host nothing could.
func ReadVia(s string) (v Via, ok bool) {
	end := 0
	for range 2 { // two slashes, with white space around them
		i := strings.IndexByte(s[end:], '/')
		if i < 0 {
			return v, false
		}
		end += i + 1
	}
	transport := len(s) - len(strings.TrimLeft(s[end:], lws))
	space := strings.IndexAny(s[transport:], lws)
	if space < 0 {
		return v, false
	}
	v.Protocol = s[:transport+space]
	if strings.ContainsAny(v.Protocol, lws) {
		v.Protocol = strings.Map(func(r rune) rune {
			if strings.ContainsRune(lws, r) {
				return -1
			}
			return r
		}, v.Protocol)
	}
	by, params, _ := strings.Cut(s[transport+space:], ";")
	v.Params = params
	v.Host = strings.Trim(by, lws)
	if i := strings.LastIndexByte(v.Host, ':'); i >= 0 && strings.IndexByte(v.Host[i:], ']') < 0 {
		v.Host, v.Port = strings.TrimRight(v.Host[:i], lws), strings.TrimLeft(v.Host[i+1:], lws)
	}
	if !hostName(lower(v.Host)) {
		v.Host = ""
		return v, false
	}
	return v, (v.Port == "" || digits(v.Port)) && cleanParams(params)
}

// cleanParams reports that no parameter is empty.
func cleanParams(params string) bool {
	for params != "" {
		one, rest := cutSemicolon(params)
		if strings.Trim(one, lws) == "" {
			return false
		}
		params = rest
	}
	return true
}

// Branch is the transaction (section 8.1.1.7).
func (v Via) Branch() string {
	b, _ := Param(v.Params, "branch")
	return b
}

// Received is the address that the next one on the way saw, else the literal of sent-by; zero if there is neither.
func (v Via) Received() netip.Addr {
	host, ok := Param(v.Params, "received")
	if !ok {
		host = v.Host
	}
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	if err != nil || a.Zone() != "" {
		return netip.Addr{}
	}
	return a.Unmap()
}

// Hop is who handed a message to a front door.
type Hop struct {
	Peer   netip.Addr
	Door   string
	Relays []netip.Prefix // the operator's own, whose Via fields and received parameters are to be trusted
	At     time.Time
}

// maxHops bounds a route; Max-Forwards begins at 70.
const maxHops = 70

// Trace fills m's route from the Via fields, the hop nearest to us first, and the source's address. The topmost Via was
// written by the peer, whose address we saw. The next one was written by whoever stands before the peer, and the peer
// added what it saw (received): if it is a relay, that is trusted, and so on back to the first giver that is none, which
// is the source. The rest is only claimed.
func (h Hop) Trace(m *message.Message, r *Message) {
	m.Source.Address = h.Peer.Unmap()
	by, giver, trusted := h.Door, m.Source.Address, true
	for value := range r.Each(ViaField) {
		v, _ := ReadVia(value)
		hop := message.Hop{From: strings.Clone(v.Host), Address: v.Received(), By: by, With: protocol(v.Protocol), Trusted: trusted}
		if len(m.Route) == 0 {
			hop.Address, hop.At = giver, h.At
		} else if trusted && hop.Address.IsValid() {
			giver = hop.Address
			m.Source.Address = giver
		}
		m.Route = append(m.Route, hop)
		if len(m.Route) == maxHops {
			return
		}
		by = hop.From
		trusted = trusted && hop.Address.IsValid() && contains(h.Relays, giver)
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

// protocol is p without a copy where it is usual.
func protocol(p string) string {
	for _, usual := range []string{"SIP/2.0/UDP", "SIP/2.0/TCP", "SIP/2.0/TLS"} {
		if strings.EqualFold(p, usual) {
			return usual
		}
	}
	return clip(p)
}
