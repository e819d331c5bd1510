package sign

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rempart/message/dkim"
)

// dir is a directory with files; a file "KEY" is a key.
func dir(t *testing.T, files map[string]string) string {
	t.Helper()
	at := t.TempDir()
	for name, text := range files {
		if text == "KEY" {
			path, _ := keyFile(t, dkim.Ed25519)
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			text = string(b)
		}
		path := filepath.Join(at, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return at
}

// rspamd's files and maps are read as they are.
func TestRspamdsFiles(t *testing.T) {
	at := dir(t, map[string]string{
		"keys/a.example.dkim.key": "KEY", "keys/b.example.2026.key": "KEY", "keys/b.example.2027.key": "KEY", "keys/b.example.dkim.key": "KEY",
		"keys/c.example.dkim.key": "KEY", "keys/readme.txt": "x", "keys/not a domain.dkim.key": "x",
		"elsewhere/c.pem": "KEY", "deep/d.example/dkim.pem": "KEY",
		"selectors": "# comment\nb.example 2026\n\n  B.example\t2027 # newer\n", "paths": "",
	})
	if err := os.WriteFile(at+"/paths", []byte("\"c.example\" "+at+"/elsewhere/c.pem\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		c    Config
		want []string
	}{
		"path alone":            {Config{Path: at + "/keys/$domain.$selector.key"}, []string{"a.example dkim", "b.example dkim", "c.example dkim"}},
		"another selector":      {Config{Path: at + "/keys/$domain.$selector.key", Selector: "2027"}, []string{"b.example 2027"}},
		"domain in directories": {Config{Path: at + "/deep/$domain/$selector.pem"}, []string{"d.example dkim"}},
		"maps": {Config{Path: at + "/keys/$domain.$selector.key", SelectorMap: at + "/selectors", PathMap: at + "/paths"},
			[]string{"a.example dkim", "b.example 2026", "b.example 2027", "c.example dkim"}},
		"map of paths alone": {Config{PathMap: at + "/paths", Selector: "s"}, []string{"c.example s"}},
	} {
		s, warnings, err := Load(tt.c)
		var got []string
		for _, k := range s.Keys(today) {
			got = append(got, k.Domain+" "+k.Selector)
			if k.Domain == "c.example" && tt.c.PathMap != "" && k.File != at+"/elsewhere/c.pem" {
				t.Errorf("%s: %s", name, k.File)
			}
		}
		if err != nil || warnings != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, %v, %v, want %v", name, got, warnings, err, tt.want)
		}
	}
}

// Errors say which setting, which file and line, and what is wrong with it.
func TestWrongFiles(t *testing.T) {
	at := dir(t, map[string]string{"a.dkim.key": "KEY", "b.dkim.key": "no key", "selectors": "a dkim\nb\n-- x\nd 1\n", "path": "d nowhere\n", "twice": "a dkim\na dkim\n"})
	for _, tt := range []struct {
		c    Config
		want []string
	}{
		{Config{Key: []KeyConfig{{Domain: "a", Selector: "s", File: at + "/none"}}}, []string{"sign.key[0].file: open " + at + "/none: no such file"}},
		{Config{Key: []KeyConfig{{Domain: "a", Selector: "s", File: at + "/b.dkim.key"}}}, []string{"sign.key[0].file: " + at + "/b.dkim.key: it is neither PEM nor base64"}},
		{Config{Path: at + "/$domain.$selector.key"}, []string{"sign.path: " + at + "/b.dkim.key: it is neither"}},
		{Config{Path: at + "/$domain.$selector.key", SelectorMap: at + "/selectors", PathMap: at + "/path"},
			[]string{"sign.selector_map: " + at + "/selectors:2: want a domain and one word", "/selectors:4: open nowhere"}},
		{Config{Path: at + "/$domain.$selector.key", SelectorMap: at + "/twice"}, []string{"/twice:2: a has the selector dkim twice: here and in " + at + "/a.dkim.key"}},
		{Config{SelectorMap: at + "/gone", Path: "x"}, []string{"sign.selector_map: open " + at + "/gone"}},
		{Config{ARCDomain: "a", Key: []KeyConfig{{Domain: "a", Selector: "s", File: at + "/a.dkim.key"}}}, []string{`sign.arc_domain = "a": it has no RSA key`}},
	} {
		_, _, err := Load(tt.c)
		for _, want := range tt.want {
			if !strings.Contains(fmt.Sprint(err), want) {
				t.Errorf("%v\nwant %s", err, want)
			}
		}
	}
}

func TestCheck(t *testing.T) {
	c := Config{Key: []KeyConfig{{Domain: "a.example", Selector: "s", File: "f"}, {Domain: "A.example.", Selector: "s", File: "f", Accounts: []string{""}},
		{Domain: "no domain"}}, Selector: "a b", Path: "/keys/$selector.key", ARCDomain: "*", Accounts: []string{"a", ""}}
	err := c.Check()
	for _, want := range []string{`sign.key[1].selector = "s": the domain has it twice`, `sign.key[1].accounts[0] = ""`, `sign.key[2].domain = "no domain"`,
		`sign.key[2].selector = ""`, `sign.key[2].file = ""`, `sign.selector = "a b"`, `sign.path = `, `sign.arc_domain = "*"`, `sign.accounts[1] = ""`} {
		if !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("no %s in\n%v", want, err)
		}
	}
	if err := (Config{SelectorMap: "f"}).Check(); err == nil {
		t.Error("a selector map without a path passed")
	}
	if err := (Config{}).Check(); err != nil {
		t.Error(err)
	}
}

// A map is anybody's bytes: every entry has a domain and a value.
func FuzzParseMap(f *testing.F) {
	f.Add("a.example dkim # comment\n\"b.example\" '2026'\r\n\nc\n")
	f.Fuzz(func(t *testing.T, text string) {
		entries, _ := parseMap("map", text)
		for _, e := range entries {
			if dkim.ToDomain(e.domain) != e.domain || e.domain == "" || strings.ContainsAny(e.value, " \n#") {
				t.Fatalf("%q", e)
			}
		}
	})
}
