package auth

import (
	"context"
	"fmt"
	"strings"
)

// maxName is the longest name in DNS, in text (RFC 1035 section 2.3.4).
const maxName = 253

// TakesReports asks whether reports on mail in the name of a policy domain may go to a host that its record names (RFC 9990 section
// 4): one of the same organisation, or one whose record says that it takes them. Instead is the rua of that record, if it has one: what
// stands there takes the place of what the domain names. An error means that DNS did not answer.
func (c *Checker) TakesReports(ctx context.Context, domain, host string) (takes bool, instead string, err error) {
	if len("_dmarc."+host) > maxName {
		return false, "", nil
	}
	from, to := c.walk(ctx, domain), c.walk(ctx, host)
	if from.failed || to.failed {
		return false, "", fmt.Errorf("DNS does not tell the organisations of %s and %s", domain, host)
	}
	if from.organisation() == to.organisation() {
		return true, "", nil
	}
	name := domain + "._report._dmarc." + host
	if len(name) > maxName {
		return false, "", nil
	}
	texts, err := c.dns.LookupTXT(ctx, name)
	if err != nil {
		if failedOr(err, "") != "" {
			return false, "", fmt.Errorf("ask for %s: %w", name, err)
		}
		return false, "", nil
	}
	for _, t := range texts {
		if r := parseRecord(t); r != nil {
			takes = true
			if instead == "" {
				instead = strings.TrimSpace(r.rua)
			}
		}
	}
	return takes, instead, nil
}
