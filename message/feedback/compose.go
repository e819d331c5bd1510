package feedback

import (
	"crypto/rand"
	"fmt"
	"mime"
	"strings"
	"time"
)

// Compose writes the complaint as a mail in the Abuse Reporting Format (RFC 5965 section 2), with text for people. The original goes
// along as it is, or as its header alone where it has no body. Failure is not written. Lines end in CRLF, as SMTP wants.
func (c *Complaint) Compose(from, to, subject, text string, at time.Time) []byte {
	var b strings.Builder
	boundary := rand.Text()
	line := func(name, value string) {
		if value = clip(value); value != "" {
			b.WriteString(name + ": " + value + "\r\n")
		}
	}
	line("From", from)
	line("To", to)
	line("Subject", mime.QEncoding.Encode("utf-8", clip(subject)))
	line("Date", at.Format(time.RFC1123Z))
	line("MIME-Version", "1.0")
	b.WriteString("Content-Type: multipart/report; report-type=feedback-report;\r\n\tboundary=\"" + boundary + "\"\r\n\r\n")

	b.WriteString("--" + boundary + "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + crlf(text) + "\r\n")

	b.WriteString("--" + boundary + "\r\nContent-Type: message/feedback-report\r\n\r\n")
	line("Feedback-Type", c.Type)
	line("User-Agent", c.UserAgent)
	line("Version", "1")
	if c.MailFrom != "" {
		line("Original-Mail-From", "<"+c.MailFrom+">")
	}
	for _, r := range c.Recipients {
		line("Original-Rcpt-To", "<"+r+">")
	}
	if !c.Arrived.IsZero() {
		line("Arrival-Date", c.Arrived.Format(time.RFC1123Z))
	}
	if c.MTA != "" {
		line("Reporting-MTA", "dns; "+c.MTA)
	}
	if c.Source.IsValid() {
		line("Source-IP", c.Source.String())
	}
	if c.Incidents > 1 {
		line("Incidents", fmt.Sprint(c.Incidents))
	}
	for _, d := range c.Domains {
		line("Reported-Domain", d)
	}
	for _, u := range c.URIs {
		line("Reported-URI", u)
	}

	original := crlf(string(c.Original))
	media := "message/rfc822"
	if !strings.Contains(original, "\r\n\r\n") {
		media = "text/rfc822-headers"
	}
	b.WriteString("\r\n--" + boundary + "\r\nContent-Type: " + media + "\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + original + "\r\n--" + boundary + "--\r\n")
	return []byte(b.String())
}

// crlf ends each line as SMTP wants.
func crlf(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\n")
}
