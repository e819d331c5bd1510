package link

import (
	"slices"
	"testing"
	"unicode/utf8"
)

func TestSplit(t *testing.T) {
	for _, tt := range []struct{ url, scheme, host string }{
		{"http://Example.COM/x", "http", "example.com"},
		{" https://user:pw@shop.example:8443/a?b", "https", "shop.example"},
		{"http://bank.example@198.51.100.7/", "http", "198.51.100.7"},
		{"//cdn.example/x", "", "cdn.example"},
		{`http:\\evil.example\x`, "http", "evil.example"},
		{"http:/one.example", "http", "one.example"},
		{"ht\ntp://fold\r\ned.example/", "http", "folded.example"},
		{"http://%65vil.example", "http", "evil.example"},
		{"http://[2001:DB8::1]:80/", "http", "[2001:db8::1]"},
		{"http://0x7f.1/", "http", "0x7f.1"},
		{"http://example.com./", "http", "example.com"},
		{"mailto:a@b.example", "mailto", ""},
		{"javascript:alert(1)", "javascript", ""},
		{"/relative", "", ""},
		{"", "", ""},
	} {
		if scheme, host := Split(tt.url); scheme != tt.scheme || host != tt.host {
			t.Errorf("Split(%q) = %q, %q; want %q, %q", tt.url, scheme, host, tt.scheme, tt.host)
		}
	}
}

func TestScanner(t *testing.T) {
	for _, tt := range []struct {
		text string
		want []string
	}{
		{"see http://a.example/x. Then www.b.example, or bit.ly/abc!", []string{"http://a.example/x", "www.b.example", "bit.ly/abc"}},
		{"(https://en.example/wiki/A_(b)) <http://c.example>", []string{"https://en.example/wiki/A_(b)", "http://c.example"}},
		{"write to joe@example.com/home or e.g. and/or 3.5/km", nil},
		{"v1.2/3 file.txt/x src/main.go", nil},
		{"HTTP://UPPER.EXAMPLE/ WWW.Shop.Example", []string{"HTTP://UPPER.EXAMPLE/", "WWW.Shop.Example"}},
		{"请看www.example.com点击", nil}, // the letters before belong to the word
		{"请看 www.example.com点击", []string{"www.example.com"}},
		{"http://3221226219/x http:// http:///", []string{"http://3221226219/x"}},
		{"http://user@evil.example:81/", []string{"http://user@evil.example:81/"}},
		{"http://[2001:db8::1]/x", []string{"http://[2001:db8::1]/x"}},
		{"http://bücher.example/x", []string{"http://bücher.example/x"}},
		{"end of text www.", nil},
		{"http://a.example?next=http://b.example", []string{"http://a.example?next=http://b.example"}},
		{"clck.ru:80/x", []string{"clck.ru:80/x"}},
	} {
		if got := scan(tt.text); !slices.Equal(got, tt.want) {
			t.Errorf("%q: %q, want %q", tt.text, got, tt.want)
		}
	}
}

func scan(text string) (found []string) {
	s := NewScanner(text)
	for {
		start, end, _, _, ok := s.Next()
		if !ok {
			return found
		}
		found = append(found, text[start:end])
	}
}

func FuzzScanner(f *testing.F) {
	for _, s := range []string{"http://a.example/x", "www.b.example.", "bit.ly/a) http://[::1", "ü.example/\xff", "http://%ff@x:1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		last := 0
		s := NewScanner(text)
		for {
			start, end, _, host, ok := s.Next()
			if !ok {
				return
			}
			if start < last || end <= start || end > len(text) {
				t.Fatalf("%q: [%d:%d] after %d", text, start, end, last)
			}
			if utf8.ValidString(text) && !utf8.ValidString(host) {
				t.Fatalf("%q: host %q", text, host)
			}
			last = end
		}
	})
}
