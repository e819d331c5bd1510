package auth

import "rempart/message"

// SPFFail speaks against a mail whose source the envelope domain disowns (RFC 7208 section 8.4). Argument: the domain.
func SPFFail(m *message.Message) message.Result { return spfIs(m, "fail") }

// SPFSoftfail speaks weakly against a mail whose source the envelope domain does not know (RFC 7208 section 8.5). Argument:
// the domain.
func SPFSoftfail(m *message.Message) message.Result { return spfIs(m, "softfail") }

// SPFPass speaks for a mail whose source the envelope domain vouches for. Spammers have domains too: it says little.
// Argument: the domain.
func SPFPass(m *message.Message) message.Result { return spfIs(m, "pass") }

func spfIs(m *message.Message, status string) message.Result {
	switch a := &m.Facts.Auth; a.SPF {
	case status:
		return message.Present(1, a.SPFDomain)
	case "temperror":
		return message.Unknown
	}
	return message.Absent
}

// DKIMPass speaks for a mail that carries a valid signature (RFC 6376). Argument: the domain that signed.
func DKIMPass(m *message.Message) message.Result {
	unknown := false
	for _, d := range m.Facts.Auth.DKIM {
		if d.Status == "pass" {
			return message.Present(1, d.Domain)
		}
		unknown = unknown || unverified(d.Status)
	}
	if unknown {
		return message.Unknown
	}
	return message.Absent
}

// DKIMBroken speaks weakly against a mail none of whose signatures is valid: a list's footer breaks them too. Argument:
// the first domain.
func DKIMBroken(m *message.Message) message.Result {
	signatures := m.Facts.Auth.DKIM
	if len(signatures) == 0 {
		return message.Absent
	}
	unknown := false
	for _, d := range signatures {
		if d.Status == "pass" {
			return message.Absent
		}
		unknown = unknown || unverified(d.Status)
	}
	if unknown {
		return message.Unknown
	}
	return message.Present(1, signatures[0].Domain)
}

// unverified reports whether a signature could not be verified now, or not at all, so that it says nothing.
func unverified(status string) bool { return status == "temperror" || status == "neutral" }

// ARCTrusted speaks for a mail that came by way of a sealer whom the operator trusts (RFC 8617). Argument: the sealer.
func ARCTrusted(m *message.Message) message.Result {
	switch a := &m.Facts.Auth.ARC; {
	case a.Trusted:
		return message.Present(1, a.Sealer)
	case unverified(a.Status):
		return message.Unknown
	}
	return message.Absent
}

// ARCBroken speaks weakly against a mail whose chain of seals does not hold: some handlers break it, and some spammers copy
// chains from other mail.
func ARCBroken(m *message.Message) message.Result {
	switch a := &m.Facts.Auth.ARC; {
	case a.Status == "fail":
		return message.Present(1)
	case unverified(a.Status):
		return message.Unknown
	}
	return message.Absent
}

// DMARCFail speaks against a mail for whose author's domain neither SPF nor DKIM passed (RFC 9989). Value: 1, 2 or 3 for
// the policy none, quarantine or reject. Arguments: the author's domain, the policy.
func DMARCFail(m *message.Message) message.Result {
	a := &m.Facts.Auth
	switch a.DMARC {
	case "fail":
		value := 1.0
		if a.DMARCOverride == "" {
			value = max(value, map[string]float64{"quarantine": 2, "reject": 3}[a.DMARCPolicy])
		}
		return message.Present(value, m.From.Domain, a.DMARCPolicy)
	case "temperror":
		return message.Unknown
	}
	return message.Absent
}

// DMARCPass speaks for a mail that provably comes from its author's domain. Argument: the domain.
func DMARCPass(m *message.Message) message.Result {
	switch m.Facts.Auth.DMARC {
	case "pass":
		return message.Present(1, m.From.Domain)
	case "temperror":
		return message.Unknown
	}
	return message.Absent
}

// ReverseMissing speaks against a source without a host name that leads back to it: honest mail servers have one (RFC
// 8601 iprev, M3AAWG). Argument: the address.
func ReverseMissing(m *message.Message) message.Result {
	switch m.Facts.Auth.IPRev {
	case "fail", "permerror":
		return message.Present(1, m.Facts.Auth.Source.String())
	case "temperror":
		return message.Unknown
	}
	return message.Absent
}

// Listed speaks against a message whose source or links stand on block lists. Value: listings. Arguments: the name
// listed, the list.
func Listed(m *message.Message) message.Result { return listed(m, false) }

// ListedGood speaks for a message whose source stands on a list of good senders. Value and arguments as for Listed.
func ListedGood(m *message.Message) message.Result { return listed(m, true) }

func listed(m *message.Message, allow bool) message.Result {
	unknown, n := false, 0
	var first message.Listing
	for _, l := range m.Facts.Listings {
		if l.Allow != allow {
			continue
		}
		switch l.State {
		case message.StatePresent:
			if n == 0 {
				first = l
			}
			n++
		case message.StateUnknown:
			unknown = true
		}
	}
	if n > 0 {
		return message.Present(float64(min(n, 4)), first.Name, first.List)
	}
	if unknown {
		return message.Unknown
	}
	return message.Absent
}
