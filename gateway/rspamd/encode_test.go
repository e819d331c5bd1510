package rspamd

import (
	"encoding/json"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"rempart/gateway"
	"rempart/message"
)

// answered is an answer as a client reads it.
type answered struct {
	reply
	Symbols map[string]symbol `json:"symbols"`
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
		parts := rapid.SampledFrom([]*message.Contribution{nil, {State: message.StateUnknown}, {State: message.StatePresent},
			{State: message.StatePresent, Args: []any{"a \"host\"\n", int64(3)}}})
		points := rapid.Map(rapid.Int64Range(-100_000, 100_000), func(n int64) gateway.Points { return gateway.Points(n) })
		for _, name := range texts.Draw(t, "symbols") {
			r.Parts = append(r.Parts, gateway.Part{Name: name, Points: points.Draw(t, "part"), PerInput: points.Draw(t, "unit"),
				Reason: rapid.String().Draw(t, "description"), Contribution: parts.Draw(t, "contribution")})
		}
		if rapid.Bool().Draw(t, "refused") {
			r.Messages["smtp_message"] = rapid.String().Draw(t, "text")
		}
		if rapid.Bool().Draw(t, "changed") {
			r.Milter = &milter{Remove: map[string]int{"X-Rempart-Action": 0}, Add: map[string]added{"X-Rempart-Score": {Value: rapid.String().Draw(t, "value")}}}
		}
		want := answered{reply: *r, Symbols: map[string]symbol{}}
		for i := range r.Parts {
			want.Symbols[r.Parts[i].Name] = symbolOf(&r.Parts[i])
		}
		if got, want := fields(t, r.encode(nil)), fields(t, encoded(want)); !reflect.DeepEqual(got, want) {
			t.Errorf("encoded as\n%v\nwant\n%v", got, want)
		}
	})
}

func fields(t *rapid.T, text []byte) (all map[string]any) {
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return all
}
