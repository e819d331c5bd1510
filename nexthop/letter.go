package nexthop

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"time"
)

// Letter is a mail of plain text that the program writes or sends for somebody.
type Letter struct {
	From    string // an address, or Name <address>
	To      mail.Address
	Subject string
	Text    string
	// Automatic marks it as written by a program (RFC 3834), so that nobody's holiday notice answers it.
	Automatic bool
}

// Compose is the letter as an Internet message (RFC 5322) of the given date.
func (l *Letter) Compose(date time.Time) ([]byte, error) {
	from, err := mail.ParseAddress(l.From)
	if err != nil {
		return nil, err
	}
	_, domain, _ := strings.Cut(from.Address, "@")
	fields := [][2]string{{"From", from.String()}, {"To", l.To.String()}, {"Subject", mime.QEncoding.Encode("utf-8", l.Subject)},
		{"Date", date.Format(time.RFC1123Z)}, {"Message-ID", "<" + rand.Text() + "@" + domain + ">"}, {"MIME-Version", "1.0"},
		{"Content-Type", "text/plain; charset=utf-8"}, {"Content-Transfer-Encoding", "quoted-printable"}}
	if l.Automatic {
		fields = append(fields, [2]string{"Auto-Submitted", "auto-generated"}, [2]string{"X-Auto-Response-Suppress", "All"})
	}
	var b bytes.Buffer
	for _, f := range fields {
		fmt.Fprintf(&b, "%s: %s\r\n", f[0], f[1])
	}
	b.WriteString("\r\n")
	q := quotedprintable.NewWriter(&b)
	_, _ = q.Write([]byte(l.Text)) // it is memory
	_ = q.Close()
	return b.Bytes(), nil
}
