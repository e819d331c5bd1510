// Package feedback reads and writes what receivers of mail report to its senders: complaints and failed authentication in the
// Abuse Reporting Format (ARF: RFC 5965, RFC 6650, RFC 6591), DMARC aggregate reports (RFC 7489 appendix C, RFC 9990), and
// SMTP TLS reports (RFC 8460).
//
// [Read] takes a mail, [ReadFile] a file: plain, gzip or ZIP. Whoever knows the address can send a report, and what it says is
// only claimed: nothing here tells whether it is true. Reading is bounded by the constants of this file in memory and time; what
// asks for more is refused, never cut silently. All functions are pure and safe for use from several goroutines.
package feedback

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"rempart/message/email"
)

// What callers decide on.
var (
	// ErrNone: there is no report of a kind that is known here.
	ErrNone = errors.New("no report of a known kind")
	// ErrTooLarge: a report has, or unpacks to, more than the caps allow.
	ErrTooLarge = errors.New("report too large")
	// ErrForm: a report breaks the rules of its format.
	ErrForm = errors.New("report not understood")
)

// Caps. Reports of the largest receivers on busy domains stay below a tenth of each.
const (
	maxPacked   = 8 << 20   // bytes of a file as it came
	maxUnpacked = 16 << 20  // bytes of all that one file unpacks to
	maxJSON     = 1 << 20   // bytes of a TLS report: it has no line for each host
	maxFiles    = 10        // in an archive, and of one mail
	maxText     = 255       // bytes of one value
	maxList     = 20        // values of one kind in one report or row
	maxRows     = 10_000    // of an aggregate report: RFC 7489 section 7.2.1.1 wants hosts that send little left out
	maxReported = 64 << 10  // bytes of the machine-readable part of a complaint
	maxOriginal = 512 << 10 // bytes of the mail that a complaint is about
)

// Found is the reports that a mail or a file brings.
type Found struct {
	Complaint  *Complaint  `json:"complaint,omitempty"`
	Aggregates []Aggregate `json:"aggregates,omitempty"`
	TLS        []TLS       `json:"tls,omitempty"`
}

// Empty reports whether there is none.
func (f *Found) Empty() bool {
	return f.Complaint == nil && len(f.Aggregates) == 0 && len(f.TLS) == 0
}

func (f *Found) add(g Found) {
	f.Aggregates = append(f.Aggregates, g.Aggregates...)
	f.TLS = append(f.TLS, g.TLS...)
}

// Read gives the reports in a mail. Where there are some and one of its files cannot be read, it returns both. err is [ErrNone],
// or wraps [ErrTooLarge] or [ErrForm]. The mail must not be changed afterwards.
func Read(mail []byte) (found Found, err error) {
	parts := email.Parts(mail)
	found.Complaint = complaint(mail, parts)
	var errs []error
	files := 0
	for i := range parts {
		if !reportFile(&parts[i]) {
			continue
		}
		if files++; files > maxFiles {
			errs = append(errs, fmt.Errorf("%w: more than %d files", ErrTooLarge, maxFiles))
			break
		}
		in, err := ReadFile([]byte(parts[i].Body))
		found.add(in)
		if err != nil && !errors.Is(err, ErrNone) {
			errs = append(errs, fmt.Errorf("%q: %w", clip(parts[i].Name), err))
		}
	}
	if found.Empty() && len(errs) == 0 {
		return found, ErrNone
	}
	return found, errors.Join(errs...)
}

// reportFile reports whether a part may be the file of a report: senders declare what they like.
func reportFile(p *email.Part) bool {
	switch p.Media {
	case "application/gzip", "application/x-gzip", "application/zip", "application/x-zip-compressed", "application/x-zip", "application/octet-stream",
		"application/xml", "text/xml", "application/json", "application/tlsrpt+json", "application/tlsrpt+gzip":
		return true
	}
	name := strings.ToLower(p.Name)
	for _, end := range []string{".xml", ".gz", ".zip", ".json"} {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return false
}

// ReadFile gives the reports in a file. err is as [Read]'s.
func ReadFile(b []byte) (found Found, err error) {
	files, err := unpack(b)
	if err != nil {
		return found, err
	}
	for _, file := range files {
		file = bytes.TrimLeft(bytes.TrimPrefix(file, []byte("\xef\xbb\xbf")), " \t\r\n")
		var err error
		switch {
		case bytes.HasPrefix(file, []byte("<")):
			var a Aggregate
			if a, err = aggregate(file); err == nil {
				found.Aggregates = append(found.Aggregates, a)
			}
		case bytes.HasPrefix(file, []byte("{")):
			var t TLS
			if t, err = tlsReport(file); err == nil {
				found.TLS = append(found.TLS, t)
			}
		}
		if err != nil && !errors.Is(err, ErrNone) {
			return found, err
		}
	}
	if found.Empty() {
		return found, ErrNone
	}
	return found, nil
}

// clip is a value as it is kept: valid UTF-8, without control characters, at most [maxText] bytes.
func clip(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > maxText {
		s = s[:maxText]
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return -1
		}
		return r
	}, s)
}

// clipAll is the first values of a list.
func clipAll(list []string) []string {
	out := make([]string, 0, min(len(list), maxList))
	for _, s := range list {
		if s = clip(s); s != "" && len(out) < maxList {
			out = append(out, s)
		}
	}
	return out
}

// domain is a domain as it is compared.
func domain(s string) string { return strings.ToLower(strings.TrimSuffix(clip(s), ".")) }
