package feedback

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strconv"
)

// MaxRows is how many rows a report has at most: [Read] refuses one that has more.
const MaxRows = maxRows

// namespace of RFC 9990 section 3.1.1.1.
const namespace = "urn:ietf:params:xml:ns:dmarc-2.0"

// XML is the report in the form of RFC 9990. Values are clipped as [Read] clips them. What is empty is left out: the caller fills in what
// the schema demands.
func (a *Aggregate) XML() ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(xml.Header + `<feedback xmlns="` + namespace + "\">\n  <version>1.0</version>\n")
	e := xml.NewEncoder(&b)
	e.Indent("  ", "  ")
	p := &a.Policy
	parts := []xmlPart{
		{"report_metadata", metadataXML{Organisation: clip(a.Organisation), Email: clip(a.Email), Contact: clip(a.Contact), ID: clip(a.ID),
			Begin: a.Begin.Unix(), End: a.End.Unix(), Errors: clipAll(a.Errors), Generator: clip(a.Generator)}},
		{"policy_published", policyXML{Domain: domain(p.Domain), Discovery: word(p.Discovery), P: word(p.P), SP: word(p.SP), NP: word(p.NP),
			FO: word(p.FO), ADKIM: word(p.ADKIM), ASPF: word(p.ASPF), Testing: word(p.Testing), Pct: word(p.Pct)}},
	}
	for i := range a.Rows {
		parts = append(parts, xmlPart{"record", a.Rows[i].xml()})
	}
	for _, part := range parts {
		if err := e.EncodeElement(part.value, xml.StartElement{Name: xml.Name{Local: part.name}}); err != nil {
			return nil, fmt.Errorf("write DMARC report: %w", err)
		}
	}
	if err := e.Close(); err != nil {
		return nil, fmt.Errorf("write DMARC report: %w", err)
	}
	b.WriteString("\n</feedback>\n")
	return b.Bytes(), nil
}

// xmlPart is one of the elements right below the root.
type xmlPart struct {
	name  string
	value any
}

func (r *Row) xml() recordXML {
	x := recordXML{Source: r.Source.String(), Count: strconv.FormatUint(r.Count, 10), Disposition: word(r.Disposition), DKIM: word(r.DKIM), SPF: word(r.SPF),
		HeaderFrom: domain(r.HeaderFrom), EnvelopeFrom: domain(r.EnvelopeFrom), EnvelopeTo: domain(r.EnvelopeTo),
		Results: resultsXML{written(r.DKIMResults), written(r.SPFResults)}}
	for _, reason := range r.Reasons {
		x.Reasons = append(x.Reasons, reasonXML{word(reason.Type), clip(reason.Comment)})
	}
	return x
}

func written(list []Result) (out []resultXML) {
	for _, r := range list {
		out = append(out, resultXML{Domain: domain(r.Domain), Selector: clip(r.Selector), Scope: word(r.Scope), Result: word(r.Result)})
	}
	return out
}
