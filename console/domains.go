package console

import (
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"rempart/abuse"
)

// reportedSpan is over how long reports are summed up: receivers send one a day.
const reportedSpan = 30 * 24 * time.Hour

type domainsPage struct {
	On    bool
	Table table
}

// domains is what other receivers report on mail in the name of each own domain.
func (c *Console) domains(w http.ResponseWriter, r *http.Request) error {
	t := table{Name: "domains", Path: "/domains", Empty: "empty.domains", Columns: []column{{"domain", false, false}, {"policy", false, false},
		{"messages", true, false}, {"dmarc_pass", true, false}, {"sources", true, false}, {"tls_failed", true, false}, {"reports", true, false}}}
	for _, d := range c.Abuse.Domains(c.Now().Add(-reportedSpan)) {
		well, failed := connections(&d)
		t.Rows = append(t.Rows, []cell{{Text: seen(d.Name), Value: d.Name, Mark: "code", Link: domainPath(d.Name)}, {Text: orDash(seen(d.Policy)), Value: d.Policy},
			c.count(d.Mails), c.share(d.Passed, d.Mails), c.count(uint64(len(d.Sources))), c.share(failed, well+failed), c.count(uint64(d.Reports))})
	}
	return c.serveTable(w, r, t, "domains", domainsPage{c.ReportsOn != nil && c.ReportsOn(), t})
}

func domainPath(name string) string { return "/domains/" + url.PathEscape(name) }

func connections(d *abuse.Domain) (well, failed uint64) {
	for _, x := range d.TLS {
		if x.Result == "" {
			well += x.Sessions
		} else {
			failed += x.Sessions
		}
	}
	return well, failed
}

type domainPage struct {
	Domain abuse.Domain
	Title  string
	Tables []table
}

// domain is one domain: who sends in its name, who reports, and how connections to its servers go.
func (c *Console) domain(w http.ResponseWriter, r *http.Request) error {
	d, err := c.domainOf(r)
	if err != nil {
		return err
	}
	return c.render(w, r, "domain", domainPage{d, seen(d.Name), []table{c.reportedSources(&d, shortTable), c.reporters(&d, shortTable), c.tlsResults(&d)}})
}

// domainPart is one of a domain's tables, whole, or its export.
func (c *Console) domainPart(w http.ResponseWriter, r *http.Request) error {
	d, err := c.domainOf(r)
	if err != nil {
		return err
	}
	var t table
	switch strings.TrimSuffix(r.PathValue("part"), path.Ext(r.URL.Path)) {
	case "sources":
		t = c.reportedSources(&d, longTable)
	case "reporters":
		t = c.reporters(&d, longTable)
	case "tls":
		t = c.tlsResults(&d)
	default:
		return errNoPage
	}
	return c.serveTable(w, r, t, "domain", domainPage{d, seen(d.Name), []table{t}})
}

func (c *Console) domainOf(r *http.Request) (abuse.Domain, error) {
	for _, d := range c.Abuse.Domains(c.Now().Add(-reportedSpan)) {
		if d.Name == r.PathValue("name") {
			return d, nil
		}
	}
	return abuse.Domain{}, errNoPage
}

func (c *Console) reportedSources(d *abuse.Domain, limit int) table {
	t := table{Name: "domain_sources", Path: domainPath(d.Name) + "/sources", Empty: "empty.domains", Columns: []column{{"client", false, false},
		{"networks", false, false}, {"messages", true, false}, {"dmarc_pass", true, false}, {"dkim_pass", true, false}, {"spf_pass", true, false}, {"stopped", true, false}}}
	for _, s := range d.Sources[:min(limit, len(d.Sources))] {
		_, number := c.Places().Lookup(s.Address)
		network := c.Places().NetworkName(number)
		t.Rows = append(t.Rows, []cell{{Text: s.Address.String(), Mark: "code"}, {Text: orDash(seen(network)), Value: network}, c.count(s.Mails),
			c.share(s.Passed, s.Mails), c.share(s.DKIM, s.Mails), c.share(s.SPF, s.Mails), c.share(s.Quarantined+s.Rejected, s.Mails)})
	}
	return t
}

func (c *Console) reporters(d *abuse.Domain, limit int) table {
	t := table{Name: "domain_reporters", Path: domainPath(d.Name) + "/reporters", Empty: "empty.domains", Columns: []column{{"reporter", false, false},
		{"verified", false, false}, {"reports", true, false}, {"last", false, false}}}
	for _, p := range d.Reporters[:min(limit, len(d.Reporters))] {
		t.Rows = append(t.Rows, []cell{{Text: orDash(seen(p.Organisation)), Value: p.Organisation}, {Text: orDash(seen(p.Verified)), Value: p.Verified, Mark: "code"},
			c.count(uint64(p.Reports)), {Text: stamp(p.Latest), Value: p.Latest}})
	}
	return t
}

func (c *Console) tlsResults(d *abuse.Domain) table {
	t := table{Name: "domain_tls", Path: domainPath(d.Name) + "/tls", Empty: "empty.tls", Columns: []column{{"result", false, false}, {"sessions", true, false}}}
	for _, x := range d.TLS {
		text := seen(x.Result)
		if x.Result == "" {
			text = c.words.Say("case.tls_well")
		}
		t.Rows = append(t.Rows, []cell{{Text: text, Value: x.Result}, c.count(x.Sessions)})
	}
	return t
}
