package rspamd

import (
	"fmt"
	"slices"

	"rempart/catalogue"
	"rempart/gateway"
	"rempart/message"
)

// thousandths are the points of a score of 1.
const thousandths = 1000

// scale has the thresholds of rspamd's own configuration.
var scale = gateway.Scale{PerScore: thousandths, Greylist: 4_000, Mark: 6_000, Refuse: 15_000}

// reactions are the actions of the protocol as places on the scale.
var reactions = map[string]gateway.Reaction{noAction: gateway.Pass, softReject: gateway.PutOff,
	addHeader: gateway.Marked, rewriteSubject: gateway.Marked, reject: gateway.Refused}

// symbol is one part of a score, as clients get it.
type symbol struct {
	Name        string   `json:"name"`
	Score       float64  `json:"score"`
	MetricScore float64  `json:"metric_score"` // for an input of 1
	Description string   `json:"description"`
	Options     []string `json:"options,omitempty"` // arguments of the description
}

func symbolOf(p *gateway.Part) symbol {
	return symbol{Name: p.Name, Score: scale.Score(p.Points), MetricScore: scale.Score(p.PerInput), Description: p.Reason,
		Options: options(p.Contribution)}
}

// options are the arguments of a description.
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
