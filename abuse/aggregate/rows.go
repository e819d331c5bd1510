package aggregate

import (
	"fmt"

	"rempart/message"
	"rempart/message/dkim"
	"rempart/message/feedback"
)

// maxRecipientDomains bounds the rows that one mail counts in; few mails go to more than one domain of ours.
const maxRecipientDomains = 20

// Texts that DNS and mails bring at will are bounded; the longest real selectors have some 60 letters, and fo at most 7 (RFC 9989 section
// 4.7).
const (
	maxSelector = 100
	maxFailures = 20
)

// foundHere is what was found out about a mail, without the word of a sealer: reports tell what the reporter saw (RFC 9990 section
// 3.1.1.9). Its Record is nil if no report tells of the mail.
func foundHere(m *message.Message) *message.Authentication {
	if here := m.Facts.Auth.Here; here != nil {
		return here
	}
	return &m.Facts.Auth
}

// rowsOf are the rows of a report that a mail counts in: one for each domain of its recipients. There is none where no report tells of it,
// where SPF could be asked about nobody, and for recipients whose mail comes again.
func rowsOf(m *message.Message, decisions []message.Decision) (rows []feedback.Row) {
	found := foundHere(m)
	if found.Record == nil || found.SPF == "" {
		return nil
	}
	row := feedback.Row{Source: found.Source.Unmap().WithZone(""), DKIM: aligned(found.Record.DKIMAligned), SPF: aligned(found.Record.SPFAligned),
		HeaderFrom: dkim.ToDomain(m.From.Domain), DKIMResults: signatures(found.DKIM)}
	if domain := dkim.ToDomain(found.SPFDomain); domain != "" {
		row.SPFResults = []feedback.Result{{Domain: domain, Scope: "mfrom", Result: found.SPF}}
		if m.MailFrom != "" {
			row.EnvelopeFrom = domain
		}
	}
	for _, to := range appliedTo(m, decisions) {
		row.EnvelopeTo = to.domain
		row.Disposition = disposition(found, to.applied)
		row.Reasons = reasons(m, found, row.Disposition)
		rows = append(rows, row)
	}
	return rows
}

func aligned(pass bool) string {
	if pass {
		return "pass"
	}
	return "fail"
}

func signatures(list []message.DKIM) (out []feedback.Result) {
	for _, d := range list {
		if domain := dkim.ToDomain(d.Domain); domain != "" && d.Selector != "" && len(d.Selector) <= maxSelector { // a report has to name both
			out = append(out, feedback.Result{Domain: domain, Selector: d.Selector, Result: d.Status})
		}
	}
	return out
}

// recipients are those of one domain, and what was done at worst with their copies.
type recipients struct {
	domain  string
	applied level
}

// level is how hard a mail was treated, in the order of DMARC's policies.
type level uint8

const (
	levelNone level = iota
	levelQuarantine
	levelReject
)

func (l level) String() string { return [...]string{"none", "quarantine", "reject"}[l] }

func levelOf(policy string) level {
	switch policy {
	case "reject":
		return levelReject
	case "quarantine":
		return levelQuarantine
	}
	return levelNone
}

// appliedTo says what was done, by domain of recipients. Those who were asked to come again are left out.
func appliedTo(m *message.Message, decisions []message.Decision) (out []recipients) {
next:
	for i := range min(len(decisions), len(m.Recipients)) {
		applied, again := applied(decisions[i].Effective())
		if again {
			continue
		}
		_, domain := split(m.Recipients[i].Address)
		for j := range out {
			if out[j].domain == domain {
				out[j].applied = max(out[j].applied, applied)
				continue next
			}
		}
		if len(out) < maxRecipientDomains {
			out = append(out, recipients{domain, applied})
		}
	}
	return out
}

// applied is what an action is to the owner of a domain. Again says that the mail was not taken yet.
func applied(a message.Action) (l level, again bool) {
	switch a {
	case message.Greylist, message.Tempfail, message.Throttle:
		return levelNone, true
	case message.Tag, message.Rewrite, message.Redirect, message.Hold, message.Quarantine, message.Challenge:
		return levelQuarantine, false
	case message.Reject, message.Discard, message.Remove:
		return levelReject, false
	}
	return levelNone, false
}

// disposition is what the policy did to the mail. What was done beyond it for other reasons stays here: it would tell spammers how their
// mail fares (RFC 9990 section 8.3).
func disposition(found *message.Authentication, applied level) string {
	asked := levelOf(found.DMARCPolicy)
	switch {
	case found.DMARC == "pass" && asked > levelNone:
		return "pass"
	case found.DMARC != "fail":
		return "none"
	}
	return min(applied, asked).String()
}

// reasons say why less was done to a mail that failed than its owner asks for.
func reasons(m *message.Message, found *message.Authentication, disposition string) []feedback.Reason {
	a := &m.Facts.Auth
	switch {
	case found.DMARC == "pass" || disposition == found.Record.Asked:
		return nil
	case found.DMARC == "temperror":
		return []feedback.Reason{{Type: "other", Comment: "DNS did not answer"}}
	case a.ARC.Trusted && (a.DMARC == "pass" || a.DMARCOverride == "local_policy"):
		return []feedback.Reason{{Type: "local_policy", Comment: fmt.Sprintf("arc=pass as[%d].d=%s", a.ARC.Instance, a.ARC.Sealer)}} // RFC 8617 section 7.2.2
	case a.DMARCOverride != "":
		return []feedback.Reason{{Type: a.DMARCOverride}}
	case found.Record.Testing && disposition == found.DMARCPolicy:
		return []feedback.Reason{{Type: "policy_test_mode"}}
	}
	return []feedback.Reason{{Type: "local_policy"}}
}

// policyOf is the record as a report tells it: tags that are not there have their defaults (RFC 9989 section 4.7).
func policyOf(r *message.DMARCRecord) feedback.Policy {
	p := feedback.Policy{Domain: r.Domain, Discovery: "treewalk", P: r.Policy, SP: r.Subdomains, NP: r.Missing, FO: r.Failures, ADKIM: "r", ASPF: "r", Testing: "n"}
	if p.SP == "" {
		p.SP = p.P
	}
	if p.NP == "" {
		p.NP = p.SP
	}
	if p.FO == "" || len(p.FO) > maxFailures {
		p.FO = "0"
	}
	if r.StrictDKIM {
		p.ADKIM = "s"
	}
	if r.StrictSPF {
		p.ASPF = "s"
	}
	if r.Testing {
		p.Testing = "y"
	}
	return p
}
