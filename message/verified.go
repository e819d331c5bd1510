package message

import "slices"

// Verified is the domains that vouch for a message: lists of the operator name them.
type Verified struct {
	SPF  string   // for whose envelope sender SPF passed; empty: it did not
	DKIM []string // of signatures that passed, each once, at most eight
	ARC  string   // of the trusted sealer; empty: there is none
}

// maxVerified: a mail has a signature or two; an event need not keep a hundred.
const maxVerified = 8

// Verified is who vouches for the message.
func (a *Authentication) Verified() (v Verified) {
	if a.SPF == "pass" {
		v.SPF = a.SPFDomain
	}
	for _, d := range a.DKIM {
		if d.Status == "pass" && len(v.DKIM) < maxVerified && !slices.Contains(v.DKIM, d.Domain) {
			v.DKIM = append(v.DKIM, d.Domain)
		}
	}
	if a.ARC.Trusted {
		v.ARC = a.ARC.Sealer
	}
	return v
}

// Authentication is the results that v stands for, so that a policy can be asked about a recorded message.
func (v Verified) Authentication() (a Authentication) {
	if v.SPF != "" {
		a.SPF, a.SPFDomain = "pass", v.SPF
	}
	for _, d := range v.DKIM {
		a.DKIM = append(a.DKIM, DKIM{Status: "pass", Domain: d})
	}
	if v.ARC != "" {
		a.ARC = ARC{Status: "pass", Sealer: v.ARC, Trusted: true}
	}
	return a
}
