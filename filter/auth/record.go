package auth

import (
	"net/url"
	"strings"

	"rempart/message"
	"rempart/message/dkim"
)

// record is a DMARC policy record (RFC 9989 section 4.7).
type record struct {
	policy, subdomains, missing string // p, sp, np: none, quarantine, reject; empty if not there
	strictSPF, strictDKIM       bool   // aspf, adkim
	psd                         string // y, n, u
	testing                     bool   // t
	rua, failures               string // rua, fo: as published
	reports                     bool   // rua names an address
	malformed                   bool   // a policy that is no policy
}

// parseRecords reads the one DMARC record among the texts; none or several are nil (RFC 9989 section 4.10).
func parseRecords(texts []string) *record {
	var one *record
	for _, t := range texts {
		r := parseRecord(t)
		if r == nil {
			continue
		}
		if one != nil {
			return nil
		}
		one = r
	}
	if one != nil && (one.malformed || one.policy == "") && one.reports {
		one.policy, one.subdomains, one.missing, one.malformed = "none", "", "", false
	}
	return one
}

// parseRecord reads a text that begins with v=DMARC1; any other is nil.
func parseRecord(text string) *record {
	tags := strings.Split(text, ";")
	name, value, _ := strings.Cut(tags[0], "=")
	if !strings.EqualFold(strings.Trim(name, dkim.FWS), "v") || strings.Trim(value, dkim.FWS) != "DMARC1" {
		return nil
	}
	r := &record{psd: "u"}
	for _, tag := range tags[1:] {
		r.set(tag)
	}
	return r
}

// usable reports whether the record says what to do; if not, DMARC does not apply (RFC 9989 section 4.10.1).
func (r *record) usable() bool { return r.policy != "" && !r.malformed }

func (r *record) set(tag string) {
	name, text, _ := strings.Cut(tag, "=")
	text = strings.Trim(text, dkim.FWS)
	value := strings.ToLower(text)
	switch strings.ToLower(strings.Trim(name, dkim.FWS)) {
	case "p":
		r.setPolicy(&r.policy, value)
	case "sp":
		r.setPolicy(&r.subdomains, value)
	case "np":
		r.setPolicy(&r.missing, value)
	case "aspf":
		r.strictSPF = value == "s"
	case "adkim":
		r.strictDKIM = value == "s"
	case "psd":
		if value == "y" || value == "n" {
			r.psd = value
		}
	case "t":
		r.testing = value == "y"
	case "fo":
		r.failures = text
	case "rua":
		r.rua = text
		for uri := range strings.SplitSeq(text, ",") {
			u, err := url.Parse(strings.Trim(uri, dkim.FWS))
			r.reports = r.reports || err == nil && u.Scheme != ""
		}
	}
}

func (r *record) setPolicy(p *string, value string) {
	if value != "none" && value != "quarantine" && value != "reject" {
		r.malformed = true
		return
	}
	*p = value
}

// published is the record as a report tells it; asked is what chosen says. The domain may be a part of the mail, which is not to be kept
// by it.
func (r *record) published(domain, asked string) *message.DMARCRecord {
	return &message.DMARCRecord{Domain: strings.Clone(domain), Reports: r.rua, Policy: r.policy, Subdomains: r.subdomains, Missing: r.missing, Asked: asked,
		Failures: r.failures, StrictSPF: r.strictSPF, StrictDKIM: r.strictDKIM, Testing: r.testing}
}

// chosen is the policy for mail that fails: own says that the record stands at the author's domain itself, missing that this domain
// does not exist (RFC 9989 section 4.10.1).
func (r *record) chosen(own, missing bool) string {
	switch {
	case own:
		return r.policy
	case missing && r.missing != "":
		return r.missing
	case r.subdomains != "":
		return r.subdomains
	}
	return r.policy
}

// asks is what the owner asks for where that policy was chosen: while a policy is tried out (t=y) it is one level lower.
func (r *record) asks(chosen string) string {
	switch {
	case !r.testing:
		return chosen
	case chosen == "reject":
		return "quarantine"
	}
	return "none"
}
