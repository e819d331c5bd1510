package geo

import (
	"strings"
	"testing"

	"rempart/third_party/cldr"
)

func TestCountryName(t *testing.T) {
	for code, want := range map[string]string{"BF": "Burkina Faso", "CI": "Côte d’Ivoire", "XK": "Kosovo", "ZW": "Zimbabwe", "ZZ": "", "": "", "de": ""} {
		if got := CountryName(code); got != want {
			t.Errorf("%q: %q, want %q", code, got, want)
		}
	}
	for _, r := range regions {
		if r.code != "" && CountryName(r.code) == "" {
			t.Errorf("%s has a numbering plan and no name", r.code)
		}
	}
}

// Every country has a name in every language of the heading.
func TestCountryNamesAreComplete(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(cldr.Countries), "\n")
	if lines[1] != "code\ten\tfr\tes\tar\tzh\tru" || len(lines) < 250 {
		t.Fatalf("%d lines, heading %q", len(lines), lines[1])
	}
	for _, line := range lines[2:] {
		for _, name := range strings.Split(line, "\t") {
			if strings.TrimSpace(name) != name || name == "" || strings.Count(line, "\t") != 6 {
				t.Errorf("%q", line)
			}
		}
	}
}
