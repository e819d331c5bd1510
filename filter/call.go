package filter

import (
	"time"

	"rempart/filter/behaviour"
	"rempart/message"
)

// Arrive notes what of m the signals of later messages are about: that its caller calls, that its account sends. It is told of every message once,
// before it is judged; [Filter.Judge] changes nothing, so that a message can be judged again.
func (f *Filter) Arrive(m *message.Message) {
	if m.Channel == message.Email {
		f.arriveMail(m)
	}
	if m.Channel != message.Call {
		return
	}
	if p := f.asks.Load().Places; p != nil {
		readNumbers(m, p)
	}
	f.calls.Begin(callerOf(m), calleeOf(m), m.Arrived)
}

// Called notes how a call ended.
func (f *Filter) Called(r message.CallRecord) {
	if p := f.asks.Load().Places; p != nil {
		if n := p.Number(r.Caller); n.E164 != "" {
			r.Caller = n.E164
		}
	}
	f.calls.End(&r)
}

// gatherCall completes what is known of a call's caller.
func (f *Filter) gatherCall(m *message.Message, asks *Asks) {
	if m.Channel != message.Call {
		return
	}
	number := callerOf(m)
	m.Facts.NeverOriginates = asks.Unused.Has(number)
	m.Facts.Calling = f.calls.Of(number, m.Arrived)
}

// callerOf is the number that a caller is known by: in the international form where the plan can read it.
func callerOf(m *message.Message) string {
	if n := m.Facts.From.E164; n != "" {
		return n
	}
	return m.Source.ID
}

func calleeOf(m *message.Message) string {
	if n := m.Facts.To.E164; n != "" {
		return n
	}
	if len(m.Recipients) > 0 {
		return m.Recipients[0].Address
	}
	return ""
}

// Callers are those who began most calls within the hour before at, at most n.
func (f *Filter) Callers(at time.Time, n int) []behaviour.BusyCaller { return f.calls.Busiest(at, n) }
