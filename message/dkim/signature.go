package dkim

import (
	"crypto/sha256"
	"crypto/subtle"
	"slices"
	"strings"
)

// Signer is who signed and how: what DKIM-Signature, ARC-Message-Signature and ARC-Seal have in common.
type Signer struct {
	Domain, Selector string
	Algorithm        string // [RSA] or [Ed25519]
	value            []byte // the signature itself
}

// KeyName is where DNS has the signer's key.
func (s Signer) KeyName() string { return KeyName(s.Selector, s.Domain) }

// parseSigner reads the tags a, b, d, s and checks t. Errors are faults.
func parseSigner(t Tags) (s Signer, err error) {
	s = Signer{ToDomain(compact(t["d"])), ToDomain(compact(t["s"])), t["a"], t.bytes("b")}
	switch {
	case s.Domain == "":
		return s, permerror("d= is no domain")
	case s.Selector == "":
		return s, permerror("s= is no selector")
	case s.Algorithm != RSA && s.Algorithm != Ed25519:
		return s, permerror("a= is no algorithm in use")
	case len(s.value) == 0:
		return s, permerror("b= is no signature")
	}
	if _, err := t.number("t"); err != nil {
		return s, permerror("t= is no time")
	}
	return s, nil
}

// Signature is a DKIM-Signature or an ARC-Message-Signature: over header fields and the body.
type Signature struct {
	Signer
	Names    []string // of the fields that are signed
	field    Field
	header   Canonical
	body     Canonical
	bodyHash []byte
	length   int64 // l=: octets of the body that were signed; -1: all
	tags     Tags
}

// parseSignature reads what DKIM and ARC have in common (RFC 6376 section 3.5). The domain is filled in also with an error, as
// far as it can be read. Errors are faults.
func parseSignature(f Field) (*Signature, error) {
	t, err := ParseTags(f.Value())
	if err != nil {
		return &Signature{}, permerror("tag list is malformed")
	}
	s := &Signature{field: f, tags: t, Names: t.List("h"), bodyHash: t.bytes("bh")}
	if s.Signer, err = parseSigner(t); err != nil {
		return s, err
	}
	if s.length, err = t.number("l"); err != nil {
		return s, permerror("l= is no length")
	}
	if _, there := t["h"]; !there {
		return s, permerror("h= is missing")
	}
	if len(s.bodyHash) != sha256.Size {
		return s, permerror("bh= is no SHA-256")
	}
	if _, there := t["q"]; there && !slices.Contains(t.List("q"), "dns/txt") {
		return s, permerror("q= names no way to the key that is known")
	}
	if c, there := t["c"]; there {
		header, body, _ := strings.Cut(c, "/")
		s.header, s.body = header == "relaxed", body == "relaxed"
		if header != "relaxed" && header != "simple" || body != "relaxed" && body != "simple" && (body != "" || strings.HasSuffix(c, "/")) {
			return s, permerror("c= is no form that is known")
		}
	}
	return s, nil
}

// Covers reports whether the signature is over a field of that name.
func (s *Signature) Covers(name string) bool {
	return slices.ContainsFunc(s.Names, func(n string) bool { return strings.EqualFold(n, name) })
}

// Verifier verifies the signatures of one mail.
type Verifier struct {
	*Mail
	Keys  map[string]Found // by [Signer.KeyName], of all signers
	Whole bool             // false: the mail was not received to its end, nothing can be verified
}

// signature verifies one: the body first, then the header. Errors are faults; a signature that leaves out a part of the body
// is a fault "policy", because anything may stand there (RFC 6376 section 8.2).
func (v *Verifier) signature(s *Signature) error {
	if !v.Whole {
		return &Fault{"neutral", "the message is not whole"}
	}
	k := v.Keys[s.KeyName()]
	if k.Err != nil {
		return k.Err
	}
	body := v.Body(s.body)
	if s.length >= 0 && s.length < body.Size {
		return &Fault{"policy", "l= leaves out a part of the body"}
	}
	if s.length > body.Size {
		return failed("the body is shorter than l= says")
	}
	if subtle.ConstantTimeCompare(body.Sum[:], s.bodyHash) != 1 {
		return failed("the body was changed")
	}
	return k.Key.Check(s.Algorithm, v.Header(s.header, s.Names, s.field), s.value)
}
