package dkim

import (
	"crypto/sha256"
	"errors"
	"strconv"
	"strings"

	"rempart/message"
)

// MaxInstances is the longest chain there may be (RFC 8617 section 4.2.1).
const MaxInstances = 50

// Set is what one handler added (RFC 8617 section 4.2): what it found, its signature over the message, and its seal over
// the sets so far.
type Set struct {
	Results, Message, Seal *Field // nil: missing
	Signature              *Signature
	Signer                 Signer // of the seal
	CV                     string // of the seal: none, pass, fail
}

// Chain is the sets of a message, the first handler's first.
type Chain []Set

// ReadChain collects and checks the sets. A message without ARC fields has the empty chain. Errors say what breaks the chain
// before any signature is verified (RFC 8617 section 5.2 steps 1 to 3).
func ReadChain(fields []Field) (Chain, error) {
	var sets Chain
	for i := range fields {
		f := &fields[i]
		n, place, ours := setOf(f)
		if !ours {
			continue
		}
		if n < 1 || n > MaxInstances {
			return sets, errors.New("a field of the chain has no instance")
		}
		for len(sets) < n {
			sets = append(sets, Set{})
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

// setOf is the instance of a field, 0 if it names none, and its place in the set; ours is false if it is no field of a chain.
func setOf(f *Field) (n int, place func(*Set) **Field, ours bool) {
	switch f.Name {
	case "arc-authentication-results":
		return resultsInstance(f.Value()), func(s *Set) **Field { return &s.Results }, true
	case "arc-message-signature":
		return taggedInstance(f.Value()), func(s *Set) **Field { return &s.Message }, true
	case "arc-seal":
		return taggedInstance(f.Value()), func(s *Set) **Field { return &s.Seal }, true
	}
	return 0, nil, false
}

// LastInstance is the highest instance that fields name, 0 if none does, whether they make a chain or not. dead says that a
// seal has found the chain failed, so that nobody is to add to it (RFC 8617 section 5.1.2).
func LastInstance(fields []Field) (last int, dead bool) {
	for i := range fields {
		n, _, ours := setOf(&fields[i])
		if !ours {
			continue
		}
		last = max(last, n)
		if fields[i].Name == "arc-seal" {
			t, err := ParseTags(fields[i].Value())
			dead = dead || err == nil && strings.EqualFold(t["cv"], "fail")
		}
	}
	return last, dead
}

// resultsInstance reads the i= that ARC-Authentication-Results begins with (RFC 8617 section 4.1.1); 0 if there is none.
func resultsInstance(value string) int {
	first, _, ok := strings.Cut(value, ";")
	name, number, _ := strings.Cut(first, "=")
	if !ok || strings.Trim(name, FWS) != "i" {
		return 0
	}
	return instance(strings.Trim(number, FWS))
}

func taggedInstance(value string) int {
	t, err := ParseTags(value)
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
func (s *Set) parse(n int) (err error) {
	if s.Results == nil || s.Message == nil || s.Seal == nil {
		return errors.New("an instance lacks a field")
	}
	if s.Signature, err = parseSignature(*s.Message); err != nil {
		return err
	}
	if _, there := s.Signature.tags["c"]; !there { // not simple as in DKIM: so the published suite, and those who sealed for it
		s.Signature.header, s.Signature.body = Relaxed, Relaxed
	}
	for _, name := range s.Signature.Names { // the seal comes after the signature (RFC 8617 section 4.1.2)
		if strings.EqualFold(name, "arc-seal") {
			return errors.New("a signature covers a seal")
		}
	}
	t, err := ParseTags(s.Seal.Value())
	if err != nil {
		return err
	}
	if s.Signer, err = parseSigner(t); err != nil {
		return err
	}
	if _, there := t["h"]; there { // RFC 8617 section 4.1.3
		return errors.New("a seal has h=")
	}
	s.CV = strings.ToLower(t["cv"])
	if s.CV == "none" != (n == 1) && s.CV != "fail" || s.CV != "none" && s.CV != "pass" && s.CV != "fail" {
		return errors.New("a seal has a wrong cv=")
	}
	return nil
}

// Signers are those whose keys the chain needs.
func (c Chain) Signers() (out []Signer) {
	for _, s := range c {
		out = append(out, s.Signature.Signer, s.Signer)
	}
	return out
}

// Chain verifies a chain (RFC 8617 section 5.2).
func (v *Verifier) Chain(c Chain) message.ARC {
	if len(c) == 0 {
		return message.ARC{Status: "none"}
	}
	last := c[len(c)-1]
	out := message.ARC{Status: "pass", Sealer: last.Signer.Domain, Instance: len(c)}
	for _, s := range c {
		if s.CV == "fail" {
			out.Status = "fail"
			return out
		}
	}
	err := v.signature(last.Signature)
	for i := len(c); i > 0 && err == nil; i-- {
		err = v.seal(c[:i])
	}
	if err != nil {
		out.Status = statusOfChain(err)
		return out
	}
	out.OldestPass = len(c)
	for i := len(c) - 1; i > 0 && v.signature(c[i-1].Signature) == nil; i-- {
		out.OldestPass = i
	}
	return out
}

// statusOfChain is "temperror" if a key could not be had, "neutral" if the message is not whole, and "fail" otherwise.
func statusOfChain(err error) string {
	var f *Fault
	if errors.As(err, &f) && (f.Status == "temperror" || f.Status == "neutral") {
		return f.Status
	}
	return "fail"
}

// seal verifies the seal of the last set.
func (v *Verifier) seal(c Chain) error {
	last := c[len(c)-1].Signer
	k := v.Keys[last.KeyName()]
	if k.Err != nil {
		return k.Err
	}
	return k.Key.Check(last.Algorithm, c.Hash(), last.value)
}

// Hash is what the seal of the last set signs: all sets before it, and its own with the seal's b= emptied (RFC 8617 section
// 5.1.1). A chain that failed is the last set alone (section 5.1.2).
func (c Chain) Hash() []byte {
	h := sha256.New()
	var buf []byte
	for i, s := range c {
		buf = Relaxed.AppendField(buf[:0], *s.Results)
		buf = Relaxed.AppendField(buf, *s.Message)
		if i < len(c)-1 {
			buf = Relaxed.AppendField(buf, *s.Seal)
		} else {
			buf = Relaxed.AppendField(buf, withoutValue(*s.Seal))
			buf = buf[:len(buf)-len("\r\n")]
		}
		_, _ = h.Write(buf) // never fails
	}
	return h.Sum(nil)
}
