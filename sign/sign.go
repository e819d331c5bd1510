// Package sign signs mail: DKIM (RFC 6376, RFC 8463) what goes out, ARC (RFC 8617) what comes in and may go on.
//
// [Load] reads the keys, [Signer.Look] finds out by DNS which of them others can verify, and [Signer.Sign] gives the header
// fields that a mail gets. A new key does not take over from one before it until its record was seen, and none signs whose record
// DNS is known not to have. A key about which DNS could not be asked yet signs: a slow resolver is no reason for unsigned mail.
// Who sends, what may pass and what was found out about a mail was decided before; this package judges nothing. A Signer is safe
// for concurrent use.
package sign

import (
	"strings"
	"time"

	"rempart/message"
	"rempart/message/dkim"
)

// Field is a header field. Its value may be folded, by CRLF and a tab.
type Field struct{ Name, Value string }

// Outcome says what was done with a mail, or why nothing was.
type Outcome string

// Outcomes.
const (
	None        Outcome = ""            // a mail that is not to be signed
	DKIM        Outcome = "dkim"        // signed
	ARC         Outcome = "arc"         // sealed
	NoKey       Outcome = "no_key"      // the author's domain has no key
	NotAllowed  Outcome = "account"     // the account may not sign for the author's domain
	Unpublished Outcome = "unpublished" // DNS has the record of none of the keys
	Malformed   Outcome = "malformed"   // the mail has no author, several, or a header that begins in the middle
	Cut         Outcome = "cut"         // the mail was not kept whole, or its header is too long
	ChainEnded  Outcome = "chain_ended" // the chain of seals failed before, or is as long as it may be
	Unanswered  Outcome = "unanswered"  // DNS did not answer for the keys of the chain: to call it failed would end it
	Failed      Outcome = "failed"      // the key could not be used
)

// Signer holds the keys.
type Signer struct {
	keys map[string][]*key // by domain, the newest last
	arc  string            // the domain that seals; empty: none does
}

// Sign gives the fields that are to stand before the mail, the first on top. replaced are fields that get another value before
// the mail goes on: the first of that name, or one more if there is none. A mail going out has to pass the rules of [Config]; a
// mail coming in gets a seal if its authentication was checked.
func (s *Signer) Sign(m *message.Message, now time.Time, replaced ...Field) ([]Field, Outcome) {
	if m.Channel != message.Email {
		return nil, None
	}
	switch m.Direction {
	case message.Out:
		if len(s.keys) > 0 {
			return s.sign(m, now, replaced)
		}
	case message.In:
		if s.arc != "" && m.Facts.Auth.ARC.Status != "" {
			return s.seal(m, now, replaced)
		}
	}
	return nil, None
}

// sign makes a signature with each algorithm that the author's domain has a key for.
func (s *Signer) sign(m *message.Message, now time.Time, replaced []Field) ([]Field, Outcome) {
	keys, outcome := s.keysFor(m)
	if outcome != None {
		return nil, outcome
	}
	mail, whole := mailOf(m, replaced)
	if !whole {
		return nil, Cut
	}
	if mail.Count("from") != 1 || continues(m.Raw) {
		return nil, Malformed
	}
	names := mail.names(signed)
	var fields []Field
	for _, algorithm := range []string{dkim.RSA, dkim.Ed25519} {
		k := pick(keys, algorithm, now)
		if k == nil {
			continue
		}
		f := k.over(mail, "DKIM-Signature", "v=1", names, now)
		if !k.complete(&f, mail.Header(dkim.Relaxed, names, f.raw())) {
			return nil, Failed
		}
		fields = append(fields, f.Field)
	}
	if len(fields) == 0 {
		return nil, Unpublished
	}
	return fields, DKIM
}

// keysFor are the keys that may sign for the author: those of the nearest domain that has any, from the author's own upwards.
func (s *Signer) keysFor(m *message.Message) ([]*key, Outcome) {
	author := dkim.ToDomain(m.From.Domain)
	if author == "" {
		return nil, Malformed
	}
	domain := author
	for len(s.keys[domain]) == 0 {
		_, parent, found := strings.Cut(domain, ".")
		if !found {
			return nil, NoKey
		}
		domain = parent
	}
	keys := s.allowed(domain, m.Account, author)
	if len(keys) == 0 {
		return nil, NotAllowed
	}
	return keys, None
}

// seal adds a set to the chain of those who handed the mail on (RFC 8617 section 5.1).
func (s *Signer) seal(m *message.Message, now time.Time, replaced []Field) ([]Field, Outcome) {
	auth := &m.Facts.Auth
	mail, whole := mailOf(m, replaced)
	if !whole || auth.ARC.Status == "neutral" {
		return nil, Cut
	}
	if continues(m.Raw) {
		return nil, Malformed
	}
	if auth.ARC.Status == "temperror" {
		return nil, Unanswered
	}
	last, dead := dkim.LastInstance(mail.Fields)
	if dead || last >= dkim.MaxInstances {
		return nil, ChainEnded
	}
	status := auth.ARC.Status
	if status == "none" && mail.Count("arc-seal")+mail.Count("arc-message-signature")+mail.Count("arc-authentication-results") > 0 {
		status = "fail" // a header so broken that its parser saw no chain in it
	}
	k := pick(s.keys[s.arc], dkim.RSA, now) // accounts are about who sends
	if k == nil {
		return nil, Unpublished
	}
	instance, names := instanceTag(last+1), mail.names(sealed)
	results := Field{"ARC-Authentication-Results", instance + "; " + s.arc + resultsOf(m)}
	signature := k.over(mail, "ARC-Message-Signature", instance, names, now)
	if !k.complete(&signature, mail.Header(dkim.Relaxed, names, signature.raw())) {
		return nil, Failed
	}
	seal := k.seal(instance, status, now)
	var chain dkim.Chain
	if status == "pass" {
		var err error
		if chain, err = dkim.ReadChain(mail.Fields); err != nil {
			return nil, Failed // it was read before: never
		}
	}
	r, ms, as := rawOf(results), signature.raw(), seal.raw()
	if !k.complete(&seal, append(chain, dkim.Set{Results: &r, Message: &ms, Seal: &as}).Hash()) {
		return nil, Failed
	}
	return []Field{seal.Field, signature.Field, results}, ARC
}
