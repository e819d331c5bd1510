package config

import (
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
