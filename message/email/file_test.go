package email

import (
	"fmt"
	"strings"
	"testing"

	"rempart/message/file"
)

// A file that is looked into only in part, or not at all, leaves an anomaly; its type is told all the same.
func TestCutFiles(t *testing.T) {
	const mark = "PK\x03\x04"
	whole := mark + strings.Repeat("x", file.MaxBytes-len(mark))
	page := strings.Repeat(" ", 200) + "<html><body>words"
	text := strings.Repeat("words ", file.MaxBytes/6+1)
	for name, tt := range map[string]struct {
		files    []string // name, content
		detected string   // of the last
		cut      bool
	}{
		"within":         {[]string{"a.zip", whole, "b.zip", whole, "c.txt", text}, "text/plain", false},
		"one too large":  {[]string{"a.zip", whole + "x"}, "application/zip", true},
		"nothing left":   {[]string{"a.zip", whole, "b.zip", whole, "c.zip", mark + "x"}, "application/zip", true},
		"too little":     {[]string{"a.zip", whole, "b.zip", whole[:len(whole)-100], "c.html", page}, "text/html", true},
		"large, no file": {[]string{"a.txt", text}, "text/plain", false},
	} {
		mail := "From: a@b.example\nContent-Type: multipart/mixed; boundary=b\n\n"
		for i := 0; i < len(tt.files); i += 2 {
			mail += fmt.Sprintf("--b\nContent-Type: application/octet-stream\nContent-Disposition: attachment; filename=%s\n\n%s\n", tt.files[i], tt.files[i+1])
		}
		m := ParseBytes([]byte(mail + "--b--\n"))
		last := m.Attachments[len(m.Attachments)-1]
		if len(m.Attachments) != len(tt.files)/2 || last.Detected != tt.detected || m.HasAnomaly(CutFiles) != tt.cut || last.Size != len(tt.files[len(tt.files)-1]) {
			t.Errorf("%s: %d files, the last %s of %d bytes, anomalies %v", name, len(m.Attachments), last.Detected, last.Size, m.Anomalies)
		}
	}
}
