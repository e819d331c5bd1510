package rspamd

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"rempart/gateway"
)

// named is the symbol of that name.
func (l symbols) named(name string) symbol {
	i := slices.IndexFunc(l, func(s symbol) bool { return s.Name == name })
	if i < 0 {
		return symbol{}
	}
	return l[i]
}

// MarshalJSON writes them as [encoding/json] would an object, in their order.
func (l symbols) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, s := range l {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(b, bytes.TrimSpace(encoded(s.Name))...), ':')
		b = append(b, bytes.TrimSpace(encoded(s))...)
	}
	return append(b, '}'), nil
}

func (l *symbols) UnmarshalJSON(b []byte) error {
	all := map[string]symbol{}
	err := json.Unmarshal(b, &all)
	*l = slices.Collect(maps.Values(all))
	return err
}

// TestEncode holds the answer against encoding/json's.
func TestEncode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOfN(rapid.String(), 0, 3)
		score := rapid.Map(rapid.Int64Range(-100_000, 100_000), func(n int64) float64 { return scale.Score(gateway.Points(n)) })
		r := &reply{Skipped: rapid.Bool().Draw(t, "skipped"), Score: score.Draw(t, "score"), Required: scale.Score(scale.Refuse),
			Action: rapid.SampledFrom(actions).Draw(t, "action"), Subject: rapid.String().Draw(t, "subject"),
			Messages: map[string]string{}, URLs: append([]string{}, texts.Draw(t, "urls")...),
			Emails: append([]string{}, texts.Draw(t, "emails")...), MessageID: rapid.String().Draw(t, "id"),
			Time: float64(rapid.IntRange(0, 1e9).Draw(t, "µs")) / 1e6}
		for _, name := range texts.Draw(t, "symbols") {
			r.Symbols = append(r.Symbols, symbol{Name: name, Score: score.Draw(t, "part"), MetricScore: score.Draw(t, "unit"),
				Description: rapid.String().Draw(t, "description"), Options: texts.Draw(t, "options")})
		}
		if rapid.Bool().Draw(t, "refused") {
			r.Messages["smtp_message"] = rapid.String().Draw(t, "text")
		}
		if rapid.Bool().Draw(t, "changed") {
			r.Milter = &milter{Remove: map[string]int{"X-Rempart-Action": 0}, Add: map[string]added{"X-Rempart-Score": {Value: rapid.String().Draw(t, "value")}}}
		}
		if got, want := string(r.encode(nil)), string(encoded(r)); got != want {
			t.Errorf("encoded as\n%swant\n%s", got, want)
		}
	})
}
