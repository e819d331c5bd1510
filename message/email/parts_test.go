package email

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParts(t *testing.T) {
	mail := "From: a@b.example\r\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n" +
		"--b\r\n\r\nhello\r\n" +
		"--b\r\nContent-Type: Message/Feedback-Report\r\nContent-Transfer-Encoding: base64\r\n\r\nRmVlZGJhY2stVHlwZTogYWJ1c2UK\r\n" +
		"--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: c@d.example\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n--i\r\n\r\nx\r\n--i--\r\n" +
		"--b\r\nContent-Type: application/gzip; name=\"a.xml.gz\"\r\n\r\nzip\r\n--b--\r\n"
	parts := Parts([]byte(mail))
	if len(parts) != 4 {
		t.Fatalf("%q", parts)
	}
	for i, want := range []Part{{"", "", "hello"}, {"message/feedback-report", "", "Feedback-Type: abuse\n"},
		{"message/rfc822", "", "From: c@d.example\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n--i\r\n\r\nx\r\n--i--"}, {"application/gzip", "a.xml.gz", "zip"}} {
		if parts[i] != want {
			t.Errorf("part %d is %q, want %q", i, parts[i], want)
		}
	}
	if got := Parts([]byte("Subject: x\n\nbody\n")); len(got) != 1 || got[0].Body != "body\n" {
		t.Errorf("no MIME: %q", got)
	}
	if got := Parts([]byte("Content-Type: multipart/mixed; boundary=no\n\nbody\n")); len(got) != 1 || got[0].Body != "body\n" {
		t.Errorf("no boundary: %q", got)
	}
}

func FuzzParts(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.eml")
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		size := 0
		parts := Parts([]byte(strings.Clone(string(b))))
		for _, p := range parts {
			size += len(p.Body)
		}
		if len(parts) > maxParts || size > len(b) {
			t.Fatalf("%d parts of %d bytes, of %d", len(parts), size, len(b))
		}
	})
}
