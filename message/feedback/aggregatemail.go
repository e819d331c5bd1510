package feedback

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"time"
)

// Mail writes the report as a mail (RFC 9990 section 3.5.2): gzip, with text for people. The ID has to be letters and digits alone; it is
// in the name of the file, the Subject and the Message-ID, so that a report that comes twice is known. The domain of from is the
// submitter. Lines end in CRLF, as SMTP wants.
func (a *Aggregate) Mail(from *mail.Address, to []string, text string, at time.Time) ([]byte, error) {
	_, submitter, _ := strings.Cut(from.Address, "@")
	name := fmt.Sprintf("%s!%s!%d!%d!%s.xml", submitter, a.Policy.Domain, a.Begin.Unix(), a.End.Unix(), a.ID)
	packed, err := a.packed(name)
	if err != nil {
		return nil, err
	}
	boundary := rand.Text()
	var b bytes.Buffer
	for _, f := range [][2]string{
		{"From", from.String()}, {"To", strings.Join(to, ",\r\n\t")},
		{"Subject", "Report Domain: " + a.Policy.Domain + "\r\n\tSubmitter: " + submitter + "\r\n\tReport-ID: <" + a.ID + ">"},
		{"Date", at.Format(time.RFC1123Z)}, {"Message-ID", "<" + a.ID + "@" + submitter + ">"},
		{"Auto-Submitted", "auto-generated"}, {"X-Auto-Response-Suppress", "All"}, {"MIME-Version", "1.0"},
		{"Content-Type", "multipart/mixed; boundary=\"" + boundary + "\""},
	} {
		b.WriteString(f[0] + ": " + f[1] + "\r\n")
	}
	b.WriteString("\r\n--" + boundary + "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n")
	q := quotedprintable.NewWriter(&b) // 8-bit text would be converted on some ways, which breaks signatures (RFC 6376 section 5.3)
	_, _ = q.Write([]byte(text))       // it is memory
	_ = q.Close()
	b.WriteString("\r\n")
	b.WriteString("--" + boundary + "\r\nContent-Type: application/gzip\r\nContent-Transfer-Encoding: base64\r\n" +
		"Content-Disposition: attachment;\r\n\tfilename=\"" + name + ".gz\"\r\n\r\n")
	writeBase64(&b, packed)
	b.WriteString("--" + boundary + "--\r\n")
	return b.Bytes(), nil
}

// packed is the file of the report, the same bytes each time.
func (a *Aggregate) packed(name string) ([]byte, error) {
	text, err := a.XML()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Name = name
	if _, err := z.Write(text); err != nil {
		return nil, fmt.Errorf("pack DMARC report: %w", err)
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("pack DMARC report: %w", err)
	}
	return b.Bytes(), nil
}

// lineOctets make the longest line of base64 that RFC 2045 section 6.8 allows, 76 characters.
const lineOctets = 57

func writeBase64(b *bytes.Buffer, data []byte) {
	for len(data) > 0 {
		n := min(len(data), lineOctets)
		b.WriteString(base64.StdEncoding.EncodeToString(data[:n]) + "\r\n")
		data = data[n:]
	}
}
