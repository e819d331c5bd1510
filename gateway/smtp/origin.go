package smtp

import (
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// origin is for whom a client speaks, as it says by XCLIENT or XFORWARD (Postfix's XCLIENT_README and XFORWARD_README);
// without them the client itself. An attribute that is not known is empty.
type origin struct {
	address netip.Addr
	name    string // by reverse DNS
	helo    string
	login   string  // only by XCLIENT
	queueID string  // only by XFORWARD: IDENT
	others  []param // PORT, PROTO and SOURCE
}

// The attributes that are offered.
const (
	xclientAttributes  = "NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT"
	xforwardAttributes = "NAME ADDR PORT PROTO HELO IDENT SOURCE"
)

var errAttribute = errors.New("501 5.5.4 bad attribute")

// apply changes o as a command's argument says; known are the attributes that it may have.
func (o origin) apply(arg, known string) (origin, error) {
	words := strings.Fields(arg)
	if len(words) == 0 {
		return o, errAttribute
	}
	for _, w := range words {
		key, value, ok := strings.Cut(w, "=")
		key = strings.ToUpper(key)
		if !ok || !strings.Contains(" "+known+" ", " "+key+" ") {
			return o, errAttribute
		}
		value, ok = fromXtext(value)
		if !ok {
			return o, errAttribute
		}
		if strings.EqualFold(value, "[UNAVAILABLE]") || strings.EqualFold(value, "[TEMPUNAVAIL]") {
			value = ""
		}
		if !o.set(key, value) {
			return o, errAttribute
		}
	}
	return o, nil
}

func (o *origin) set(key, value string) bool {
	switch key {
	case "NAME":
		o.name = strings.ToLower(value)
	case "ADDR":
		if len(value) > 5 && strings.EqualFold(value[:5], "IPV6:") {
			value = value[5:]
		}
		a, err := netip.ParseAddr(value)
		o.address = a.WithZone("").Unmap()
		return err == nil || value == ""
	case "HELO":
		o.helo = value
	case "LOGIN":
		o.login = value
	case "IDENT":
		o.queueID = value
	case "PORT", "PROTO", "SOURCE":
		others := slices.DeleteFunc(slices.Clone(o.others), func(p param) bool { return p.key == key })
		o.others = append(others, param{key: key, value: value})
	}
	return true
}

// xforward are the commands that tell a next hop of o, with the attributes that it takes; none if it takes none.
func (o origin) xforward(hop offers) (commands []string) {
	address := ""
	if o.address.IsValid() {
		if address = o.address.String(); o.address.Is6() {
			address = "IPV6:" + address
		}
	}
	line := ""
	for _, a := range append([]param{{key: "NAME", value: o.name}, {key: "ADDR", value: address}, {key: "HELO", value: o.helo},
		{key: "IDENT", value: o.queueID}}, o.others...) {
		if !hop.forwards(a.key) {
			continue
		}
		word := " " + a.key + "=" + xtext(a.value)
		if a.value == "" {
			word = " " + a.key + "=[UNAVAILABLE]"
		}
		if line != "" && len(xforwardVerb)+len(line)+len(word) > maxXforward {
			commands, line = append(commands, xforwardVerb+line), ""
		}
		line += word
	}
	if line != "" {
		commands = append(commands, xforwardVerb+line)
	}
	return commands
}

const (
	xforwardVerb = "XFORWARD"
	maxXforward  = 510 // XFORWARD_README: 512 with the line's end
)

// xtext encodes a value (RFC 3461 section 4).
func xtext(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c > ' ' && c < 0x7f && c != '+' && c != '=' {
			b.WriteByte(c)
		} else {
			b.WriteString("+" + strings.ToUpper(strconv.FormatUint(uint64(c)|0x100, 16)[1:]))
		}
	}
	return b.String()
}

// fromXtext decodes a value; control characters are none.
func fromXtext(s string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '+' {
			if i+2 >= len(s) {
				return "", false
			}
			n, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
			if err != nil {
				return "", false
			}
			c = byte(n)
			i += 2
		}
		if c < ' ' || c == 0x7f {
			return "", false
		}
		b.WriteByte(c)
	}
	return b.String(), true
}
