package config

import (
	"errors"
	"strings"
	"testing"
	"time"
)

type settings struct {
	DNS struct {
		Servers []string `toml:"servers"`
		Budget  Duration `toml:"budget"`
	} `toml:"dns"`
	Gateway struct {
		Milter []struct {
			Name string `toml:"name"`
		} `toml:"milter"`
	} `toml:"gateway"`
}

func TestParse(t *testing.T) {
	var s settings
	if err := Parse("r.toml", []byte("[dns]\nbudget = \"14d\"\n[[gateway.milter]]\nname = \"mx\"\n"), &s); err != nil {
		t.Fatal(err)
	}
	if time.Duration(s.DNS.Budget) != 14*24*time.Hour || s.Gateway.Milter[0].Name != "mx" {
		t.Errorf("%+v", s)
	}
}

func TestErrorsNameFileLineAndKey(t *testing.T) {
	for _, tt := range []struct {
		file string
		want []string
	}{
		{"[dns]\n\nbugdet = \"2s\"\n", []string{"r.toml:3:", "dns.bugdet", "no such key"}},
		{"[dns]\nbudget = \"soon\"\n", []string{"r.toml:2:", "dns.budget", "no duration"}},
		{"[dns]\nservers = 5\n", []string{"r.toml:2:", "dns.servers"}},
		{"[dns\n", []string{"r.toml:1:"}},
		{"a = 1\nb = 2\n", []string{"r.toml:1: a", "r.toml:2: b"}},
	} {
		err := Parse("r.toml", []byte(tt.file), new(settings))
		if err == nil {
			t.Errorf("%q was taken", tt.file)
			continue
		}
		for _, want := range tt.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q: error %q lacks %q", tt.file, err, want)
			}
		}
	}
}

func TestLocate(t *testing.T) {
	file := []byte(`[policy.thresholds]
tag = 7

[[gateway.milter]]
name = "mx"
listen = ["127.0.0.1:1"]

[[gateway.milter]]
name = "out"

[[gateway.api]]
name = "api"
[[gateway.api.token]]
sha256 = "x"
[[gateway.api.token]]
rights = ["fly"]
`)
	for text, want := range map[string]string{
		"policy.thresholds.tag = 7: use a probability":             "r.toml:2: policy",
		"gateway.milter[1].listen = []: name at least one address": "r.toml:8: gateway",
		"gateway.api[0].token[1].rights: no such right":            "r.toml:16: gateway",
		"gateway.api[0].token[0].sha256 is no digest":              "r.toml:14: gateway",
		"data: changed":                      "r.toml: data",
		"something without a key went wrong": "r.toml: something",
	} {
		err := Locate("r.toml", file, errors.Join(errors.New(text), nil))
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	if Locate("r.toml", file, nil) != nil {
		t.Error("an error from nothing")
	}
}

// Whatever the file is, locating an error in it ends and keeps the error's text.
func FuzzLocate(f *testing.F) {
	f.Add([]byte("[a]\nb = 1\n[[c]]\n[[c.d]]\n"), "c[0].d[0].e = 1: wrong")
	f.Add([]byte("a.b = {c = 1}\n\"q\" = 2"), "a.b.c: wrong")
	f.Fuzz(func(t *testing.T, b []byte, text string) {
		if err := Locate("f", b, errors.New(text)); !strings.HasSuffix(err.Error(), text) {
			t.Fatalf("%q became %q", text, err)
		}
	})
}
