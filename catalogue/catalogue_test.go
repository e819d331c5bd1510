package catalogue

import (
	"testing"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

func TestSay(t *testing.T) {
	c := &Catalogue{language.English, map[string]forms{
		"plain": {other: "nothing to add"},
		"hours": {"its date is %d hours ahead", map[plural.Form]string{plural.One: "its date is %d hour ahead"}},
		"host":  {"%[2]s has %[1]d links", map[plural.Form]string{plural.One: "%[2]s has %[1]d link"}},
	}, nil}
	for _, tt := range []struct {
		key  string
		args []any
		want string
	}{
		{"plain", nil, "nothing to add"},
		{"hours", []any{int64(1)}, "its date is 1 hour ahead"},
		{"hours", []any{int64(26)}, "its date is 26 hours ahead"},
		{"host", []any{int64(2), "a.example"}, "a.example has 2 links"},
		{"unheard.of", []any{7}, "unheard.of 7"},
	} {
		if got := c.Say(tt.key, tt.args...); got != tt.want {
			t.Errorf("Say(%q, %v) = %q, want %q", tt.key, tt.args, got, tt.want)
		}
	}
}

func TestEnglishLoads(t *testing.T) {
	if !English().Has("signal.bias") {
		t.Fatal("the English catalogue lacks signal.bias")
	}
}
