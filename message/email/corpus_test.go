package email

import (
	"bytes"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"rempart/message"
)

// corpus reads all mails below a folder of the shared data; the test is skipped where that is missing.
func corpus(tb testing.TB, folder string) (mails [][]byte) {
	tb.Helper()
	root := os.Getenv("REMPART_SHARED")
	if root == "" {
		root = "../../../shared"
	}
	root = filepath.Join(root, "data/email", folder)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), "index") || strings.HasSuffix(d.Name(), ".tsv") ||
			filepath.Base(filepath.Dir(path)) == "orders" {
			return err
		}
		b, err := os.ReadFile(path)
		mails = append(mails, b)
		return err
	})
	if err != nil || len(mails) == 0 {
		tb.Skipf("skipped: no corpus in %s (set REMPART_SHARED)", root)
	}
	return mails
}

// check holds what is true of every parsed message.
func check(tb testing.TB, m *message.Message) {
	tb.Helper()
	if m.Parts > maxParts || len(m.Header) > maxFields || len(m.Links) > maxLinks || len(m.Attachments) > maxAttachments ||
		len(m.To) > 2*maxAddresses || len(m.Route) > maxHops || len(m.Anomalies) > maxAnomalies ||
		len(m.Text) > maxText+maxParts || len(m.HTML) > maxText+maxParts || len(m.Raw) > maxBytes {
		tb.Errorf("a cap does not hold: %d parts, %d fields, %d links", m.Parts, len(m.Header), len(m.Links))
	}
	known := func(name string) bool {
		for _, a := range Anomalies {
			if a == name {
				return true
			}
		}
		return false
	}
	for _, a := range m.Anomalies {
		if !known(a.Name) {
			tb.Errorf("anomaly %q is not in the list", a.Name)
		}
		valid(tb, "anomaly", a.Detail)
	}
	for name, s := range map[string]string{"text": m.Text, "HTML": m.HTML, "HTML text": m.HTMLText, "hidden": m.HiddenText,
		"subject": m.Subject, "id": m.MessageID, "from": m.From.String() + m.From.Name, "helo": m.Helo} {
		valid(tb, name, s)
	}
	for _, f := range m.Header {
		valid(tb, f.Name, f.Value)
	}
	for _, l := range m.Links {
		valid(tb, "link", l.URL+l.Text)
		valid(tb, "host", l.Host)
	}
	for _, a := range m.Attachments {
		valid(tb, "attachment", a.Name+a.Declared+a.Detected)
	}
	for _, a := range append(m.To, m.ReplyTo...) {
		valid(tb, "address", a.Name+a.String())
	}
	for _, h := range m.Route {
		valid(tb, "hop", h.From+h.By+h.With)
	}
}

func valid(tb testing.TB, what, s string) {
	tb.Helper()
	if !utf8.ValidString(s) {
		tb.Errorf("%s is no UTF-8: %.200q", what, s)
	}
}

// TestCorpora parses every mail of the corpora, and then damaged: cut, bits flipped, two in one.
func TestCorpora(t *testing.T) {
	for _, folder := range []string{"spamassassin", "today", "phishing-pot"} {
		t.Run(folder, func(t *testing.T) {
			mails := corpus(t, folder)
			rnd := rand.New(rand.NewPCG(1, 2))
			empty := 0
			for _, b := range mails {
				m := ParseBytes(b)
				check(t, m)
				if m.From.Domain == "" || m.VisibleText() == "" && len(m.Attachments) == 0 {
					empty++
				}
				for range 3 {
					check(t, ParseBytes(b[:rnd.IntN(len(b)+1)]))
					flipped := bytes.Clone(b)
					for range 1 + len(b)/500 {
						if len(b) > 0 {
							flipped[rnd.IntN(len(b))] ^= 1 << rnd.IntN(8)
						}
					}
					check(t, ParseBytes(flipped))
				}
				check(t, ParseBytes(append(bytes.Clone(b), mails[rnd.IntN(len(mails))]...)))
			}
			if empty*20 > len(mails) {
				t.Errorf("%d of %d mails have no author or no content", empty, len(mails))
			}
			t.Logf("%d mails, %d without author or content", len(mails), empty)
		})
	}
}

