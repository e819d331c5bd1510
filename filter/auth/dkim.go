package auth

import (
	"errors"
	"slices"
	"strings"
	"time"

	"rempart/message"
)

// maxSignatures are verified, from the top of the header; the rest is ignored (RFC 6376 section 6.1 allows a limit).
const maxSignatures = 5

// dkimSignature is a DKIM-Signature field, or why it cannot be read.
type dkimSignature struct {
	*signature
	err error
}

// dkimSignatures reads the DKIM-Signature fields.
func dkimSignatures(fields []field, now time.Time) (out []dkimSignature) {
	for _, f := range fields {
		if f.name != "dkim-signature" {
			continue
		}
		if len(out) == maxSignatures {
			break
		}
		s, err := parseSignature(f)
		if err == nil {
			err = s.checkDKIM(now)
		}
		out = append(out, dkimSignature{s, err})
	}
	return out
}

// checkDKIM checks what only DKIM asks of a signature (RFC 6376 section 6.1.1).
func (s *signature) checkDKIM(now time.Time) error {
	if s.tags["v"] != "1" {
		return permerror("v= is not 1")
	}
	if !slices.ContainsFunc(s.names, func(n string) bool { return strings.EqualFold(n, "from") }) {
		return permerror("h= does not name From")
	}
	if i := s.identity(); i != s.domain && !strings.HasSuffix(i, "."+s.domain) {
		return permerror("i= is not within d=")
	}
	expires, err := s.tags.number("x")
	if err != nil || expires >= 0 && now.Unix() > expires {
		return permerror("the signature has expired")
	}
	return nil
}

// identity is the domain of i=; d= where there is none.
func (s *signature) identity() string {
	i, there := s.tags["i"]
	if !there {
		return s.domain
	}
	i = compact(i)
	return toDomain(i[strings.LastIndexByte(i, '@')+1:])
}

// dkim verifies the signatures, in the order of the header.
func (v *verifier) dkim(signatures []dkimSignature) []message.DKIM {
	out := make([]message.DKIM, 0, len(signatures))
	for _, s := range signatures {
		d := message.DKIM{Status: "pass", Domain: s.domain, Selector: s.selector}
		err := s.err
		if err == nil {
			err = v.dkimSignature(s.signature)
		}
		var f *fault
		if errors.As(err, &f) {
			d.Status = f.status
		}
		out = append(out, d)
	}
	return out
}

// dkimSignature verifies one. A broken signature by a key that is only tried out counts as none (RFC 6376 section 3.6.1).
func (v *verifier) dkimSignature(s *signature) error {
	err := v.signature(s)
	k := v.keys[s.keyName()].key
	switch {
	case k == nil:
		return err
	case k.strict && s.identity() != s.domain:
		return permerror("the key is not for subdomains")
	case err != nil && k.testing:
		return &fault{"neutral", err.Error()}
	}
	return err
}
