package filter

import (
	"context"
	"fmt"
	"testing"
	"time"

	"rempart/filter/behaviour"
	"rempart/geo"
	"rempart/message"
)

// caller judges calls as the node does: each arrives once.
type caller struct {
	*Filter
	now time.Time
}

func newCaller(t *testing.T, home string) *caller {
	t.Helper()
	places, err := geo.Open(geo.Config{Home: home})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { places.Close() })
	unused, err := behaviour.NewUnused(behaviour.Config{NeverOriginate: []string{"+44800*"}})
	if err != nil {
		t.Fatal(err)
	}
	f := New(Options{})
	f.Ask(Asks{Places: places, Unused: unused})
	return &caller{f, time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)}
}

func (c *caller) call(from, to string) (*message.Message, *message.Verdict) {
	m := &message.Message{Channel: message.Call, Direction: message.In, Call: &message.CallInfo{}, Arrived: c.now, MailFrom: from,
		Source: message.Source{ID: from}, Recipients: []message.Recipient{{Address: to}}}
	c.Arrive(m)
	v := c.Judge(context.Background(), m, m.Recipients).Worst()
	if again := c.Judge(context.Background(), m, m.Recipients).Worst(); again.Score != v.Score {
		panic("a call that is judged twice counts twice")
	}
	return m, v
}

func TestCalls(t *testing.T) {
	c := newCaller(t, "GB")
	m, v := c.call("02079460018", "+442079460100")
	if m.Facts.From.E164 != "+442079460018" || m.Source.Country != "GB" || m.Source.Line == message.LineUnknown || v.Probability > 0.2 {
		t.Errorf("a call from the next street: %+v, %v", m.Facts.From, v.Probability)
	}
	if _, v := c.call("+448001111111", "+442079460100"); v.Probability < 0.9 || v.Category != message.Phishing {
		t.Errorf("a hotline that calls: %v, %v", v.Probability, v.Category)
	}
	m, _ = c.call("+442079460018", "999")
	if !m.Facts.Emergency {
		t.Error("999 is no emergency number")
	}
	if m, _ := c.call("+442079460018", "+442079460999"); m.Facts.Emergency {
		t.Error("a number that ends in 999 is an emergency number")
	}
}

// A robot is found by what it does: many calls, few answered, and those over at once. A call centre whose calls last is not.
func TestCallersAreJudgedByWhatTheyDo(t *testing.T) {
	c := newCaller(t, "GB")
	const robot, centre = "+442079460001", "+442079460002"
	var bad, good *message.Verdict
	for i := range 60 {
		c.now = c.now.Add(2 * time.Second)
		callee := fmt.Sprintf("+4479111%05d", i*37)
		_, bad = c.call(robot, callee)
		c.Called(message.CallRecord{Caller: robot, Callee: callee, Answered: i%8 == 0, Duration: 3 * time.Second, HungUp: message.Callee})
		_, good = c.call(centre, callee)
		c.Called(message.CallRecord{Caller: "02079460002", Callee: callee, Answered: i%3 > 0, Duration: 2 * time.Minute, HungUp: message.Caller})
	}
	if bad.Probability < 0.9 || good.Probability > 0.5 {
		t.Errorf("robot %v %v, call centre %v %v", bad.Probability, names(bad), good.Probability, names(good))
	}
	if list := c.Callers(c.now, 5); len(list) != 2 || list[0].Hour != 60 || list[0].Ended != 60 {
		t.Errorf("busiest: %+v", list)
	}
}

func names(v *message.Verdict) (out []string) {
	for _, p := range v.Contributions {
		out = append(out, fmt.Sprintf("%s %+.1f", p.Name, p.Weight().Float()))
	}
	return out
}
