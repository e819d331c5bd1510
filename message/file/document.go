package file

import (
	"bytes"
	"compress/zlib"
	"strings"

	"rempart/message/link"
)

// ole finds storages by their names, which stand in UTF-16 in the directory of a compound file ([MS-CFB] section 2.6): of VBA
// ([MS-OVBA]), of an encrypted office document ([MS-OFFCRYPTO]) and of embedded files ([MS-OLEDS]).
func (l *look) ole(b []byte) {
	f := &l.found
	f.Macros = f.Macros || bytes.Contains(b, wide("_VBA_PROJECT"))
	f.Encrypted = f.Encrypted || bytes.Contains(b, wide("EncryptedPackage"))
	f.Object = f.Object || bytes.Contains(b, wide("Ole10Native")) || bytes.Contains(b, wide("Equation Native"))
	l.seen = l.seen || f.Macros || f.Encrypted || f.Object
}

func wide(s string) []byte {
	b := make([]byte, 0, 2*len(s))
	for i := range len(s) {
		b = append(b, s[i], 0)
	}
	return b
}

// relations reads the relationships of an office document (ECMA-376 part 2): a template or object that is loaded from the web
// when it is opened. Links to follow are honest.
func (l *look) relations(xml []byte) {
	for {
		i := bytes.Index(xml, []byte("<Relationship "))
		if i < 0 {
			return
		}
		xml = xml[i+1:]
		end := bytes.IndexByte(xml, '>')
		if end < 0 {
			return
		}
		row := string(xml[:end])
		xml = xml[end:]
		if !strings.Contains(row, `"External"`) || !strings.Contains(row, "/attachedTemplate") && !strings.Contains(row, "/oleObject") && !strings.Contains(row, "/frame") {
			continue
		}
		_, target, _ := strings.Cut(row, `Target="`)
		target, _, _ = strings.Cut(target, `"`)
		if i := strings.Index(target, "http"); i >= 0 && l.found.Template == "" { // also mhtml:http://…
			_, l.found.Template = link.Split(target[i:])
			l.seen = true
		}
	}
}

// rtf finds embedded objects and templates from the web (RTF specification 1.9.1).
func (l *look) rtf(b []byte) {
	l.found.Object = bytes.Contains(b, []byte(`\objdata`)) || bytes.Contains(b, []byte(`\objupdate`))
	if i := bytes.Index(b, []byte(`\*\template`)); i >= 0 {
		if rest := b[i+11 : min(len(b), i+300)]; bytes.Contains(rest, []byte("http")) {
			_, l.found.Template = link.Split(string(rest[bytes.Index(rest, []byte("http")):]))
		}
	}
	l.seen = l.found.Object || l.found.Template != ""
}

// pdf finds links and what runs when a PDF (ISO 32000) is opened, also in its compressed object streams.
func (l *look) pdf(b []byte) {
	l.pdfObjects(b)
	for i, streams := 0, 0; l.left > 0 && streams < maxStreams; streams++ {
		n := bytes.Index(b[i:], []byte("/ObjStm"))
		if n < 0 {
			return
		}
		i += n + 7
		n = bytes.Index(b[i:min(len(b), i+1024)], []byte("stream"))
		if n < 0 {
			continue
		}
		data := bytes.TrimLeft(b[i+n+6:], "\r\n")
		if r, err := zlib.NewReader(bytes.NewReader(data)); err == nil {
			l.pdfObjects(l.read(r))
		}
	}
}

// pdfObjects finds them in plain objects.
func (l *look) pdfObjects(b []byte) {
	f := &l.found
	switch {
	case f.Action != "":
	case bytes.Contains(b, []byte("/Launch")):
		f.Action = "Launch"
	case token(b, "/JavaScript") || token(b, "/JS"):
		f.Action = "JavaScript"
	}
	f.Encrypted = f.Encrypted || token(b, "/Encrypt")
	l.seen = l.seen || f.Action != "" || f.Encrypted
	for len(l.links) < maxLinks {
		i := bytes.Index(b, []byte("/URI"))
		if i < 0 {
			return
		}
		b = b[i+4:]
		text := bytes.TrimLeft(b[:min(len(b), 2100)], " \r\n")
		if len(text) == 0 || text[0] != '(' {
			continue
		}
		if end := bytes.IndexByte(text, ')'); end > 1 {
			l.link(string(text[1:end]))
		}
	}
}

// token reports a name of PDF that ends where it should.
func token(b []byte, name string) bool {
	for {
		i := bytes.Index(b, []byte(name))
		if i < 0 {
			return false
		}
		if b = b[i+len(name):]; len(b) == 0 || !('a' <= b[0]|0x20 && b[0]|0x20 <= 'z') {
			return true
		}
	}
}

// Words of scripts that make a file out of text, and that put it before the reader.
var (
	makes = [...]string{"atob(", "unescape(", "fromCharCode", "Uint8Array", "decodeURIComponent("}
	shows = [...]string{"createObjectURL", "msSaveOrOpenBlob", "msSaveBlob", "document.write", "eval(", ".download", "innerHTML", "location.href", "location.replace", "window.location"}
)

// page reads a web page: whether its script builds the file or page that the reader gets, whether it asks for a password, and
// its links.
func (l *look) page(b []byte) {
	s := string(b)
	if i := strings.Index(s, "<script"); i >= 0 || strings.Contains(s, "<SCRIPT") {
		l.found.Smuggles = anyOf(s, makes[:]) && anyOf(s, shows[:])
	}
	lower := strings.ToLower(s[:min(len(s), maxMember)])
	l.found.AsksPassword = strings.Contains(lower, `type="password"`) || strings.Contains(lower, "type='password'") || strings.Contains(lower, "type=password")
	l.seen = l.seen || l.found.Smuggles || l.found.AsksPassword
	l.textLinks(s)
}

func anyOf(s string, words []string) bool {
	for _, w := range words {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

// calendar reads the links of an invitation (RFC 5545), its folded lines joined.
func (l *look) calendar(b []byte) {
	l.textLinks(strings.NewReplacer("\r\n ", "", "\n ", "", "\r\n\t", "", "\n\t", "", `\n`, "\n", `\,`, ",", `\;`, ";").Replace(string(b[:min(len(b), maxMember)])))
}

func (l *look) textLinks(s string) {
	scan := link.NewScanner(s[:min(len(s), maxMember)])
	for len(l.links) < maxLinks {
		start, end, _, host, ok := scan.Next()
		if !ok {
			return
		}
		if host != "www.w3.org" && host != "schemas.microsoft.com" { // names of formats
			l.link(s[start:end])
		}
	}
}
