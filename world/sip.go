package world

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"

	"rempart/message"
)

// SIP is what the set-up of a call and an instant message say alike (RFC 3261).
type SIP struct {
	CallID    string
	Caller    string // number without plus that the callee is shown, not always one that can be
	Callee    string // international number without plus
	Name      string // shown with the number; empty for none
	Host      string // of the caller's address
	Asserted  string // number of P-Asserted-Identity without plus (RFC 3325); empty for none
	UserAgent string // empty for none
	Tag       string // of From
	Via       []Via  // whom it came through, the one who handed it to the operator first; those behind it may lie
}

// Via is one Via field: the name that the carrier gives itself, and the address that the next one saw.
type Via struct {
	Host    string
	Address netip.Addr
	Branch  string
}

// sip makes what a call and a message have in common, handed over along way, and the truth about that.
func (w *World) sip(s *Sent, from, to, name string, way []*network) SIP {
	giver, origin := way[len(way)-1], way[0]
	x := SIP{CallID: w.token(10) + "." + base36(w.number) + "@" + origin.domain, Caller: from, Callee: to, Name: name, Host: giver.domain,
		Asserted: from, Tag: w.token(8)}
	for i := len(way) - 1; i >= 0; i-- {
		x.Via = append(x.Via, w.via(way[i]))
	}
	s.Truth.Path = pathOf(way...)
	s.Truth.Network, s.Truth.Country, s.Truth.Sender = giver.number, origin.country.code, "+"+from
	return x
}

func (w *World) via(n *network) Via {
	i := 1 + w.rng.IntN(3)
	return Via{Host: fmt.Sprintf("sbc%d.%s", i, n.domain), Address: n.host(30 + i), Branch: "z9hG4bK" + w.token(12)}
}

// pathOf names networks, origin first; neighbours that are one are one.
func pathOf(way ...*network) (out []string) {
	for _, n := range way {
		if as := n.as(); len(out) == 0 || out[len(out)-1] != as {
			out = append(out, as)
		}
	}
	return out
}

// carrierOf is the network that a number belongs to.
func (w *World) carrierOf(number string) *network {
	b, c := w.blockOf(number)
	if b != nil && b.line == message.Mobile {
		return w.networksOf(mobile, c)[0]
	}
	return w.networksOf(fixed, c)[0]
}

// directCountries interconnect with this operator; calls of the others come through a carrier between.
const directCountries = 3

// wayOf is the way that calls and messages take from their origin, ending with who hands them to this operator.
func (w *World) wayOf(origin *network) []*network {
	way := []*network{origin}
	if origin.kind == hosting { // an exchange in a cloud has its line from a carrier
		way = append(way, w.networksOf(fixed, origin.country)[0])
	}
	carriers := w.networksOf(transit, nil)
	last := way[len(way)-1]
	switch {
	case origin.kind == own:
	case origin.kind == lawless && w.rng.IntN(4) > 0:
		way = append(way, carriers[len(carriers)-1])
	case origin.kind == lawless:
		way = append(way, carriers[0])
	default:
		for i, c := range w.countries {
			if c == last.country && i >= directCountries {
				way = append(way, carriers[i%(len(carriers)-1)])
			}
		}
	}
	return way
}

// Request writes the request as it goes over the wire to the operator's door. via is the field that who sends it puts on
// top of those of the message, without its name.
func (c *Call) Request(via string) []byte {
	const sdp = "v=0\r\no=- 1 1 IN IP4 198.18.0.1\r\ns=-\r\nc=IN IP4 198.18.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"
	return c.request("INVITE", via, "application/sdp", sdp)
}

// Request writes the request as [Call.Request] does.
func (x *IM) Request(via string) []byte {
	return x.request("MESSAGE", via, "text/plain;charset=utf-8", x.Body)
}

func (x *SIP) request(method, via, kind, body string) []byte {
	var b bytes.Buffer
	field := func(name, format string, args ...any) { fmt.Fprintf(&b, name+": "+format+"\r\n", args...) }
	fmt.Fprintf(&b, "%s sip:+%s@%s;user=phone SIP/2.0\r\n", method, x.Callee, operatorVoice)
	field("Via", "%s", via)
	for _, v := range x.Via {
		field("Via", "SIP/2.0/UDP %s:5060;branch=%s;received=%s", v.Host, v.Branch, v.Address)
	}
	field("Max-Forwards", "%d", 70-len(x.Via))
	field("From", "%s", x.from())
	field("To", "<sip:+%s@%s;user=phone>", x.Callee, operatorVoice)
	field("Call-ID", "%s", x.CallID)
	field("CSeq", "1 %s", method)
	if method == "INVITE" {
		field("Contact", "<sip:+%s@%s:5060>", x.Caller, x.Host)
	}
	if x.Asserted != "" {
		field("P-Asserted-Identity", "<sip:+%s@%s;user=phone>", x.Asserted, x.Host)
	}
	if x.UserAgent != "" {
		field("User-Agent", "%s", x.UserAgent)
	}
	field("Content-Type", "%s", kind)
	field("Content-Length", "%d\r\n", len(body))
	b.WriteString(body)
	return b.Bytes()
}

// Ack acknowledges a final response to the call's set-up (RFC 3261 section 17.1.1.3): via is that of the set-up, to the To
// field of the response.
func (x *SIP) Ack(via, to string) []byte {
	return fmt.Appendf(nil, "ACK sip:+%s@%s;user=phone SIP/2.0\r\nVia: %s\r\nMax-Forwards: 70\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n",
		x.Callee, operatorVoice, via, x.from(), to, x.CallID)
}

// from is the From field.
func (x *SIP) from() string {
	address := fmt.Sprintf("<sip:+%s@%s;user=phone>;tag=%s", x.Caller, x.Host, x.Tag)
	if x.Name != "" {
		address = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(x.Name) + `" ` + address
	}
	return address
}

// operatorVoice is where this operator's customers are called.
const operatorVoice = "harbour-net.example"
