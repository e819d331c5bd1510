package measure

import (
	"sync"
	"testing"
	"time"

	"rempart/message"
)

func TestHours(t *testing.T) {
	start := time.Date(2026, 3, 1, 12, 10, 0, 0, time.UTC)
	tallies := New("a", start, 30*24*time.Hour, [32]byte{1}, nil)
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

// Who reads a total sees one moment of it; counting goes on meanwhile and loses nothing.
func TestTotalIsOneMoment(t *testing.T) {
	start := time.Date(2026, 3, 1, 12, 10, 0, 0, time.UTC)
	tallies := New("a", start, 30*24*time.Hour, [32]byte{1}, nil)
	fold := func() {
		tallies.Fold(&message.Event{Time: start, Channel: message.Email, Direction: message.In, Source: message.Source{Country: "XA"},
			Verdicts: []message.Verdict{{}}, Outcomes: []message.Outcome{{Decision: message.Decision{Action: message.Accept}}}})
	}
	const each = 200
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range each {
				fold()
			}
		})
		all.Go(func() {
			for range 50 {
				total := tallies.Total(start.Add(-time.Hour), start.Add(time.Hour))
				n := total.Messages(Select{})
				if c := total.Countries(Select{}, 1); n > 0 && (len(c) != 1 || c[0].Messages != n) {
					t.Errorf("%d messages, %+v", n, c)
				}
				if err := tallies.Checkpoint(func(string, []byte) error { return nil }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	total := tallies.Total(start.Add(-time.Hour), start.Add(time.Hour))
	if n := total.Messages(Select{}); n != 4*each {
		t.Errorf("%d messages, want %d", n, 4*each)
	}
	if err := tallies.Checkpoint(func(string, []byte) error { return nil }); err != nil {
		t.Error(err)
	}
	if err := tallies.Checkpoint(func(id string, _ []byte) error { t.Errorf("%s is saved again", id); return nil }); err != nil {
		t.Error(err)
	}
}
