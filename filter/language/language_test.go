package language

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"rempart/message"
)

// letters are the mails of testdata by the code of their language, which their names begin with.
func letters(t testing.TB) map[string]string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	all := map[string]string{}
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(path), ".txt")] = string(b)
	}
	return all
}

func TestLetters(t *testing.T) {
	seen := map[string]bool{}
	for name, text := range letters(t) {
		code, _, _ := strings.Cut(name, "-")
		if got := Of(text).String(); got != code {
			t.Errorf("%s: %q", name, got)
		}
		if got := Of(strings.ToUpper(text)).String(); got != code && code != "tr" && code != "ka" { // whose I is another letter; whose capitals few fonts have
			t.Errorf("%s in capitals: %q", name, got)
		}
		seen[code] = true
	}
	for l := message.LanguageUnknown + 1; l < message.Languages; l++ {
		if !seen[l.String()] {
			t.Errorf("no letter in %s", l)
		}
	}
}

func TestUnknown(t *testing.T) {
	all := letters(t)
	for name, text := range map[string]string{
		"nothing":             "",
		"a word":              "Thanks!",
		"figures":             strings.Repeat("4711 0815 12.50 € 31/12/2026\n", 40),
		"links":               strings.Repeat("https://www.harbour.example/orders/4711?id=a8f3\n", 40),
		"two languages":       all["de"] + all["en"],
		"two alphabets":       all["ru"] + all["en"],
		"names and codes":     "Meyer GmbH, Kowalski S.A., Rossi SpA, Smith Inc, Garcia SL, Nielsen AS, Virtanen Oy, Nagy Kft",
		"codes":               strings.Repeat("9JPCI61JW1GFI4G s5vvpkvbew2oba v1a7i QQS0WJ97 a-7-i-9-v\n", 20),
		"points of a list":    "a) 17 b) 18 v) 19 i) 20 o) 21 u) 22 z) 23 s) 24 Smith Jones Meyer Rossi Nagy Kowalski",
		"letters of no words": strings.Repeat("xqzt wvkj brgh ", 100),
	} {
		if got := Of(text); got != message.LanguageUnknown {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// A quoted word of another alphabet, and signs, change nothing.
func TestGuests(t *testing.T) {
	all := letters(t)
	for _, tt := range []struct{ text, want string }{
		{"“Привет” — ✓ ★ → 100 %\n" + all["en"], "en"},
		{all["ru"] + "\nHarbour Office, Quay 7, https://www.harbour.example/", "ru"},
		{all["zh"] + strings.Repeat("Harbour Office ", 3), "zh"},
		{strings.Repeat(all["fr"], 40), "fr"},
	} {
		if got := Of(tt.text).String(); got != tt.want {
			t.Errorf("%.40q: %q, want %q", tt.text, got, tt.want)
		}
	}
}

func TestNoAllocation(t *testing.T) {
	for name, text := range letters(t) {
		if n := testing.AllocsPerRun(10, func() { Of(text) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// Words that fill the table more than half would make it slow.
func TestTable(t *testing.T) {
	n := 0
	for _, e := range table {
		if e.languages != 0 {
			n++
		}
	}
	if n < 500 || n > len(table)/2 {
		t.Errorf("%d words in %d places", n, len(table))
	}
}

func FuzzOf(f *testing.F) {
	for _, text := range letters(f) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l := Of(text)
		if l >= message.Languages {
			t.Fatalf("%q: %d", text, l)
		}
		if len(text) > sample && utf8.ValidString(text) && l != Of(text[:sample]) {
			t.Fatal("what stands behind the sample counts")
		}
	})
}

// Five kilobytes, of which two are looked at.
func BenchmarkOf(b *testing.B) {
	all := letters(b)
	for _, code := range []string{"en", "de", "vi", "ru", "ja", "ar"} {
		text := strings.Repeat(all[code], 5<<10/len(all[code])+1)[:5<<10]
		b.Run(code, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Of(text)
			}
		})
	}
}
