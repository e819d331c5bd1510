package measure

import (
	"testing"
	"time"

	"rempart/message"
)

func TestHours(t *testing.T) {
	start := time.Date(2026, 3, 1, 12, 10, 0, 0, time.UTC)
	tallies := New("a", start, 30*24*time.Hour, [32]byte{1})
	for _, after := range []time.Duration{0, time.Minute, 2 * time.Hour} {
		tallies.Fold(&message.Event{Time: start.Add(after), Channel: message.Email, Direction: message.In,
			Verdicts: []message.Verdict{{}}, Outcomes: []message.Outcome{{Decision: message.Decision{Action: message.Accept}}}})
	}
	hours := tallies.Hours(start, start.Add(4*time.Hour))
	if len(hours) != 4 || !hours[0].Time.Equal(start.Truncate(time.Hour).Add(time.Hour)) {
		t.Fatalf("%d hours from %v", len(hours), hours[0].Time)
	}
	hours = tallies.Hours(start.Truncate(time.Hour), start.Add(3*time.Hour))
	var got []uint64
	for _, h := range hours {
		var n uint64
		for _, v := range h.Volumes {
			n += v.Messages
		}
		got = append(got, n)
	}
	if len(got) != 4 || got[0] != 2 || got[1] != 0 || got[2] != 1 || got[3] != 0 {
		t.Errorf("%v, want [2 0 1 0]", got)
	}
}
