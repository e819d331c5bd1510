package train

import (
	"bytes"
	"embed"
	"encoding/base64"
	"fmt"
	"hash/fnv"
	"html/template"
	"mime"
	"mime/quotedprintable"
	"strings"
	"time"
	"unicode/utf8"

	"rempart/corpus"
	"rempart/message"
)

// Forms of today: HTML in the manner of newsletter generators, and as mail programs write it. Those for training and those
// of the control have no HTML in common; header, hosts and paths of links are of one making.
//
//go:embed forms/*.html
var formFiles embed.FS

var forms = template.Must(template.ParseFS(formFiles, "forms/*.html"))

var (
	trainingForms = []string{"train-card.html", "train-bare.html", "train-news.html"}
	controlForms  = []string{"control-columns.html", "control-digest.html", "control-letter.html"}
)

// page is what a form shows of a mail.
type page struct {
	Subject                     string
	Paragraphs                  [][]string // each of lines
	Links                       []anchor
	Site, Leave, Picture, Pixel template.URL
}

type anchor struct {
	URL  template.URL
	Text string
}

// Modern is a mail's author, subject and text in a form of today: UTF-8, HTML with CSS, https links, DKIM and ARC fields
// (which nobody can verify) and, as the draw says, the fields of a newsletter. Draw makes the choices; equal ones make equal
// mails.
func Modern(raw []byte, form string, draw uint64) []byte {
	m := corpus.Mail(raw)
	domain := m.From.Domain
	if domain == "" {
		domain = "example.org"
	}
	p := modernPage(m, domain, draw)
	var body strings.Builder
	if err := forms.ExecuteTemplate(&body, form, p); err != nil {
		panic(err) // a form of ours is broken: a test runs them all
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "Received: from mail.%s (mail.%s [192.0.2.%d])\n\tby mx.recipient.example with ESMTPS id 4Xy%dZ\n\t(version=TLS1_3 cipher=TLS_AES_256_GCM_SHA384); %s\n",
		domain, domain, draw%250+1, draw%1e8, dateOf(m).Format(time.RFC1123Z))
	seal := base64.StdEncoding.EncodeToString([]byte(fmt.Sprintf("%064x", draw)))
	fmt.Fprintf(&out, "ARC-Seal: i=1; a=rsa-sha256; t=1700000000; cv=none; d=example.net; s=arc-2024; b=%s\n", seal)
	fmt.Fprintf(&out, "ARC-Message-Signature: i=1; a=rsa-sha256; c=relaxed/relaxed; d=example.net; s=arc-2024;\n\th=from:to:subject:date:message-id; bh=%s; b=%s\n", seal[:44], seal)
	fmt.Fprintf(&out, "ARC-Authentication-Results: i=1; mx.example.net; dkim=pass header.d=%s; spf=pass; dmarc=pass\n", domain)
	fmt.Fprintf(&out, "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=%s; s=s1;\n\th=from:to:subject:date:message-id; bh=%s;\n\tb=%s\n", domain, seal[:44], seal)
	keepFields(&out, m, "From", "To", "Cc", "Reply-To", "Subject", "Date", "Message-ID", "In-Reply-To", "References")
	if draw>>3%2 == 0 {
		fmt.Fprintf(&out, "List-Unsubscribe: <%s>\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\n", p.Leave)
	} else {
		keepFields(&out, m, "List-Id", "List-Post", "List-Unsubscribe", "List-Archive", "Precedence")
	}
	out.WriteString("MIME-Version: 1.0\n")
	if draw>>4%2 == 0 {
		writePart(&out, "text/html", body.String(), draw>>5%2 == 0)
	} else {
		boundary := fmt.Sprintf("=_%016x", draw)
		fmt.Fprintf(&out, "Content-Type: multipart/alternative; boundary=\"%s\"\n\n--%s\n", boundary, boundary)
		writePart(&out, "text/plain", m.VisibleText(), draw>>5%2 == 0)
		fmt.Fprintf(&out, "\n--%s\n", boundary)
		writePart(&out, "text/html", body.String(), draw>>5%2 == 0)
		fmt.Fprintf(&out, "\n--%s--\n", boundary)
	}
	return out.Bytes()
}

