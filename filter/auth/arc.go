package auth

import (
	"crypto/sha256"
	"errors"
	"strconv"
	"strings"

	"rempart/message"
)

// maxInstances is the longest chain there may be (RFC 8617 section 4.2.1).
const maxInstances = 50

// arcSet is what one handler added (RFC 8617 section 4.2): what it found, its signature over the message, and its seal over
// the sets so far.
type arcSet struct {
	results, message, seal *field // nil: missing
	signature              *signature
	signer                 signer // of the seal
	cv                     string // of the seal: none, pass, fail
}

// chain is the sets of a message, the first handler's first.
type chain []arcSet

// readChain collects and checks the sets. A message without ARC fields has the empty chain. Errors say what breaks the chain
// before any signature is verified (RFC 8617 section 5.2 steps 1 to 3).
func readChain(fields []field) (chain, error) {
	var sets chain
	for i := range fields {
		f := &fields[i]
		if !strings.HasPrefix(f.name, "arc-") {
			continue
		}
		var place func(*arcSet) **field
		var n int
		switch f.name {
		case "arc-authentication-results":
			n, place = resultsInstance(f.value()), func(s *arcSet) **field { return &s.results }
		case "arc-message-signature":
			n, place = taggedInstance(f.value()), func(s *arcSet) **field { return &s.message }
		case "arc-seal":
			n, place = taggedInstance(f.value()), func(s *arcSet) **field { return &s.seal }
		default:
			continue
		}
		if n < 1 || n > maxInstances {
			return sets, errors.New("a field of the chain has no instance")
		}
		for len(sets) < n {
			sets = append(sets, arcSet{})
		}
		if p := place(&sets[n-1]); *p == nil {
			*p = f
		} else {
			return sets, errors.New("an instance has a field twice")
		}
	}
	for i := range sets {
		if err := sets[i].parse(i + 1); err != nil {
			return sets, err
		}
	}
	return sets, nil
}

// resultsInstance reads the i= that ARC-Authentication-Results begins with (RFC 8617 section 4.1.1); 0 if there is none.
func resultsInstance(value string) int {
	first, _, ok := strings.Cut(value, ";")
	name, number, _ := strings.Cut(first, "=")
	if !ok || strings.Trim(name, fws) != "i" {
		return 0
	}
	return instance(strings.Trim(number, fws))
}

func taggedInstance(value string) int {
	t, err := parseTags(value)
	if err != nil {
		return 0
	}
	return instance(t["i"])
}

func instance(s string) int {
	n, err := strconv.ParseUint(s, 10, 8)
	if err != nil || s[0] == '0' {
		return 0
	}
	return int(n)
}

// parse reads the fields of the set with number n.
func (s *arcSet) parse(n int) (err error) {
	if s.results == nil || s.message == nil || s.seal == nil {
		return errors.New("an instance lacks a field")
	}
	if s.signature, err = parseSignature(*s.message); err != nil {
		return err
	}
	if _, there := s.signature.tags["c"]; !there { // not simple as in DKIM: so the published suite, and those who sealed for it
		s.signature.header, s.signature.body = relaxed, relaxed
	}
	for _, name := range s.signature.names { // the seal comes after the signature (RFC 8617 section 4.1.2)
		if strings.EqualFold(name, "arc-seal") {
			return errors.New("a signature covers a seal")
		}
	}
	t, err := parseTags(s.seal.value())
	if err != nil {
		return err
	}
	if s.signer, err = parseSigner(t); err != nil {
		return err
	}
	if _, there := t["h"]; there { // RFC 8617 section 4.1.3
		return errors.New("a seal has h=")
	}
	s.cv = strings.ToLower(t["cv"])
	if s.cv == "none" != (n == 1) && s.cv != "fail" || s.cv != "none" && s.cv != "pass" && s.cv != "fail" {
		return errors.New("a seal has a wrong cv=")
	}
	return nil
}

// signers are those whose keys the chain needs.
func (c chain) signers() (out []signer) {
	for _, s := range c {
		out = append(out, s.signature.signer, s.signer)
	}
	return out
}

// chain verifies a chain (RFC 8617 section 5.2).
func (v *verifier) chain(c chain) message.ARC {
	if len(c) == 0 {
		return message.ARC{Status: "none"}
	}
	last := c[len(c)-1]
	out := message.ARC{Status: "pass", Sealer: last.signer.domain, Instance: len(c)}
	for _, s := range c {
		if s.cv == "fail" {
			out.Status = "fail"
			return out
		}
	}
	err := v.signature(last.signature)
	for i := len(c); i > 0 && err == nil; i-- {
		err = v.seal(c[:i])
	}
	if err != nil {
		out.Status = statusOfChain(err)
		return out
	}
	out.OldestPass = len(c)
	for i := len(c) - 1; i > 0 && v.signature(c[i-1].signature) == nil; i-- {
		out.OldestPass = i
	}
	return out
}

// statusOfChain is "temperror" if a key could not be had, "neutral" if the message is not whole, and "fail" otherwise.
func statusOfChain(err error) string {
	var f *fault
	if errors.As(err, &f) && (f.status == "temperror" || f.status == "neutral") {
		return f.status
	}
	return "fail"
}

// seal verifies the seal of the last set, which covers all sets before it (RFC 8617 section 5.1.1).
func (v *verifier) seal(c chain) error {
	last := c[len(c)-1]
	k := v.keys[last.signer.keyName()]
	if k.err != nil {
		return k.err
	}
	h := sha256.New()
	var buf []byte
	for i, s := range c {
		buf = relaxed.appendField(buf[:0], *s.results)
		buf = relaxed.appendField(buf, *s.message)
		if i < len(c)-1 {
			buf = relaxed.appendField(buf, *s.seal)
		} else {
			buf = relaxed.appendField(buf, withoutValue(*s.seal))
			buf = buf[:len(buf)-len("\r\n")]
		}
		_, _ = h.Write(buf) // never fails
	}
	return k.key.check(last.signer.algorithm, h.Sum(nil), last.signer.value)
}
