package message

import "testing"

func TestMasked(t *testing.T) {
	for s, want := range map[string]string{
		"": "", "ben@b.example": "b**@b.example", "@b.example": "@b.example", "+441632960001": "+************", "änne": "ä***", "a@b@c": "a@b@c",
	} {
		if got := Masked(s); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
}
