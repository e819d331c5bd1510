package auth

import (
	"context"
	"strings"
	"sync"
)

// maxWalk bounds the questions of one tree walk (RFC 9989 section 4.10).
const maxWalk = 8

// treeWalk is the records found from a domain upwards.
type treeWalk struct {
	start   string
	records map[string]*record
	order   []string // domains with a record, longest first
	failed  bool     // a question was not answered
}

// walkNames are the domains to ask, from the start up: of names with eight labels and more all but the last seven are left out
// at once.
func walkNames(domain string) (names []string) {
	labels := strings.Split(domain, ".")
	for len(labels) > 0 {
		names = append(names, strings.Join(labels, "."))
		labels = labels[max(1, len(labels)-(maxWalk-1)):]
	}
	return names
}

// walk asks all names side by side, and reads the answers up to the first that says psd=y or psd=n.
func (c *Checker) walk(ctx context.Context, domain string) treeWalk {
	names := walkNames(domain)
	texts, errs := make([][]string, len(names)), make([]error, len(names))
	var wg sync.WaitGroup
	ask := func(i int) { texts[i], errs[i] = c.dns.LookupTXT(ctx, "_dmarc."+names[i]) }
	for i := 1; i < len(names); i++ {
		wg.Go(func() { ask(i) })
	}
	ask(0)
	wg.Wait()
	w := treeWalk{start: domain, records: map[string]*record{}}
	for i, name := range names {
		if errs[i] != nil && failedOr(errs[i], "") != "" {
			w.failed = true
			return w
		}
		if r := parseRecords(texts[i]); r != nil {
			w.records[name] = r
			w.order = append(w.order, name)
			if r.psd != "u" {
				break
			}
		}
	}
	return w
}

// organisation is the Organizational Domain (RFC 9989 section 4.10.2).
func (w treeWalk) organisation() string {
	for _, name := range w.order {
		switch w.records[name].psd {
		case "n":
			return name
		case "y":
			if name == w.start {
				return name
			}
			below := strings.TrimSuffix(w.start, "."+name)
			return below[strings.LastIndexByte(below, '.')+1:] + "." + name
		}
	}
	if len(w.order) > 0 {
		return w.order[len(w.order)-1]
	}
	return w.start
}

// policy is the record to apply, and where it stands: the domain's own, or its organisation's, or its public suffix's (RFC 9989
// section 4.10.1).
func (w treeWalk) policy() (domain string, r *record) {
	if r := w.records[w.start]; r != nil {
		return w.start, r
	}
	organisation := w.organisation()
	if r := w.records[organisation]; r != nil {
		return organisation, r
	}
	if n := len(w.order); n > 0 && w.records[w.order[n-1]].psd == "y" {
		return w.order[n-1], w.records[w.order[n-1]]
	}
	return "", nil
}

// missing reports whether the domain does not exist (RFC 9989 section 3.2.13: no A, AAAA or MX).
func (c *Checker) missing(ctx context.Context, domain string) bool {
	if _, err := c.dns.LookupIPAddr(ctx, domain); err == nil || failedOr(err, "") != "" {
		return false
	}
	_, err := c.dns.LookupMX(ctx, domain)
	return err != nil && failedOr(err, "") == ""
}
