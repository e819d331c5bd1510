package sip

import (
	"encoding/hex"
	"hash/fnv"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"rempart/message/sip"
)

// relay hands the request to a next hop (section 16.6, 16.11): with our Via on top, one hop less to go, and a label if
// the verdict asks for one; every other byte as it came. It goes by datagram.
func (w *worker) relay(cfg *settings, v verdict) {
	socket := w.from.socket
	if socket == nil {
		socket = w.server.socket()
	}
	b, pos, top := w.out[:0], 0, true
	for i := range w.m.Fields {
		f := &w.m.Fields[i]
		copied := len(b)
		b = append(b, w.m.Raw[pos:f.Start]...)
		switch {
		case f.Kind == sip.ViaField && top:
			b, top = w.appendVias(b, f.Value, cfg.via(socket)), false
			b = appendLabel(b, v)
		case f.Kind == sip.MaxForwards && w.m.MaxForwards > 0:
			b = strconv.AppendInt(append(b, "Max-Forwards: "...), int64(w.m.MaxForwards-1), 10)
			b = append(b, "\r\n"...)
		case f.Kind == sip.Route && f.Value == w.m.Get(sip.Route) && ours(f.Value, cfg.via(socket)):
			if _, rest, several := strings.Cut(f.Value, ","); several {
				b = append(append(append(b, "Route: "...), strings.TrimLeft(rest, " \t")...), "\r\n"...)
			}
		case forged(f.Name) && cfg.judging() && !slices.ContainsFunc(cfg.relays, func(p netip.Prefix) bool { return p.Contains(w.from.peer.Addr()) }):
		default:
			b = b[:copied]
			continue
		}
		pos = f.End
	}
	w.out = append(b, w.m.Raw[pos:]...)
	_, err := socket.WriteToUDPAddrPort(w.out, cfg.nextHop(w.m.Get(sip.CallID)))
	w.sent(err)
}

// appendVias writes our Via and the one below it, and Max-Forwards where there was none. Our branch is made from the
// transaction: the same for what comes again, and not to be guessed.
func (w *worker) appendVias(b []byte, values string, sentBy netip.AddrPort) []byte {
	b = sentBy.AppendTo(append(b, "Via: SIP/2.0/UDP "...))
	b = append(hex.AppendEncode(append(b, ";branch="+cookie...), w.key[:]), "\r\nVia: "...)
	b = append(w.appendTopVia(b, values), "\r\n"...)
	if w.m.MaxForwards < 0 {
		b = append(b, "Max-Forwards: 70\r\n"...)
	}
	return b
}

// cookie begins the branches of RFC 3261 (section 8.1.1.7).
const cookie = "z9hG4bK"

// via is the address under which next hops reach us.
func (s *settings) via(socket *net.UDPConn) netip.AddrPort {
	if s.sentBy.IsValid() {
		return s.sentBy
	}
	local := socket.LocalAddr().(*net.UDPAddr).AddrPort()
	return netip.AddrPortFrom(local.Addr().Unmap(), local.Port())
}

// nextHop is the same for all requests of a Call-ID, so that a CANCEL finds its INVITE.
func (s *settings) nextHop(callID string) netip.AddrPort {
	h := fnv.New32a()
	_, _ = h.Write([]byte(callID))
	return s.hops[h.Sum32()%uint32(len(s.hops))]
}

// ours reports a Route whose first value leads to us (section 16.4).
func ours(route string, us netip.AddrPort) bool {
	a, _ := sip.ReadAddress(strings.Split(route, ",")[0])
	u, ok := sip.ReadURI(a.URI)
	addr, err := netip.ParseAddr(strings.Trim(u.Host, "[]"))
	return ok && err == nil && netip.AddrPortFrom(addr.Unmap(), portOf(u.Port)) == us
}

// forged reports a label, which only we and the operator's own relays may put.
func forged(name string) bool {
	return strings.EqualFold(name, headerAction) || strings.EqualFold(name, headerProbability)
}

// relayBack hands a response of a next hop to who asked (section 16.11, 18.1.2): our Via must be on top, with the branch
// that we made for that transaction, so that nobody has us send to others.
func (w *worker) relayBack(cfg *settings) {
	var vias [2]sip.Via
	values, n := [2]string{}, 0
	for v := range w.m.Each(sip.ViaField) {
		values[n] = v
		vias[n], _ = sip.ReadVia(v)
		if n++; n == len(vias) {
			break
		}
	}
	_, method, _ := strings.Cut(w.m.Get(sip.CSeq), " ")
	w.key = w.keyOf(vias[1], strings.TrimLeft(method, " \t"))
	to := vias[1].Received()
	if n < 2 || !to.IsValid() || vias[0].Branch() != cookie+hex.EncodeToString(w.key[:]) {
		w.server.dropped()
		return
	}
	rport, _ := sip.Param(vias[1].Params, "rport")
	if rport == "" {
		rport = vias[1].Port
	}
	b := w.withoutTopVia(values[0])
	addr := netip.AddrPortFrom(to, portOf(rport))
	if st := w.server.streamTo(addr); st != nil && strings.HasSuffix(strings.ToUpper(vias[1].Protocol), "/TCP") {
		w.sent(st.send(b))
		return
	}
	socket := w.from.socket
	if socket == nil {
		w.server.dropped()
		return
	}
	_, err := socket.WriteToUDPAddrPort(b, addr)
	w.sent(err)
}

// withoutTopVia is the message without the first value of Via.
func (w *worker) withoutTopVia(value string) []byte {
	b := w.out[:0]
	for i := range w.m.Fields {
		f := &w.m.Fields[i]
		if f.Kind != sip.ViaField {
			continue
		}
		b = append(b, w.m.Raw[:f.Start]...)
		if rest := strings.TrimLeft(strings.TrimPrefix(f.Value, value), ", \t"); rest != "" {
			b = append(append(append(b, "Via: "...), rest...), "\r\n"...)
		}
		b = append(b, w.m.Raw[f.End:]...)
		break
	}
	w.out = b
	return b
}
