package config

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

// The place of a mistake in a text is found in the file, however the text is written.
func TestLocateInText(t *testing.T) {
	for _, tt := range []struct {
		file string
		at   int
		want string
	}{
		{`when = "abcX"`, 3, "r.toml:1:12: when"},
		{`when = 'abcX'`, 3, "r.toml:1:12: when"},
		{`when = "Xabc"`, 0, "r.toml:1:9: when"},
		{`when = "\"ä\u00e4X"`, 3, "r.toml:1:18: when"},
		{"a = 1\nwhen = '''\nabc\n dX'''\n", 6, "r.toml:4:3: when"},
		{"when = '''Xabc'''\n", 0, "r.toml:1:11: when"},
		{"when = '''\nXabc'''\n", 0, "r.toml:2:1: when"},
		{"when = \"\"\"ab\\\n   X\"\"\"\n", 2, "r.toml:1:13: when"}, // where the line is broken
		{`when = "abc"`, 3, "r.toml:1:12: when"},
		{`when = "abc"`, 300, "r.toml:1:12: when"},
		{`when = ""`, 0, "r.toml:1:9: when"},
		{"rule = [{when = 'abcX'}]\n", 3, "r.toml: when"},
	} {
		err := Locate("r.toml", []byte(tt.file), &TextError{"when", tt.at, errors.New("when: wrong")})
		if !strings.HasPrefix(err.Error(), tt.want+": wrong") {
			t.Errorf("%q at %d: %v, want %s", tt.file, tt.at, err, tt.want)
		}
	}
}

// Whatever the text is, a place in it lies in the file.
func FuzzLocateInText(f *testing.F) {
	f.Add([]byte("a = 'x'\n[[r]]\nwhen = \"\"\"\nab\\\n c\"\"\"\n"), 3)
	f.Add([]byte(`[[r]]`+"\n"+`when = "\u00e4\\"`), 1)
	f.Fuzz(func(t *testing.T, b []byte, at int) {
		if len(b) > 1000 {
			return // each of its beginnings is parsed
		}
		err := Locate("f", b, &TextError{"r[0].when", at, errors.New("r[0].when: wrong")})
		var line, column int
		if n, _ := fmt.Sscanf(err.Error(), "f:%d:%d: r", &line, &column); n < 2 {
			return // there is no such text
		}
		lines := strings.Split(string(b), "\n")
		if line < 1 || line > len(lines) || column < 1 || column > utf8.RuneCountInString(lines[line-1])+1 {
			t.Fatalf("%q at %d: %v", b, at, err)
		}
	})
}
