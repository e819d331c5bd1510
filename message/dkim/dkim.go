// Package dkim reads, hashes and verifies what signs a mail: DKIM (RFC 6376, RFC 8463) and the chain of seals that is ARC (RFC
// 8617).
//
// [Split] takes a mail apart, [Signatures] and [ReadChain] read what is signed, and a [Verifier] that holds the keys verifies it.
// Who signs builds on the same [Mail]: its hashes are those that verifiers will make. All is pure: asking DNS for keys is the
// matter of filter/auth, signing that of package sign. A signature is the bytes of anybody: its parts are read within bounds.
package dkim

import (
	"errors"
	"strings"
	"time"

	"rempart/message"
)

// MaxSignatures are read, from the top of the header; the rest is ignored (RFC 6376 section 6.1 allows a limit).
const MaxSignatures = 5

// FieldSignature is a DKIM-Signature field, or the fault why it cannot be read.
type FieldSignature struct {
	*Signature
	Err error
}

// Signatures reads the DKIM-Signature fields.
func Signatures(fields []Field, now time.Time) (out []FieldSignature) {
	for _, f := range fields {
		if f.Name != "dkim-signature" {
			continue
		}
		if len(out) == MaxSignatures {
			break
		}
		s, err := parseSignature(f)
		if err == nil {
			err = s.checkDKIM(now)
		}
		out = append(out, FieldSignature{s, err})
	}
	return out
}

// checkDKIM checks what only DKIM asks of a signature (RFC 6376 section 6.1.1).
func (s *Signature) checkDKIM(now time.Time) error {
	if s.tags["v"] != "1" {
		return permerror("v= is not 1")
	}
	if !s.Covers("from") {
		return permerror("h= does not name From")
	}
	if i := s.identity(); i != s.Domain && !strings.HasSuffix(i, "."+s.Domain) {
		return permerror("i= is not within d=")
	}
	expires, err := s.tags.number("x")
	if err != nil || expires >= 0 && now.Unix() > expires {
		return permerror("the signature has expired")
	}
	return nil
}

// identity is the domain of i=; d= where there is none.
func (s *Signature) identity() string {
	i, there := s.tags["i"]
	if !there {
		return s.Domain
	}
	i = compact(i)
	return ToDomain(i[strings.LastIndexByte(i, '@')+1:])
}

// DKIM verifies the signatures, in the order of the header.
func (v *Verifier) DKIM(signatures []FieldSignature) []message.DKIM {
	out := make([]message.DKIM, 0, len(signatures))
	for _, s := range signatures {
		d := message.DKIM{Status: "pass", Domain: s.Domain, Selector: s.Selector}
		err := s.Err
		if err == nil {
			err = v.fieldSignature(s.Signature)
		}
		var f *Fault
		if errors.As(err, &f) {
			d.Status = f.Status
		}
		out = append(out, d)
	}
	return out
}

// fieldSignature verifies one. A broken signature by a key that is only tried out counts as none (RFC 6376 section 3.6.1).
func (v *Verifier) fieldSignature(s *Signature) error {
	err := v.signature(s)
	k := v.Keys[s.KeyName()].Key
	switch {
	case k == nil:
		return err
	case k.strict && s.identity() != s.Domain:
		return permerror("the key is not for subdomains")
	case err != nil && k.Testing:
		return &Fault{"neutral", err.Error()}
	}
	return err
}
