package feedback

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"rempart/message"
	"rempart/message/email"
)

// Complaint is one report about one mail or several that are alike (RFC 5965 section 3). What the reporter left out is empty.
type Complaint struct {
	Type       string     `json:"type"` // abuse, fraud, virus, opt-out, not-spam (RFC 6430), auth-failure (RFC 6591), other
	UserAgent  string     `json:"user_agent,omitempty"`
	Reporter   string     `json:"reporter"`             // author of the report
	MTA        string     `json:"mta,omitempty"`        // that reports
	Source     netip.Addr `json:"source"`               // from which the mail came to the reporter; zero if it was not told
	Incidents  uint64     `json:"incidents"`            // mails that the report stands for; at least 1
	MailFrom   string     `json:"mail_from,omitempty"`  // envelope sender
	Recipients []string   `json:"recipients,omitempty"` // envelope recipients; often made unreadable
	Arrived    time.Time  `json:"arrived,omitzero"`
	Domains    []string   `json:"domains,omitempty"` // that are held responsible
	URIs       []string   `json:"uris,omitempty"`
	Failure    *Failure   `json:"failure,omitempty"` // of type auth-failure

	From      string `json:"from,omitempty"` // of the mail that is complained about
	Subject   string `json:"subject,omitempty"`
	MessageID string `json:"message_id,omitempty"`

	Original []byte `json:"-"` // that mail or its header, as the report brings it; may be empty
}

// Failure is what only reports of failed authentication have (RFC 6591 section 3).
type Failure struct {
	Auth     string `json:"auth"`               // adsp, bodyhash, revoked, signature, spf, dmarc
	Delivery string `json:"delivery,omitempty"` // delivered, spam, policy, reject, other
	Domain   string `json:"domain,omitempty"`   // DKIM-Domain or SPF's
	Selector string `json:"selector,omitempty"`
	Aligned  string `json:"aligned,omitempty"` // Identity-Alignment: what passed in the name of the author (RFC 7489 section 7.3.1)
}

// complaint finds a complaint in a mail: in the Abuse Reporting Format, or in that of Microsoft's Junk Mail Reporting Program, which
// names the source in the subject of a mail and attaches what is complained about.
func complaint(raw []byte, parts []email.Part) *Complaint {
	var report, original *email.Part
	for i := range parts {
		switch p := &parts[i]; p.Media {
		case "message/feedback-report":
			if report == nil {
				report = p
			}
		case "message/rfc822", "message/global", "text/rfc822-headers", "message/rfc822-headers", "message/global-headers":
			if original == nil {
				original = p
			}
		}
	}
	top, _, _ := strings.Cut(strings.ReplaceAll(string(raw[:min(len(raw), maxReported)]), "\r\n", "\n"), "\n\n")
	about := header(top)
	c := &Complaint{Incidents: 1, Reporter: clip(about.From.String())}
	switch {
	case report != nil:
		c.fields(header(report.Body).Header)
	case original != nil:
		const prefix = "complaint about message from "
		source, ok := strings.CutPrefix(strings.ToLower(about.Subject), prefix)
		addr, err := netip.ParseAddr(strings.TrimSpace(source))
		if !ok || err != nil {
			return nil
		}
		c.Type, c.Source = "abuse", addr.Unmap()
	default:
		return nil
	}
	if original != nil {
		c.about(original.Body)
	}
	return c
}

// header reads the header fields at the beginning of a text.
func header(s string) *message.Message {
	s = strings.TrimLeft(s[:min(len(s), maxReported)], " \t\r\n")
	return email.ParseBytes([]byte(s + "\n\n"))
}

// fields reads the machine-readable part (RFC 5965 section 3).
func (c *Complaint) fields(h message.Header) {
	var f Failure
	for i := range h {
		v := clip(h[i].Value)
		switch strings.ToLower(h[i].Name) {
		case "feedback-type":
			c.Type = word(v)
		case "user-agent":
			c.UserAgent = v
		case "reporting-mta":
			_, name, _ := strings.Cut(v, ";") // RFC 3464 section 2.1.2: dns; name
			c.MTA = clip(name)
		case "source-ip":
			if addr, err := netip.ParseAddr(strings.Trim(v, "[]")); err == nil {
				c.Source = addr.Unmap().WithZone("")
			}
		case "incidents":
			if n, err := strconv.ParseUint(v, 10, 32); err == nil && n > 0 {
				c.Incidents = n
			}
		case "original-mail-from":
			c.MailFrom = strings.Trim(v, "<>")
		case "original-rcpt-to":
			c.Recipients = clipAll(append(c.Recipients, strings.Trim(v, "<>")))
		case "arrival-date", "received-date":
			c.Arrived = email.ParseDate(v)
		case "reported-domain":
			c.Domains = clipAll(append(c.Domains, domain(v)))
		case "reported-uri":
			c.URIs = clipAll(append(c.URIs, v))
		case "auth-failure":
			f.Auth = word(v)
		case "delivery-result":
			f.Delivery = word(v)
		case "dkim-domain":
			f.Domain = domain(v)
		case "spf-dns": // txt : domain : record
			if parts := strings.SplitN(v, ":", 3); len(parts) > 1 {
				f.Domain = domain(parts[1])
			}
		case "dkim-selector":
			f.Selector = v
		case "identity-alignment":
			f.Aligned = word(v)
		}
	}
	if c.Type == "auth-failure" {
		c.Failure = &f
	}
}

// about reads the header of the mail that is complained about.
func (c *Complaint) about(original string) {
	c.Original = []byte(original[:min(len(original), maxOriginal)])
	m := header(original)
	c.From, c.Subject, c.MessageID = clip(m.From.String()), clip(m.Subject), clip(m.MessageID)
	for i := range m.Header {
		if f := &m.Header[i]; strings.EqualFold(f.Name, "X-HmXmrOriginalRecipient") && len(c.Recipients) == 0 { // Microsoft's
			c.Recipients = clipAll([]string{f.Value})
		}
	}
}
