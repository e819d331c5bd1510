package feedback

import (
	"encoding/json"
	"fmt"
	"time"
)

// TLS is an SMTP TLS report (RFC 8460 section 4): how the connections of one sender to our servers went.
type TLS struct {
	Organisation string      `json:"organisation"`
	Contact      string      `json:"contact,omitempty"`
	ID           string      `json:"id"`
	Begin        time.Time   `json:"begin"`
	End          time.Time   `json:"end"`
	Policies     []TLSPolicy `json:"policies"`
}

// TLSPolicy is the sessions under one policy of a domain.
type TLSPolicy struct {
	Type     string       `json:"type"` // sts, tlsa, no-policy-found
	Domain   string       `json:"domain"`
	Sessions uint64       `json:"sessions"` // that succeeded
	Failed   uint64       `json:"failed"`
	Failures []TLSFailure `json:"failures,omitempty"`
}

// TLSFailure is failed sessions of one kind.
type TLSFailure struct {
	Result   string `json:"result"`         // result type, RFC 8460 section 4.3
	Host     string `json:"host,omitempty"` // of ours
	Sessions uint64 `json:"sessions"`
	Reason   string `json:"reason,omitempty"`
}

type tlsJSON struct {
	Organisation string `json:"organization-name"`
	Contact      string `json:"contact-info"`
	ID           string `json:"report-id"`
	Range        struct {
		Begin string `json:"start-datetime"`
		End   string `json:"end-datetime"`
	} `json:"date-range"`
	Policies []struct {
		Policy struct {
			Type   string `json:"policy-type"`
			Domain string `json:"policy-domain"`
		} `json:"policy"`
		Summary struct {
			Sessions uint64 `json:"total-successful-session-count"`
			Failed   uint64 `json:"total-failure-session-count"`
		} `json:"summary"`
		Failures []struct {
			Result   string `json:"result-type"`
			Host     string `json:"receiving-mx-hostname"`
			Sessions uint64 `json:"failed-session-count"`
			Reason   string `json:"failure-reason-code"`
		} `json:"failure-details"`
	} `json:"policies"`
}

// tlsReport reads the JSON of a report.
func tlsReport(b []byte) (t TLS, err error) {
	if len(b) > maxJSON {
		return t, fmt.Errorf("%w: %d bytes", ErrTooLarge, len(b))
	}
	var in tlsJSON
	if err := json.Unmarshal(b, &in); err != nil {
		return t, fmt.Errorf("%w: %w", ErrForm, err)
	}
	if len(in.Policies) == 0 {
		return t, ErrNone
	}
	t = TLS{Organisation: clip(in.Organisation), Contact: clip(in.Contact), ID: clip(in.ID), Begin: rfc3339(in.Range.Begin), End: rfc3339(in.Range.End)}
	for _, p := range in.Policies[:min(len(in.Policies), maxList)] {
		out := TLSPolicy{Type: word(p.Policy.Type), Domain: domain(p.Policy.Domain), Sessions: min(p.Summary.Sessions, maxCount), Failed: min(p.Summary.Failed, maxCount)}
		for _, f := range p.Failures[:min(len(p.Failures), maxList)] {
			out.Failures = append(out.Failures, TLSFailure{word(f.Result), domain(f.Host), min(f.Sessions, maxCount), clip(f.Reason)})
		}
		t.Policies = append(t.Policies, out)
	}
	return t, nil
}

// maxCount is more than anybody counts in a day: sums of many reports stay far below 64 bits.
const maxCount = 1<<32 - 1

func rfc3339(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}
