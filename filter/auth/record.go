package auth

import (
	"net/url"
	"strings"

	"rempart/message/dkim"
)

// record is a DMARC policy record (RFC 9989 section 4.7).
type record struct {
	policy, subdomains, missing string // p, sp, np: none, quarantine, reject; empty if not there
	strictSPF, strictDKIM       bool   // aspf, adkim
	psd                         string // y, n, u
	testing                     bool   // t
	reports                     bool   // rua names an address
	malformed                   bool   // a policy that is no policy
}

// parseRecords reads the one DMARC record among the texts; none or several are nil (RFC 9989 section 4.10).
func parseRecords(texts []string) *record {
	var one *record
	for _, t := range texts {
		tags := strings.Split(t, ";")
		name, value, _ := strings.Cut(tags[0], "=")
		if !strings.EqualFold(strings.Trim(name, dkim.FWS), "v") || strings.Trim(value, dkim.FWS) != "DMARC1" {
			continue
		}
		if one != nil {
			return nil
		}
		one = &record{psd: "u"}
		for _, tag := range tags[1:] {
			one.set(tag)
		}
	}
	if one != nil && (one.malformed || one.policy == "") && one.reports {
		one.policy, one.subdomains, one.missing, one.malformed = "none", "", "", false
	}
	return one
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
	case "rua":
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

// asks is what the domain owner asks for mail that fails: own says that the record stands at the author's domain itself,
// missing that this domain does not exist (RFC 9989 section 4.10.1). While the owner tries a policy out (t=y) it is one level
// lower.
func (r *record) asks(own, missing bool) string {
	policy := r.policy
	switch {
	case own:
	case missing && r.missing != "":
		policy = r.missing
	case r.subdomains != "":
		policy = r.subdomains
	}
	switch {
	case !r.testing:
		return policy
	case policy == "reject":
		return "quarantine"
	}
	return "none"
}