func modernPage(m *message.Message, domain string, draw uint64) page {
	site := [...]string{"www." + domain, "click.example.com", "email.example.net", domain}[draw%4]
	pictures := [...]string{"www." + domain, "cdn.example.com", "images.example.net"}[draw>>2%3]
	p := page{Subject: m.Subject, Site: template.URL("https://" + site + "/"),
		Leave:   template.URL(fmt.Sprintf("https://%s/unsubscribe?u=%x", site, draw)),
		Picture: template.URL("https://" + pictures + "/logo.png"),
		Pixel:   template.URL(fmt.Sprintf("https://%s/o/%x.gif", site, draw))}
	for part := range strings.SplitSeq(m.VisibleText(), "\n\n") {
		if part = strings.TrimSpace(part); part != "" {
			p.Paragraphs = append(p.Paragraphs, strings.Split(part, "\n"))
		}
	}
	for i := range m.Links[:min(len(m.Links), 12)] {
		l := &m.Links[i]
		if l.Kind == message.LinkImage || l.Host == "" {
			continue
		}
		a := anchor{template.URL(strings.Replace(l.URL, "http://", "https://", 1)), l.Text}
		if a.Text == "" {
			a.Text = l.URL
		}
		p.Links = append(p.Links, a)
	}
	return p
}

// Plain is a mail's author, subject and visible text as plain text with the header of 2002; where links led is written
// beside them if links is set.
func Plain(raw []byte, links bool) []byte {
	m := corpus.Mail(raw)
	var out bytes.Buffer
	domain := m.From.Domain
	if domain == "" {
		domain = "example.org"
	}
	fmt.Fprintf(&out, "Received: from %s (unknown [192.0.2.7])\n\tby mail.recipient.example (8.11.6/8.11.6) with ESMTP id g8QFTAg24617\n\tfor <recipient@recipient.example>; %s\n",
		domain, dateOf(m).Format(time.RFC1123Z))
	keepFields(&out, m, "From", "To", "Reply-To", "Subject", "Date", "Message-ID", "In-Reply-To", "References")
	out.WriteString("X-Mailer: Microsoft Outlook Express 5.50.4522.1200\nMIME-Version: 1.0\n")
	text := m.HTMLText
	if text == "" {
		text = m.Text
	}
	if links {
		for i := range m.Links[:min(len(m.Links), 12)] {
			if l := &m.Links[i]; l.Kind == message.LinkHref && l.Host != "" {
				text += "\n" + l.URL + "\n"
			}
		}
	}
	charset := "iso-8859-1"
	body := make([]byte, 0, len(text))
	for _, r := range text {
		if r > 0xff {
			charset, body = "utf-8", []byte(text)
			break
		}
		body = append(body, byte(r))
	}
	fmt.Fprintf(&out, "Content-Type: text/plain; charset=\"%s\"\nContent-Transfer-Encoding: 8bit\n\n%s\n", charset, body)
	return out.Bytes()
}

// keepFields writes fields of the mail as they were received, the subject and what is not ASCII anew.
func keepFields(out *bytes.Buffer, m *message.Message, names ...string) {
	for _, name := range names {
		for i := range m.Header {
			f := &m.Header[i]
			if !strings.EqualFold(f.Name, name) {
				continue
			}
			value := strings.TrimRight(strings.TrimLeft(f.Raw, " "), "\r\n")
			if strings.EqualFold(name, "Subject") || !utf8.ValidString(value) {
				value = mime.QEncoding.Encode("utf-8", strings.ReplaceAll(f.Value, "\n", " "))
			}
			fmt.Fprintf(out, "%s: %s\n", name, strings.ReplaceAll(value, "\r\n", "\n"))
			break
		}
	}
}

func writePart(out *bytes.Buffer, kind, text string, quoted bool) {
	fmt.Fprintf(out, "Content-Type: %s; charset=\"UTF-8\"\n", kind)
	if quoted {
		out.WriteString("Content-Transfer-Encoding: quoted-printable\n\n")
		var quoted bytes.Buffer
		w := quotedprintable.NewWriter(&quoted)
		w.Write([]byte(text)) //nolint:errcheck // a buffer takes all
		w.Close()             //nolint:errcheck // as above
		out.Write(bytes.ReplaceAll(quoted.Bytes(), []byte("\r\n"), []byte("\n")))
		return
	}
	out.WriteString("Content-Transfer-Encoding: base64\n\n")
	b := base64.StdEncoding.EncodeToString([]byte(text))
	for len(b) > 76 {
		out.WriteString(b[:76] + "\n")
		b = b[76:]
	}
	out.WriteString(b + "\n")
}

func dateOf(m *message.Message) time.Time {
	if m.Date.IsZero() {
		return time.Unix(1_700_000_000, 0).UTC()
	}
	return m.Date
}

// drawOf makes the choices for one mail from its bytes.
func drawOf(raw []byte, salt byte) uint64 {
	h := fnv.New64a()
	h.Write(raw)          //nolint:errcheck // never fails
	h.Write([]byte{salt}) //nolint:errcheck // never fails
	d := h.Sum64()
	return d ^ d>>29
}
