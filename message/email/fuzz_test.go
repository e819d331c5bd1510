package email

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// FuzzParse: whatever the bytes, the caps hold, the strings are UTF-8, and reading from a stream gives the same.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*.eml")
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds in testdata: %v", err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m := ParseBytes(b)
		check(t, m)
		s, err := Parse(bytes.NewReader(b))
		if err != nil || s.Text != m.Text || s.HTMLText != m.HTMLText || len(s.Links) != len(m.Links) || len(s.Anomalies) != len(m.Anomalies) {
			t.Fatalf("Parse and ParseBytes differ: %v", err)
		}
	})
}
