package feedback

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// The elements of RFC 7489 appendix C and RFC 9990 section 3.1 that are read and written. They are written in the order of the tables
// there.
type (
	metadataXML struct {
		Organisation string   `xml:"org_name"`
		Email        string   `xml:"email"`
		Contact      string   `xml:"extra_contact_info,omitempty"`
		ID           string   `xml:"report_id"`
		Begin        int64    `xml:"date_range>begin"`
		End          int64    `xml:"date_range>end"`
		Errors       []string `xml:"error"`
		Generator    string   `xml:"generator,omitempty"`
	}
	policyXML struct {
		Domain    string `xml:"domain"`
		Discovery string `xml:"discovery_method,omitempty"`
		P         string `xml:"p"`
		SP        string `xml:"sp,omitempty"`
		NP        string `xml:"np,omitempty"`
		FO        string `xml:"fo,omitempty"`
		ADKIM     string `xml:"adkim,omitempty"`
		ASPF      string `xml:"aspf,omitempty"`
		Testing   string `xml:"testing,omitempty"`
		Pct       string `xml:"pct,omitempty"`
	}
	recordXML struct {
		Source       string      `xml:"row>source_ip"`
		Count        string      `xml:"row>count"`
		Disposition  string      `xml:"row>policy_evaluated>disposition"`
		DKIM         string      `xml:"row>policy_evaluated>dkim"`
		SPF          string      `xml:"row>policy_evaluated>spf"`
		Reasons      []reasonXML `xml:"row>policy_evaluated>reason"`
		HeaderFrom   string      `xml:"identifiers>header_from"`
		EnvelopeFrom string      `xml:"identifiers>envelope_from,omitempty"`
		EnvelopeTo   string      `xml:"identifiers>envelope_to,omitempty"`
		Results      resultsXML  `xml:"auth_results"`
	}
	resultsXML struct {
		DKIM []resultXML `xml:"dkim"`
		SPF  []resultXML `xml:"spf"`
	}
	reasonXML struct {
		Type    string `xml:"type"`
		Comment string `xml:"comment,omitempty"`
	}
	resultXML struct {
		Domain   string `xml:"domain"`
		Selector string `xml:"selector,omitempty"`
		Scope    string `xml:"scope,omitempty"`
		Result   string `xml:"result"`
	}
)

func (r *recordXML) row() (row Row, err error) {
	row = Row{Disposition: word(r.Disposition), DKIM: word(r.DKIM), SPF: word(r.SPF), HeaderFrom: domain(r.HeaderFrom),
		EnvelopeFrom: domain(r.EnvelopeFrom), EnvelopeTo: domain(r.EnvelopeTo)}
	source, err := netip.ParseAddr(strings.TrimSpace(r.Source))
	if err != nil {
		return row, fmt.Errorf("%w: source_ip %q", ErrForm, clip(r.Source))
	}
	row.Source = source.Unmap().WithZone("")
	if row.Count, err = strconv.ParseUint(strings.TrimSpace(r.Count), 10, 32); err != nil {
		return row, fmt.Errorf("%w: count %q", ErrForm, clip(r.Count))
	}
	for _, x := range r.Reasons[:min(len(r.Reasons), maxList)] {
		row.Reasons = append(row.Reasons, Reason{word(x.Type), clip(x.Comment)})
	}
	row.DKIMResults, row.SPFResults = results(r.Results.DKIM), results(r.Results.SPF)
	return row, nil
}

func results(list []resultXML) (out []Result) {
	for _, x := range list[:min(len(list), maxList)] {
		out = append(out, Result{Domain: domain(x.Domain), Selector: clip(x.Selector), Scope: word(x.Scope), Result: word(x.Result)})
	}
	return out
}
