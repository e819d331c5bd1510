package catalogue

import (
	"time"

	"rempart/message"
)

// Verdict is a judged message as JSON: what scan prints and the API answers. Scripts rely on it; members are added,
// never renamed.
type Verdict struct {
	ID          string            `json:"id"`
	Path        string            `json:"path,omitempty" doc:"file it was read from"`
	Channel     message.Channel   `json:"channel"`
	Direction   message.Direction `json:"direction"`
	Score       float64           `json:"score" doc:"log-odds that it is spam; the sum of the signals' weights"`
	Probability float64           `json:"probability" doc:"that it is spam, 0 to 1"`
	Category    message.Category  `json:"category"`
	Action      message.Action    `json:"action"`
	Signals     []Signal          `json:"signals"`
	Source      Source            `json:"source"`
	Route       []Hop             `json:"route"`
}

// Signal is one part of a score.
type Signal struct {
	Name   string         `json:"name"`
	State  message.State  `json:"state"`
	Value  float64        `json:"value"`
	Weight float64        `json:"weight" doc:"log-odds that it adds to the score"`
	Method message.Method `json:"method" doc:"X.1245: source, characteristic or content"`
	Reason string         `json:"reason" doc:"a sentence that can be read out"`
	Args   []any          `json:"args"`
}

// Source is who originated the message, as far as it can be trusted.
type Source struct {
	Address string `json:"address"`
	Network uint32 `json:"network" doc:"autonomous system number; 0 if unknown"`
	Country string `json:"country"`
	ID      string `json:"id" doc:"sender ID, number or domain"`
}

// Hop is one hand-over on the way, the nearest to us first.
type Hop struct {
	From    string     `json:"from"`
	Address string     `json:"address,omitempty"`
	By      string     `json:"by"`
	With    string     `json:"with,omitempty"`
	At      *time.Time `json:"at,omitempty"`
	Trusted bool       `json:"trusted" doc:"written by a host of the operator; the rest is only claimed"`
}

// Verdict renders v in the catalogue's language.
func (c *Catalogue) Verdict(m *message.Message, v *message.Verdict, action message.Action) Verdict {
	out := Verdict{ID: m.ID, Channel: m.Channel, Direction: m.Direction, Score: v.Score.Float(), Probability: v.Probability,
		Category: v.Category, Action: action, Signals: c.Signals(v), Source: Source{m.Source.Client(), m.Source.Network,
			m.Source.Country, m.Source.ID}, Route: make([]Hop, 0, len(m.Route))}
	for _, h := range m.Route {
		hop := Hop{From: h.From, By: h.By, With: h.With, Trusted: h.Trusted}
		if h.Address.IsValid() {
			hop.Address = h.Address.String()
		}
		if !h.At.IsZero() {
			hop.At = &h.At
		}
		out.Route = append(out.Route, hop)
	}
	return out
}

// Signals renders the contributions of v, in their order.
func (c *Catalogue) Signals(v *message.Verdict) []Signal {
	signals := make([]Signal, 0, len(v.Contributions))
	for _, p := range v.Contributions {
		args := p.Args
		if args == nil {
			args = []any{}
		}
		signals = append(signals, Signal{Name: p.Name, State: p.State, Value: p.Input.Float(), Weight: p.Weight().Float(),
			Method: p.Method, Reason: c.Explain(p), Args: args})
	}
	return signals
}

// Explain is the sentence of one contribution: a signal that could not be asked for says so.
func (c *Catalogue) Explain(p message.Contribution) string {
	if p.State == message.StateUnknown {
		return c.Say("unknown", p.Name)
	}
	return c.Reason(p.Name, p.Args...)
}

// Word says a probability as a reader would.
func (c *Catalogue) Word(probability float64) string {
	switch {
	case probability >= 0.99:
		return c.Say("word.almost_certainly_spam")
	case probability >= 0.9:
		return c.Say("word.very_likely_spam")
	case probability >= 0.5:
		return c.Say("word.probably_spam")
	case probability >= 0.1:
		return c.Say("word.probably_honest")
	}
	return c.Say("word.honest")
}
