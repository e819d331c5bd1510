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
	domain, policy := w.policy()
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
	own := domain == w.start
	missing := !own && policy.missing != "" && c.missing(ctx, w.start)
	chosen := policy.chosen(own, missing)
	a.DMARCPolicy = policy.asks(chosen)
	a.Record = nil
	if c.Reporting && policy.reports {
		a.Record = policy.published(domain, chosen)
	}
	a.DMARC = c.aligned(ctx, w, policy, a)
}

// aligned is "pass" if an authenticated domain is aligned with the author's, "temperror" if one that could be was not found out.
// Where a report will tell, both SPF and DKIM are looked at.
func (c *Checker) aligned(ctx context.Context, w treeWalk, p *record, a *message.Authentication) string {
	spf := c.alignment(ctx, w, a.SPF, a.SPFDomain, p.strictSPF)
	if spf == "pass" && a.Record == nil {
		return spf
	}
	dkim := "fail"
	for _, d := range a.DKIM {
		if dkim = better(dkim, c.alignment(ctx, w, d.Status, d.Domain, p.strictDKIM)); dkim == "pass" {
			break
		}
	}
	if a.Record != nil {
		a.Record.SPFAligned, a.Record.DKIMAligned = spf == "pass", dkim == "pass"
	}
	return better(spf, dkim)
}

// alignment is what a result for a domain is worth: itself if the domain is aligned with the author's (RFC 9989 section 4.4), and
// otherwise "fail".
func (c *Checker) alignment(ctx context.Context, w treeWalk, result, domain string, strict bool) string {
	if domain == "" || result != "pass" && result != "temperror" {
		return "fail"
	}
	if domain == w.start {
		return result
	}
	organisation := w.organisation()
	if strict || domain != organisation && !strings.HasSuffix(domain, "."+organisation) {
		return "fail"
	}
	switch other := c.walk(ctx, domain); {
	case other.failed:
		return "temperror"
	case other.organisation() == organisation:
		return result
	}
	return "fail"
}

// better is the result of the two that counts: "pass", else "temperror", else "fail".
func better(a, b string) string {
	if a == "pass" || b == "fail" {
		return a
	}
	return b
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
