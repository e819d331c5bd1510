package auth

import (
	"context"
	"strings"

	"rempart/message"
)

// record is a DMARC policy record (RFC 9989 section 4.7).
type record struct {
	policy, subdomains, missing string // p, sp, np
	strictSPF, strictDKIM       bool   // aspf, adkim
	psd                         string // y, n, u
}

// maxWalk bounds the DNS tree walk (RFC 9989 section 4.10).
const maxWalk = 8

// dmarc finds the author domain's policy and whether SPF or DKIM passed for a domain aligned with it.
func (c *Checker) dmarc(ctx context.Context, m *message.Message, a *message.Authentication) {
	author := strings.ToLower(strings.TrimSuffix(m.From.Domain, "."))
	if author == "" || !strings.Contains(author, ".") {
		a.DMARC = "none"
		return
	}
	walk := c.walk(ctx, author)
	if walk.failed {
		a.DMARC = "temperror"
		return
	}
	policy, own := walk.records[author], true
	if policy == nil {
		policy, own = walk.records[walk.organisation(author)], false
	}
	if policy == nil {
		a.DMARC = "none"
		return
	}
	a.DMARCPolicy = policy.policy
	if !own && policy.subdomains != "" {
		a.DMARCPolicy = policy.subdomains
	}
	if !own && policy.missing != "" && c.missing(ctx, author) {
		a.DMARCPolicy = policy.missing
	}
	a.DMARC = c.aligned(ctx, author, walk.organisation(author), policy, a)
}

// aligned is "pass" if an authenticated domain is the author's, "temperror" if one that could be was not found out.
func (c *Checker) aligned(ctx context.Context, author, organisation string, p *record, a *message.Authentication) string {
	status := "fail"
	try := func(result, domain string, strict bool) {
		if domain == "" || status == "pass" || result != "pass" && result != "temperror" {
			return
		}
		same := domain == author
		if !same && !strict && (domain == organisation || strings.HasSuffix(domain, "."+organisation)) {
			w := c.walk(ctx, domain)
			same = w.organisation(domain) == organisation
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

// treeWalk is the records found from a domain upwards.
type treeWalk struct {
	records map[string]*record
	order   []string // domains with a record, longest first
	failed  bool     // a question was not answered
}

// walk asks from the domain upwards until a record says psd=y or psd=n.
func (c *Checker) walk(ctx context.Context, domain string) treeWalk {
	w := treeWalk{records: map[string]*record{}}
	labels := strings.Split(domain, ".")
	for asked := 0; len(labels) > 0 && asked < maxWalk; asked++ {
		name := strings.Join(labels, ".")
		texts, err := c.dns.LookupTXT(ctx, "_dmarc."+name)
		if err != nil && failedOr(err, "") != "" {
			w.failed = true
			return w
		}
		if r := parseRecords(texts); r != nil {
			w.records[name] = r
			w.order = append(w.order, name)
			if r.psd != "u" {
				return w
			}
		}
		if len(labels) > maxWalk {
			labels = labels[len(labels)-maxWalk+1:]
			continue
		}
		labels = labels[1:]
	}
	return w
}

// organisation is the Organizational Domain by the walk (RFC 9989 section 4.10.2).
func (w treeWalk) organisation(start string) string {
	for _, name := range w.order {
		switch w.records[name].psd {
		case "n":
			return name
		case "y":
			if name == start {
				return start
			}
			below := strings.TrimSuffix(start, "."+name)
			return below[strings.LastIndexByte(below, '.')+1:] + "." + name
		}
	}
	if len(w.order) > 0 {
		return w.order[len(w.order)-1]
	}
	return start
}

// missing reports whether the domain does not exist (RFC 9989 section 3.2.13: no A, AAAA or MX).
func (c *Checker) missing(ctx context.Context, domain string) bool {
	if _, err := c.dns.LookupIPAddr(ctx, domain); err == nil || failedOr(err, "") != "" {
		return false
	}
	_, err := c.dns.LookupMX(ctx, domain)
	return err != nil && failedOr(err, "") == ""
}

// parseRecords reads the one DMARC record among the texts; none or several are nil.
func parseRecords(texts []string) *record {
	var found *record
	for _, t := range texts {
		tags := strings.Split(t, ";")
		name, value, _ := strings.Cut(tags[0], "=")
		if strings.TrimSpace(name) != "v" || strings.TrimSpace(value) != "DMARC1" {
			continue
		}
		if found != nil {
			return nil
		}
		found = &record{psd: "u", policy: "none"}
		for _, tag := range tags[1:] {
			found.set(tag)
		}
	}
	return found
}

func (r *record) set(tag string) {
	name, value, _ := strings.Cut(tag, "=")
	value = strings.ToLower(strings.TrimSpace(value))
	policy := value == "none" || value == "quarantine" || value == "reject"
	switch strings.ToLower(strings.TrimSpace(name)) {
	case "p":
		if policy {
			r.policy = value
		}
	case "sp":
		if policy {
			r.subdomains = value
		}
	case "np":
		if policy {
			r.missing = value
		}
	case "aspf":
		r.strictSPF = value == "s"
	case "adkim":
		r.strictDKIM = value == "s"
	case "psd":
		if value == "y" || value == "n" {
			r.psd = value
		}
	}
}
