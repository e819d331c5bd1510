package auth

import (
	"strings"

	"rempart/message"
	"rempart/message/dkim"
)

// trusts reports whether a sealer is on the operator's list.
func (c *Checker) trusts(domain string) bool {
	for _, t := range c.sealers {
		if domain == strings.TrimPrefix(t, ".") || t[0] == '.' && strings.HasSuffix(domain, t) {
			return true
		}
	}
	return false
}

// believe finds the first trusted instance of a chain that passed, and reads what its sealer saw. An instance is trusted if its
// sealer is, and nobody else could have changed the message since: those who sealed it later are trusted too, or the
// instance's own signature over author and body still verifies.
func (c *Checker) believe(arc *message.ARC, sets dkim.Chain) (out seen) {
	if arc.Status != "pass" {
		return out
	}
	others := false // a later sealer is not trusted
	for i := len(sets); i > 0; i-- {
		s := sets[i-1]
		if !c.trusts(s.Signer.Domain) {
			others = true
			continue
		}
		if others && (i < arc.OldestPass || !s.Signature.Covers("from")) {
			continue
		}
		arc.Trusted, arc.Sealer, arc.Instance = true, s.Signer.Domain, i
		_, results, _ := strings.Cut(s.Results.Value(), ";") // i=
		_, results, _ = strings.Cut(results, ";")            // who says so
		out = readResults(results)
	}
	return out
}

// counts reports whether the sealer said anything.
func (s seen) counts() bool { return s.spf != "" || len(s.dkim) > 0 || s.dmarc != "" }

// count puts what a trusted sealer saw in place of what is left of it here. Signatures that still verify stay.
func (s seen) count(a *message.Authentication) {
	if s.spf != "" {
		a.SPF, a.SPFDomain = s.spf, s.spfDomain
	}
	if len(s.dkim) == 0 {
		return
	}
	var own []message.DKIM
	for _, d := range a.DKIM {
		if d.Status == "pass" {
			own = append(own, d)
		}
	}
	a.DKIM = append(own, s.dkim...)
}
