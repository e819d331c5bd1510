package auth

import (
	"context"
	"strings"

	"rempart/filter/content"
	"rempart/message"
	"rempart/message/dkim"
)

// authorOf is the domain that DMARC is about (RFC 9989 section 3.2.2); "" if the author has none.
func authorOf(m *message.Message) string {
	domain := dkim.ToDomain(m.From.Domain)
	if !strings.Contains(domain, ".") {
		return ""
	}
	return domain
}

// dmarc finds the policy of the author's domain and whether SPF or DKIM passed for a domain aligned with it. w is the walk from
// the author's domain.
func (c *Checker) dmarc(ctx context.Context, w treeWalk, a *message.Authentication) {
	policy, own := w.policy()
	switch {
	case w.start == "" || !w.failed && policy == nil:
		a.DMARC = "none"
		return
	case w.failed:
		a.DMARC = "temperror"
		return
	case !policy.usable():
		a.DMARC = "permerror"
		return
	}
	missing := !own && policy.missing != "" && c.missing(ctx, w.start)
	a.DMARCPolicy = policy.asks(own, missing)
	a.DMARC = c.aligned(ctx, w, policy, a)
}

// aligned is "pass" if an authenticated domain is aligned with the author's, "temperror" if one that could be was not found out.
func (c *Checker) aligned(ctx context.Context, w treeWalk, p *record, a *message.Authentication) string {
	status, organisation := "fail", w.organisation()
	try := func(result, domain string, strict bool) {
		if domain == "" || status == "pass" || result != "pass" && result != "temperror" {
			return
		}
		same := domain == w.start
		if !same && !strict && (domain == organisation || strings.HasSuffix(domain, "."+organisation)) {
			other := c.walk(ctx, domain)
			if other.failed {
				status = "temperror"
				return
			}
			same = other.organisation() == organisation
		}
		if same {
			status = result
		}
	}
	try(a.SPF, a.SPFDomain, p.strictSPF)
	for _, d := range a.DKIM {
		try(d.Status, d.Domain, p.strictDKIM)
	}
	return status
}

// override says why a DMARC failure does not count in full: mail that others hand on fails (RFC 7960) without any
// fault of its author. A list has to be somebody: a domain passes for it.
func override(m *message.Message, a *message.Authentication, forwarded bool) string {
	switch {
	case a.DMARC != "fail":
		return ""
	case a.ARC.Trusted:
		return "local_policy"
	case forwarded:
		return "trusted_forwarder"
	case content.MailingList(m).State == message.StatePresent && (a.SPF == "pass" || signedBySomebody(a)):
		return "mailing_list"
	}
	return ""
}

func signedBySomebody(a *message.Authentication) bool {
	for _, d := range a.DKIM {
		if d.Status == "pass" {
			return true
		}
	}
	return false
}
