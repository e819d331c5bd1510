package geo

import (
	"strings"
	"testing"

	"rempart/message"
)

// What is read as a plan finds each of its prefixes again.
func FuzzPlan(f *testing.F) {
	f.Add("prefix,country,type\n+9990,XA,fixed\n# comment\n+99907,,mobile\n")
	f.Add("+1,US,unknown\n\"+2\",,uan")
	f.Add("\"")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parsePlan(strings.NewReader(text))
		if err != nil {
			return
		}
		for prefix, want := range p.ranges {
			if got, ok := p.find([]byte(prefix)); !ok || got != want || got.line > message.Voicemail {
				t.Fatalf("%s: %+v %t, want %+v", prefix, got, ok, want)
			}
		}
	})
}
