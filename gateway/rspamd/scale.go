package rspamd

import (
	"fmt"
	"slices"

	"rempart/catalogue"
	"rempart/gateway"
	"rempart/message"
)

// scale has the thresholds of rspamd's own configuration, in thousandths.
var scale = gateway.Scale{PerScore: 1000, Greylist: 4_000, Mark: 6_000, Refuse: 15_000}

// reactions are the actions of the protocol as places on the scale.
var reactions = map[string]gateway.Reaction{noAction: gateway.Pass, softReject: gateway.PutOff,
	addHeader: gateway.Marked, rewriteSubject: gateway.Marked, reject: gateway.Refused}

// symbol is one part of a score.
type symbol struct {
	Name        string   `json:"name"`
	Score       float64  `json:"score"`
	MetricScore float64  `json:"metric_score"` // for an input of 1
	Description string   `json:"description"`
	Options     []string `json:"options,omitempty"` // arguments of the description
}

// symbols are the parts of a score, each name once.
type symbols []symbol

// symbolsOf are the contributions of v on rspamd's scale; their scores add up to total exactly.
func symbolsOf(v *message.Verdict, total gateway.Points) symbols {
	parts := scale.Parts(v, total)
	all := make(symbols, len(parts))
	for i, p := range parts {
		all[i] = symbol{Name: p.Name, Score: scale.Score(p.Points), MetricScore: scale.Score(p.PerInput), Description: p.Reason,
			Options: options(p.Contribution)}
	}
	return all
}

func options(c *message.Contribution) (list []string) {
	if c == nil {
		return nil
	}
	if c.State == message.StateUnknown {
		return []string{c.State.String()}
	}
	for _, a := range c.Args {
		s, ok := a.(string)
		if !ok {
			s = fmt.Sprint(a)
		}
		list = append(list, catalogue.Seen(s))
	}
	return list
}

// spam reports whether rspamd counts a mail with that action as spam.
func spam(action string) bool {
	return slices.Contains([]string{addHeader, rewriteSubject, softReject, reject}, action)
}
