package content

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"rempart/message"
	"rempart/message/email"
)

// withFile is a mail with a text and one attachment.
func withFile(text, name string, b []byte) *message.Message {
	return email.ParseBytes([]byte("From: a@b.example\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n" + text +
		"\n--b\nContent-Type: application/octet-stream\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment; filename=\"" + name + "\"\n\n" +
		base64.StdEncoding.EncodeToString(b) + "\n--b--\n"))
}

func archive(t *testing.T, locked bool, names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range names {
		f, err := w.Create(name)
		if err == nil {
			_, err = f.Write([]byte("content"))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if locked {
		b.Bytes()[6] |= 1
	}
	return b.Bytes()
}

func TestInside(t *testing.T) {
	signals := map[string]func(*message.Message) message.Result{
		"macros": Macros, "object": EmbeddedObject, "template": RemoteTemplate, "pdf": PDFAction, "links": FileLinks, "smuggling": Smuggling,
		"asks": PageAsksPassword, "program": ArchiveProgram, "locked": Locked, "told": LockedPassword, "executable": Executable,
	}
	for _, tt := range []struct {
		text, file string
		b          []byte
		want       string
	}{
		{"see the order", "order.docm", archive(t, false, "[Content_Types].xml", "word/vbaProject.bin"), "macros"},
		{"see the order", "order.docx", archive(t, false, "[Content_Types].xml", "word/embeddings/oleObject1.bin"), "object"},
		{"see the order", "order.rtf", []byte(`{\rtf1{\*\template https://t.example/a.dotm}}`), "template"},
		{"see the order", "order.pdf", []byte("%PDF-1.4\n<</S/Launch/F(cmd.exe)>>"), "pdf"},
		{"see the order", "order.pdf", []byte("%PDF-1.4\n<</S/URI/URI(https://pay.example/x)>>"), "links"},
		{"see the order", "order.html", []byte("<script>location.href=atob('aHR0cA==')</script>"), "smuggling"},
		{"see the order", "order.html", []byte("<input type=password>"), "asks"},
		{"see the order", "order.zip", archive(t, false, "order.pdf.js"), "program"},
		{"see the order", "order.zip", archive(t, false, "order.pdf", "prices.csv"), ""},
		{"see the order", "order.zip", archive(t, true, "order.pdf"), "locked"},
		{"Das Passwort ist 4711", "order.zip", archive(t, true, "order.pdf"), "locked told"},
		{"Das Passwort ist 4711", "order.zip", archive(t, false, "order.pdf"), ""},
		{"see the notes", "notes.one", []byte("\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78"), "executable"},
		{"see the order", "order.gz", []byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"), ""},
	} {
		m := withFile(tt.text, tt.file, tt.b)
		for name, signal := range signals {
			want := false
			for w := range strings.FieldsSeq(tt.want) {
				want = want || w == name
			}
			if r := signal(m); (r.State == message.StatePresent) != want {
				t.Errorf("%s, %s: %s %v", tt.text, tt.file, name, r)
			}
		}
	}
	if r := ArchiveProgram(withFile("x", "order.zip", archive(t, false, "a/order.pdf.js"))); !r.Equal(message.Present(2, "order.zip", "a/order.pdf.js")) {
		t.Error(r)
	}
	m := withFile("x", "order.pdf", []byte("%PDF-1.4\n<</S/URI/URI(https://pay.example/x)>>"))
	if len(m.Links) != 1 || m.Links[0].Kind != message.LinkFile || m.Links[0].Host != "pay.example" {
		t.Errorf("the links of the file are not those of the mail: %v", m.Links)
	}
}
