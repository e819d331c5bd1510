package auth

import (
	"crypto/sha256"
	"crypto/subtle"
	"slices"
	"strings"
)

// signer is who signed and how: what DKIM-Signature, ARC-Message-Signature and ARC-Seal have in common.
type signer struct {
	domain, selector string
	algorithm        string // rsa-sha256 or ed25519-sha256
	value            []byte // the signature itself
}

func (s signer) keyName() string { return s.selector + "._domainkey." + s.domain }

// parseSigner reads the tags a, b, d, s and checks t. Errors are faults.
func parseSigner(t tags) (s signer, err error) {
	s = signer{toDomain(compact(t["d"])), toDomain(compact(t["s"])), t["a"], t.bytes("b")}
	switch {
	case s.domain == "":
		return s, permerror("d= is no domain")
	case s.selector == "":
		return s, permerror("s= is no selector")
	case s.algorithm != "rsa-sha256" && s.algorithm != "ed25519-sha256":
		return s, permerror("a= is no algorithm in use")
	case len(s.value) == 0:
		return s, permerror("b= is no signature")
	}
	if _, err := t.number("t"); err != nil {
		return s, permerror("t= is no time")
	}
	return s, nil
}

// signature is a DKIM-Signature or an ARC-Message-Signature: over header fields and the body.
type signature struct {
	signer
	field    field
	names    []string
	header   canonical
	body     canonical
	bodyHash []byte
	length   int64 // l=: octets of the body that were signed; -1: all
	tags     tags
}

// parseSignature reads what DKIM and ARC have in common (RFC 6376 section 3.5). The domain is filled in also with an error, as
// far as it can be read. Errors are faults.
func parseSignature(f field) (*signature, error) {
	t, err := parseTags(f.value())
	if err != nil {
		return &signature{}, permerror("tag list is malformed")
	}
	s := &signature{field: f, tags: t, names: t.list("h"), bodyHash: t.bytes("bh")}
	if s.signer, err = parseSigner(t); err != nil {
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
	if _, there := t["q"]; there && !slices.Contains(t.list("q"), "dns/txt") {
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

// verifier holds what the signatures of one message have in common.
type verifier struct {
	fields []field
	places map[string][]int // of the fields of each name
	body   []byte
	keys   map[string]found
	whole  bool // false: the message was not received to its end, nothing can be verified
	hashes map[canonical]bodyHash
}

func newVerifier(fields []field, body []byte, keys map[string]found, whole bool) *verifier {
	v := &verifier{fields: fields, places: make(map[string][]int, len(fields)), body: body, keys: keys, whole: whole,
		hashes: map[canonical]bodyHash{}}
	for i, f := range fields {
		v.places[f.name] = append(v.places[f.name], i)
	}
	return v
}

// signature verifies one: the body first, then the header. Errors are faults; a signature that leaves out a part of the body
// is a fault "policy", because anything may stand there (RFC 6376 section 8.2).
func (v *verifier) signature(s *signature) error {
	if !v.whole {
		return &fault{"neutral", "the message is not whole"}
	}
	k := v.keys[s.keyName()]
	if k.err != nil {
		return k.err
	}
	body, done := v.hashes[s.body]
	if !done {
		body = s.body.hash(v.body)
		v.hashes[s.body] = body
	}
	if s.length >= 0 && s.length < body.size {
		return &fault{"policy", "l= leaves out a part of the body"}
	}
	if s.length > body.size {
		return failed("the body is shorter than l= says")
	}
	if subtle.ConstantTimeCompare(body.sum[:], s.bodyHash) != 1 {
		return failed("the body was changed")
	}
	h := sha256.New()
	var buf []byte
	for _, f := range v.pick(s.names) {
		buf = s.header.appendField(buf[:0], f)
		_, _ = h.Write(buf) // never fails
	}
	buf = s.header.appendField(buf[:0], withoutValue(s.field))
	_, _ = h.Write(buf[:len(buf)-len("\r\n")])
	return k.key.check(s.algorithm, h.Sum(nil), s.value)
}

// pick are the fields that h= names: of several of one name the last first, none twice (RFC 6376 section 5.4.2).
func (v *verifier) pick(names []string) []field {
	left := make(map[string]int, len(names)) // fields of that name that were not taken yet
	out := make([]field, 0, len(names))
	for _, name := range names {
		name = strings.ToLower(name)
		places := v.places[name]
		n, seen := left[name]
		if !seen {
			n = len(places)
		}
		if n > 0 {
			n--
			out = append(out, v.fields[places[n]])
		}
		left[name] = n
	}
	return out
}
