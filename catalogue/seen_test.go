package catalogue

import (
	"strings"
	"testing"
)

func TestSeen(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"plain", "plain"}, {"a\u202eb", "a‹U+202E›b"}, {"a\x00b", "a‹U+0000›b"}, {"é漢字", "é漢字"}, {"a\u200bb", "a‹U+200B›b"},
		{strings.Repeat("x", maxSeen+1), strings.Repeat("x", maxSeen) + "…"}, {"a\xffb", "a\ufffdb"},
	} {
		if got := Seen(tt.in); got != tt.want {
			t.Errorf("Seen(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func FuzzSeen(f *testing.F) {
	f.Add("a\u202eb")
	f.Add("\xff\x00")
	f.Fuzz(func(t *testing.T, s string) {
		got := Seen(s)
		for _, r := range got {
			if r < 0x20 || r == 0x202e || r == 0x200b {
				t.Fatalf("%q of %q", got, s)
			}
		}
		if len([]rune(got)) > 9*maxSeen+1 {
			t.Fatalf("%d runes", len([]rune(got)))
		}
	})
}
