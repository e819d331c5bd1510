package quarantine

import (
	"bytes"
	_ "embed"
	"fmt"
	html "html/template"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"strings"
	"text/template"
	"time"

	"rempart/catalogue"
)

// digest is the mail that tells a recipient what waits.
type digest struct {
	To, From string
	Entries  []digestEntry
	More     int    // that are not named
	All      string // URL of the page that lists all
}

type digestEntry struct {
	From, Subject string
	Time, Until   time.Time
	Link          string
}

//go:embed digest.txt
var digestText string

//go:embed digest.html
var digestHTML string

var (
	functions = map[string]any{
		"t":     catalogue.English().Say,
		"seen":  catalogue.Seen,
		"stamp": func(t time.Time) string { return t.Format("2006-01-02 15:04 MST") },
	}
	plainPart = template.Must(template.New("text").Funcs(functions).Parse(digestText))
	htmlPart  = html.Must(html.New("html").Funcs(functions).Parse(digestHTML))
)

// compose is the mail: plain text and HTML, marked as written by a program (RFC 3834), so that nobody's holiday notice answers it.
func (d *digest) compose(now time.Time) ([]byte, error) {
	from, err := mail.ParseAddress(d.From)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	parts := multipart.NewWriter(&b)
	_, domain, _ := strings.Cut(from.Address, "@")
	for _, f := range [][2]string{
		{"From", from.String()}, {"To", (&mail.Address{Address: d.To}).String()},
		{"Subject", mime.QEncoding.Encode("utf-8", catalogue.English().Say("digest.subject", len(d.Entries)+d.More))},
		{"Date", now.Format(time.RFC1123Z)}, {"Message-ID", "<" + parts.Boundary() + "@" + domain + ">"},
		{"Auto-Submitted", "auto-generated"}, {"X-Auto-Response-Suppress", "All"}, {"MIME-Version", "1.0"},
		{"Content-Type", `multipart/alternative; boundary="` + parts.Boundary() + `"`},
	} {
		fmt.Fprintf(&b, "%s: %s\r\n", f[0], f[1])
	}
	b.WriteString("\r\n")
	for _, part := range []struct {
		kind string
		fill func(io.Writer) error
	}{
		{"text/plain", func(w io.Writer) error { return plainPart.Execute(w, d) }},
		{"text/html", func(w io.Writer) error { return htmlPart.Execute(w, d) }},
	} {
		w, err := parts.CreatePart(textproto.MIMEHeader{"Content-Type": {part.kind + "; charset=utf-8"}, "Content-Transfer-Encoding": {"quoted-printable"}})
		if err != nil {
			return nil, err
		}
		q := quotedprintable.NewWriter(w)
		if err := part.fill(q); err != nil {
			return nil, err
		}
		if err := q.Close(); err != nil {
			return nil, err
		}
	}
	err = parts.Close()
	return b.Bytes(), err
}