type zeros struct{ left int64 }

func (z *zeros) Read(b []byte) (int, error) {
	if z.left <= 0 {
		return 0, io.EOF
	}
	n := min(int64(len(b)), z.left)
	clear(b[:n])
	z.left -= n
	return int(n), nil
}

func TestHugeInputs(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: -short")
	}
	deep := "Content-Type: multipart/mixed; boundary=b0\n\n"
	for i := range 10000 {
		deep += "--b" + itoa(i) + "\nContent-Type: multipart/mixed; boundary=b" + itoa(i+1) + "\n\n"
		if len(deep) > 1<<20 {
			break
		}
	}
	for _, tt := range []struct {
		name    string
		r       io.Reader
		size    int
		anomaly string
	}{
		{"zeros", &zeros{1 << 30}, 1 << 30, CutBytes},
		{"parts", strings.NewReader("Content-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\n\nx\n", 100000)), 0, CutParts},
		{"deep", strings.NewReader(deep), 0, CutDepth},
		{"rfc822", strings.NewReader(strings.Repeat("Content-Type: message/rfc822\n\n", 10000)), 0, CutDepth},
		{"delimiters", strings.NewReader(deep + strings.Repeat("\n--", 8<<20)), 0, CutDepth},
		{"missing boundaries", strings.NewReader("Content-Type: multipart/mixed; boundary=b\n\n" +
			strings.Repeat("--b\nContent-Type: multipart/mixed; boundary=c\n\n--x\n", 200000)), 0, BoundaryMissing},
		{"fields", strings.NewReader(strings.Repeat("A: b\n", 2<<20)), 0, CutFields},
		{"fold", strings.NewReader("A:" + strings.Repeat(" b\n", 5<<20)), 0, CutFields},
		{"words", strings.NewReader("Subject: " + strings.Repeat("=?utf-8?q?", 1<<20)), 0, CutFields},
		{"addresses", strings.NewReader("To: " + strings.Repeat("(,<", 1<<20)), 0, CutFields},
		{"tags", strings.NewReader("Content-Type: text/html\n\n" + strings.Repeat("<a href=x><b ", 1<<20)), 0, CutText},
		{"dots", strings.NewReader("\n" + strings.Repeat("a.", 1<<20)), 0, CutText},
		{"schemes", strings.NewReader("\n" + strings.Repeat("http://", 1<<20)), 0, CutText},
		{"hosts", strings.NewReader("\n" + strings.Repeat("http://a.b ", 1<<20)), 0, CutLinks},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			m, err := Parse(tt.r)
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			if err != nil {
				t.Fatal(err)
			}
			check(t, m)
			if tt.size > 0 && m.Size != tt.size {
				t.Errorf("size %d, want %d", m.Size, tt.size)
			}
			if !m.HasAnomaly(tt.anomaly) {
				t.Errorf("anomalies %v, want %s", m.Anomalies, tt.anomaly)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 8*maxBytes {
				t.Errorf("allocated %d MB", used>>20)
			}
			if took > 5*time.Second {
				t.Errorf("took %v", took)
			}
			t.Logf("%v, %d MB", took.Round(time.Millisecond), (after.TotalAlloc-before.TotalAlloc)>>20)
		})
	}
}

func itoa(i int) string {
	return string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676%26))
}

func BenchmarkParse(b *testing.B) {
	mails := corpus(b, "spamassassin")
	size := 0
	for _, m := range mails {
		size += len(m)
	}
	b.SetBytes(int64(size / len(mails)))
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		ParseBytes(mails[i%len(mails)])
		i++
	}
}
