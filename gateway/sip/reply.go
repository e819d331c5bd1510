package sip

import (
	"fmt"
	"strconv"
	"strings"

	"rempart/catalogue"
	"rempart/message/sip"
)

// answer sends a response without body; fields are more lines for it (section 8.2.6).
func (w *worker) answer(code int, fields []byte) {
	b := append(w.out[:0], "SIP/2.0 "...)
	b = strconv.AppendInt(b, int64(code), 10)
	b = append(append(append(b, ' '), reasons[code]...), "\r\n"...)
	top := true
	for i := range w.m.Fields {
		f := &w.m.Fields[i]
		switch f.Kind {
		case sip.ViaField:
			b = append(b, "Via: "...)
			if top {
				b = w.appendTopVia(b, f.Value)
			} else {
				b = append(b, f.Value...)
			}
			b, top = append(b, "\r\n"...), false
		case sip.From, sip.CallID, sip.CSeq:
			b = append(append(append(append(b, f.Kind.String()...), ": "...), f.Value...), "\r\n"...)
		case sip.To:
			b = append(append(b, "To: "...), f.Value...)
			if to, ok := sip.ReadAddress(f.Value); ok && to.Tag() == "" && code != 100 {
				b = append(append(b, ";tag="...), w.tag()...)
			}
			b = append(b, "\r\n"...)
		case sip.Require, sip.ProxyRequire:
			if code == 420 {
				b = append(append(append(b, "Unsupported: "...), f.Value...), "\r\n"...)
			}
		}
	}
	b = append(append(b, fields...), "Content-Length: 0\r\n\r\n"...)
	w.out = b
	w.sent(w.from.send(b, w.port()))
}

func (w *worker) sent(err error) {
	if err != nil {
		w.server.host.Metrics.Error(w.server.cfg().Name, "relay")
	}
}

// port is where the sender waits for datagrams (section 18.2.2, RFC 3581): the port it sent from if it asks for that.
func (w *worker) port() uint16 {
	if _, ok := sip.Param(w.m.Top.Params, "rport"); ok {
		return w.from.peer.Port()
	}
	return portOf(w.m.Top.Port)
}

func portOf(s string) uint16 {
	if n, err := strconv.ParseUint(s, 10, 16); err == nil && n != 0 {
		return uint16(n)
	}
	return 5060
}

// appendTopVia writes the values of the first Via field, the first of them with what was seen of its sender in place of
// what it says itself: received always, rport where it asks for it and for streams, whose end it names.
func (w *worker) appendTopVia(b []byte, values string) []byte {
	first, rest := values, ""
	for one := range w.m.Each(sip.ViaField) {
		first = one
		rest = strings.TrimLeft(values[min(len(values), strings.Index(values, one)+len(one)):], ", \t")
		break
	}
	by, params, _ := strings.Cut(first, ";")
	b = append(b, strings.TrimRight(by, " \t")...)
	port := w.from.stream != nil
	for params != "" {
		var one string
		one, params = cutParam(params)
		switch name, _, _ := strings.Cut(one, "="); {
		case strings.EqualFold(strings.TrimSpace(name), "rport"):
			port = true
		case strings.EqualFold(strings.TrimSpace(name), "received"):
		default:
			b = append(append(b, ';'), one...)
		}
	}
	b = append(b, ";received="...)
	b = w.from.peer.Addr().AppendTo(b)
	if port {
		b = append(b, ";rport="...)
		b = strconv.AppendUint(b, uint64(w.from.peer.Port()), 10)
	}
	if rest != "" {
		b = append(append(b, ", "...), rest...)
	}
	return b
}

// cutParam returns what stands before the first semicolon outside of quotes.
func cutParam(s string) (one, rest string) {
	quoted := false
	for i := range len(s) {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ';' && !quoted:
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

// retryAfter is seconds: a caller who dials again comes later, a machine of the operator's may not.
var retryAfter = []byte("Retry-After: 30\r\n")

// reason says why (RFC 3326).
func reason(code int) []byte {
	return fmt.Appendf(nil, "Reason: SIP;cause=%d;text=%q\r\n", code, catalogue.English().Say("answer.reject_call"))
}

// unlabelled in a verdict's permille has it go on without a label.
const unlabelled = 1 << 15

// appendLabel writes what was decided, unless it is to go on as it came.
func appendLabel(b []byte, v verdict) []byte {
	if v.action == 0 || v.permille == unlabelled {
		return b
	}
	return fmt.Appendf(b, "%s: %s\r\n%s: %.3f\r\n", headerAction, v.action, headerProbability, float64(v.permille)/1000)
}

// contacts names the next hops for the called user, the first one preferred (section 8.3).
func (w *worker) contacts(cfg *settings, b []byte, label bool) []byte {
	u, _ := sip.ReadURI(w.m.URI)
	phone := u.Scheme == "tel"
	if !phone {
		user, ok := sip.Param(u.Params, "user")
		phone = ok && strings.EqualFold(user, "phone")
	}
	for i, hop := range cfg.NextHops {
		b = append(b, "Contact: "...)
		if label && cfg.TagName != "" {
			b = append(append(append(b, '"'), cfg.TagName...), "\" "...)
		}
		b = append(b, "<sip:"...)
		if u.User != "" {
			b = append(append(b, u.User...), '@')
		}
		b = append(b, hop...)
		if phone {
			b = append(b, ";user=phone"...)
		}
		b = fmt.Appendf(b, ">;q=%.1f\r\n", max(0.1, 1-float64(i)/10))
	}
	return b
}
