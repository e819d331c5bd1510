package email

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rempart/message"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGolden parses each kind of breakage in testdata and compares all that was read.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.eml")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			m := ParseBytes(b)
			check(t, m)
			got := []byte(dump(m))
			golden := strings.TrimSuffix(name, ".eml") + ".golden"
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

// dump writes what was read, a line a thing.
func dump(m *message.Message) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	for _, f := range m.Header {
		line("field %s: %q", f.Name, f.Value)
	}
	line("from %q %s", m.From.Name, m.From)
	for _, a := range m.To {
		line("to %q %s", a.Name, a)
	}
	if !m.Date.IsZero() {
		line("date %s", m.Date.Format(time.RFC3339))
	}
	for _, h := range m.Route {
		line("hop from %s [%s] by %s with %s", h.From, h.Address, h.By, h.With)
	}
	line("subject %q", m.Subject)
	line("text %q", m.Text)
	line("html text %q", m.HTMLText)
	line("hidden %q", m.HiddenText)
	for _, l := range m.Links {
		line("link %d %s host %s text %q", l.Kind, l.URL, l.Host, l.Text)
	}
	for _, a := range m.Attachments {
		line("attachment %q %s is %s, %d bytes, %x", a.Name, a.Declared, a.Detected, a.Size, a.Digest[:4])
	}
	line("parts %d", m.Parts)
	for _, a := range m.Anomalies {
		line("anomaly %s %q", a.Name, a.Detail)
	}
	return b.String()
}
