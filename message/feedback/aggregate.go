package feedback

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/text/encoding/htmlindex"
)

// Aggregate is a DMARC aggregate report: what a receiver saw of mail in the name of one domain.
type Aggregate struct {
	Organisation string    `json:"organisation"` // that made it, in its own words
	Email        string    `json:"email"`
	Contact      string    `json:"contact,omitempty"`
	Generator    string    `json:"generator,omitempty"` // RFC 9990: the program that made it
	ID           string    `json:"id"`
	Begin        time.Time `json:"begin"`
	End          time.Time `json:"end"`
	Errors       []string  `json:"errors,omitempty"` // that it met with the record
	Policy       Policy    `json:"policy"`
	Rows         []Row     `json:"rows"`
}

// Policy is the DMARC record as the receiver read it. Members that it did not tell are empty.
type Policy struct {
	Domain    string `json:"domain"`
	ADKIM     string `json:"adkim,omitempty"` // alignment: "r" or "s"
	ASPF      string `json:"aspf,omitempty"`
	P         string `json:"p"` // none, quarantine, reject
	SP        string `json:"sp,omitempty"`
	NP        string `json:"np,omitempty"`  // RFC 9990
	Pct       string `json:"pct,omitempty"` // RFC 7489
	FO        string `json:"fo,omitempty"`
	Testing   string `json:"testing,omitempty"` // RFC 9990: "y" or "n"
	Discovery string `json:"discovery,omitempty"`
}

// Row is mails of one source with the same results.
type Row struct {
	Source       netip.Addr `json:"source"`
	Count        uint64     `json:"count"`
	Disposition  string     `json:"disposition"` // none, quarantine, reject; RFC 9990 also pass
	DKIM         string     `json:"dkim"`        // aligned: "pass" or "fail"
	SPF          string     `json:"spf"`
	Reasons      []Reason   `json:"reasons,omitempty"` // why the policy was not applied
	HeaderFrom   string     `json:"header_from"`
	EnvelopeFrom string     `json:"envelope_from,omitempty"`
	EnvelopeTo   string     `json:"envelope_to,omitempty"`
	DKIMResults  []Result   `json:"dkim_results,omitempty"`
	SPFResults   []Result   `json:"spf_results,omitempty"`
}

// Pass reports whether DMARC passed.
func (r *Row) Pass() bool { return r.DKIM == "pass" || r.SPF == "pass" }

// Reason is why a receiver did not do what the policy asks for.
type Reason struct {
	Type    string `json:"type"` // forwarded, mailing_list, local_policy, ...
	Comment string `json:"comment,omitempty"`
}

// Result is one result of DKIM or SPF, aligned or not.
type Result struct {
	Domain   string `json:"domain"`
	Selector string `json:"selector,omitempty"` // of DKIM
	Scope    string `json:"scope,omitempty"`    // of SPF: helo, mfrom
	Result   string `json:"result"`
}

// aggregate reads the XML of a report, in the namespaces of RFC 7489 and RFC 9990 or, as most are sent, in none.
func aggregate(b []byte) (a Aggregate, err error) {
	x := xml.NewDecoder(bytes.NewReader(b))
	x.CharsetReader = func(label string, in io.Reader) (io.Reader, error) {
		enc, err := htmlindex.Get(label)
		if err != nil {
			return nil, err
		}
		return enc.NewDecoder().Reader(in), nil
	}
	g := &guard{x: x}
	d := xml.NewTokenDecoder(g)
	if err = a.read(d, g); err != nil {
		if !errors.Is(err, ErrTooLarge) && !errors.Is(err, ErrForm) && !errors.Is(err, ErrNone) {
			err = fmt.Errorf("%w: %w", ErrForm, err)
		}
		return Aggregate{}, err
	}
	if a.Policy.Domain == "" {
		return Aggregate{}, fmt.Errorf("%w: it names no domain", ErrForm)
	}
	return a, nil
}

func (a *Aggregate) read(d *xml.Decoder, g *guard) error {
	root := true
	for {
		t, err := d.Token()
		if err == io.EOF && !root {
			return nil
		}
		if err != nil {
			return err
		}
		e, ok := t.(xml.StartElement)
		if !ok {
			continue
		}
		if root {
			if e.Name.Local != "feedback" {
				return ErrNone
			}
			root = false
			continue
		}
		if g.tokens = 0; len(a.Rows) == maxRows {
			return fmt.Errorf("%w: more than %d rows", ErrTooLarge, maxRows)
		}
		if err := a.element(d, &e); err != nil {
			return err
		}
	}
}

// element reads one of the parts of a report.
func (a *Aggregate) element(d *xml.Decoder, e *xml.StartElement) error {
	switch e.Name.Local {
	case "report_metadata":
		var m metadataXML
		if err := d.DecodeElement(&m, e); err != nil {
			return err
		}
		a.Organisation, a.Email, a.Contact, a.ID, a.Errors = clip(m.Organisation), clip(m.Email), clip(m.Contact), clip(m.ID), clipAll(m.Errors)
		a.Generator = clip(m.Generator)
		a.Begin, a.End = unix(m.Begin), unix(m.End)
		return nil
	case "policy_published":
		var p policyXML
		if err := d.DecodeElement(&p, e); err != nil {
			return err
		}
		a.Policy = Policy{Domain: domain(p.Domain), ADKIM: word(p.ADKIM), ASPF: word(p.ASPF), P: word(p.P), SP: word(p.SP), NP: word(p.NP), Pct: word(p.Pct),
			FO: word(p.FO), Testing: word(p.Testing), Discovery: word(p.Discovery)}
		return nil
	case "record":
		var r recordXML
		if err := d.DecodeElement(&r, e); err != nil {
			return err
		}
		row, err := r.row()
		if err == nil {
			a.Rows = append(a.Rows, row)
		}
		return err
	}
	return d.Skip()
}

// unix is a time of a report: seconds since 1970; zero where it is none of this age.
func unix(seconds int64) time.Time {
	if seconds <= 0 || seconds > 1<<33 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

// word is a value of a closed list.
func word(s string) string { return strings.ToLower(clip(s)) }

// guard passes the tokens of an XML document on, and refuses what no report has and attacks need: a document type with its
// entities, deep nesting, and one record without end.
type guard struct {
	x      *xml.Decoder
	depth  int
	tokens int // since the last part of the report began
}

const (
	maxElementDepth = 16   // of nesting; reports have 5
	maxTokens       = 5000 // of one part of a report: a record with three results has some 100
)

// Token is the next one.
func (g *guard) Token() (xml.Token, error) {
	t, err := g.x.RawToken()
	if err != nil {
		return t, err
	}
	if g.tokens++; g.tokens > maxTokens {
		return nil, fmt.Errorf("%w: a record of more than %d elements", ErrTooLarge, maxTokens)
	}
	switch t := t.(type) {
	case xml.StartElement:
		if g.depth++; g.depth > maxElementDepth {
			return nil, fmt.Errorf("%w: nested deeper than %d elements", ErrTooLarge, maxElementDepth)
		}
		if len(t.Attr) > maxList {
			return nil, fmt.Errorf("%w: an element of %d attributes", ErrTooLarge, len(t.Attr))
		}
	case xml.EndElement:
		g.depth--
	case xml.Directive:
		return nil, fmt.Errorf("%w: it brings a document type, which no report needs", ErrForm)
	}
	return t, nil
}
