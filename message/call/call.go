// Package call reads calls: the set-up of one as SIP carries it (RFC 3261, INVITE), a JSON form of it, and call-detail
// records.
//
// [Parse] never fails: what breaks the rules leaves an anomaly of package sip's list or of the one below. Signatures are
// not verified and nothing is fetched. All functions are pure; nothing keeps a view of its input.
package call

import (
	"strings"
	"time"

	"rempart/message"
	"rempart/message/sip"
)

// Caps of one call.
const (
	maxIdentity    = 8        // Identity fields; SHAKEN has one, each diversion adds one
	maxToken       = 16 << 10 // bytes of one; a full one has 440
	maxDest        = 100
	maxUserAgent   = 256
	maxMessageID   = 256
	maxCertificate = 1024
)

// Anomalies of a call beside those of package sip. The list is closed: rules, signals and the catalogue of sentences use
// these names.
const (
	IdentityBad = "call_identity"     // an Identity field that cannot be read
	CutIdentity = "call_cut_identity" // more of them than are read
)

// Anomalies lists every name a call can have.
var Anomalies = append([]string{IdentityBad, CutIdentity}, sip.Anomalies...)

// Parse makes the message of an INVITE. The source's ID is the number that the called one sees (From), the recipient the
// one that is called (Request-URI). Route, arrival and front door are the caller's matter.
func Parse(r *sip.Message) *message.Message {
	all := new(struct {
		m          message.Message
		info       message.CallInfo
		recipients [1]message.Recipient
		to         [1]message.Address
	})
	m := &all.m
	m.Channel, m.Call, m.Parts, m.Size = message.Call, &all.info, 1, len(r.Raw)
	if a, ok := sip.ReadAddress(r.Get(sip.From)); ok {
		m.Source.ID, m.From = a.Party()
		m.MailFrom = m.Source.ID
	}
	if u, ok := sip.ReadURI(r.URI); ok {
		all.recipients[0] = message.Recipient{Address: u.Number(), Domain: strings.Clone(u.Host)}
		m.Recipients = all.recipients[:]
	}
	if a, ok := sip.ReadAddress(r.Get(sip.To)); ok {
		_, all.to[0] = a.Party()
		m.To = all.to[:]
	}
	m.MessageID = text(r.Get(sip.CallID), maxMessageID)
	m.Call.UserAgent = text(r.Get(sip.UserAgent), maxUserAgent)
	m.Call.Asserted, m.Call.Diverted = asserted(r), diverted(r)
	m.Anomalies = append(m.Anomalies, r.Anomalies...)
	identities(m, r)
	return m
}

// text is a bounded copy of what may be no UTF-8.
func text(s string, most int) string {
	return strings.Clone(strings.ToValidUTF8(s[:min(len(s), most)], "\ufffd"))
}

// asserted is the number of P-Asserted-Identity, of a telephone if one of its two values is one (RFC 3325 section 9.1).
func asserted(r *sip.Message) (id string) {
	for v := range r.Each(sip.AssertedIdentity) {
		a, _ := sip.ReadAddress(v)
		u, ok := sip.ReadURI(a.URI)
		if !ok {
			continue
		}
		if n := u.Number(); id == "" || !strings.Contains(n, "@") {
			id = n
		}
		if !strings.Contains(id, "@") {
			break
		}
	}
	return id
}

// diverted is who passed the call on last: the topmost Diversion (RFC 5806 section 5), or in History-Info, whose last
// entry is where the call goes now, the one before it (RFC 7044 section 5).
func diverted(r *sip.Message) string {
	last, before := "", ""
	for v := range r.Each(sip.Diversion) {
		last, before = "", v
		break
	}
	if before == "" {
		for v := range r.Each(sip.HistoryInfo) {
			last, before = v, last
		}
	}
	a, ok := sip.ReadAddress(before)
	if !ok {
		return ""
	}
	if q := strings.IndexByte(a.URI, '?'); q >= 0 { // the reason of History-Info
		a.URI = a.URI[:q]
	}
	id, _ := a.Party()
	return id
}

// identities decodes the Identity fields. The value is one token even where it holds no comma-separated list, but several
// may stand in one field.
func identities(m *message.Message, r *sip.Message) {
	for v := range r.Each(sip.Identity) {
		if len(m.Call.Identity) == maxIdentity {
			note(m, CutIdentity)
			return
		}
		p, ok := ReadIdentity(v)
		if !ok {
			note(m, IdentityBad)
		}
		m.Call.Identity = append(m.Call.Identity, p)
	}
}

func note(m *message.Message, name string) {
	if !m.HasAnomaly(name) {
		m.Anomalies = append(m.Anomalies, message.Anomaly{Name: name})
	}
}

// New is a call that is known as numbers already: of JSON, of a form.
func New(caller, callee, name string, at time.Time) *message.Message {
	m := &message.Message{Channel: message.Call, Call: &message.CallInfo{}, Parts: 1, Arrived: at}
	a := sip.Address{Name: name, URI: uri(caller)}
	m.Source.ID, m.From = a.Party()
	m.MailFrom = m.Source.ID
	if callee != "" {
		id, to := sip.Address{URI: uri(callee)}.Party()
		m.Recipients, m.To = []message.Recipient{{Address: id, Domain: to.Domain}}, []message.Address{to}
	}
	return m
}

// uri makes a URI of what people write: a number, user@host, or a URI.
func uri(s string) string {
	s = strings.TrimSpace(s)
	switch _, ok := sip.ReadURI(s); {
	case ok:
		return s
	case strings.Contains(s, "@"):
		return "sip:" + s
	default:
		return "tel:" + s
	}
}
