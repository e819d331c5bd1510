// Package policy decides what is done with a judged message: one [message.Decision] a recipient, from the verdict's
// probability, the operator's thresholds and lists, and the mode. It is the only place that does.
//
// Thresholds belong to the node, a tenant, a domain or a user; the narrowest that names one counts. Reject and discard
// need a signal about the source: what a message says, or what a learner thinks of it, never refuses it alone; only malware that a
// scanner knows does. Lists name verified identities; limits put off what comes too fast, greylisting what is unsure and comes for the
// first time. In shadow and tap mode the decision says what would have been done.
//
// A decision records the thresholds and list matches it was made from, so that [Remake] makes it again from the event.
// All functions are pure, but for the clock that cuts a rule off, and safe for concurrent use.
package policy

import (
	"rempart/catalogue"
	"rempart/message"
)

// Rules that decide, as they stand in [message.Decision.Rule] beside the names of list entries.
const (
	// RuleNone: no threshold was reached.
	RuleNone = "none"
	// RuleThreshold: the severest threshold reached.
	RuleThreshold = "threshold"
	// RuleSourceMissing: a threshold for reject or discard was reached, but nothing about the source spoke against the
	// message, so that the next milder one decided.
	RuleSourceMissing = "threshold_without_source"
	// RuleEmergency: a call to an emergency number passes, whatever else is known of it.
	RuleEmergency = "emergency"
	// RuleLoop: the mail went in circles, and would go on.
	RuleLoop = "loop"
	// RuleMalware: a scanner found malware in the mail.
	RuleMalware = "malware"
	// RuleMajority: recipients wanted unlike things, and the front door has one answer for all.
	RuleMajority = "majority"
)

// Decide returns one decision a recipient of m, in their order; one for a message without recipients. j's verdicts are in
// the same order; a recipient without one is accepted.
func Decide(j message.Judgement, m *message.Message, r *Rules) []message.Decision {
	return r.decide(j, m, nil)
}

// decide decides about m, or again about what is recorded as was: then what the record does not say comes from its matches.
func (r *Rules) decide(j message.Judgement, m *message.Message, was *message.Event) []message.Decision {
	out := make([]message.Decision, max(1, len(m.Recipients)))
	h := newHearing(r.own, m)
	for i := range out {
		var v *message.Verdict
		if i < len(j.Verdicts) {
			v = j.Verdicts[i]
		}
		if was != nil {
			h.was = &was.Outcomes[i]
		}
		out[i] = r.decideFor(i, m, &h, v)
	}
	if m.OneAnswer {
		unite(out)
	}
	return out
}

// decideFor decides for recipient i of m, as if each had an answer of its own.
func (r *Rules) decideFor(i int, m *message.Message, h *hearing, v *message.Verdict) message.Decision {
	var to *message.Recipient
	if i < len(m.Recipients) {
		to = &m.Recipients[i]
	}
	chain := r.chain(m, to)
	d := message.Decision{Mode: m.Mode, Thresholds: r.plain}
	d.Matches, d.Skipped = r.matches(chain, m, i, h, v)
	if len(chain) > 1 {
		d.Thresholds = thresholds(chain)
	}
	if len(d.Thresholds) > 0 && d.Thresholds[0].Action == message.Greylist && !r.waits(m, i) {
		d.Thresholds = d.Thresholds[1:]
	}
	for _, s := range chain {
		if s.mode != nil {
			d.Mode = max(d.Mode, *s.mode) // the door's mode is a lid
			break
		}
	}
	return remake(v, d)
}

// Remake makes the decisions of a recorded event again, from the event alone. They equal the recorded ones.
func Remake(e *message.Event) []message.Decision {
	out := make([]message.Decision, len(e.Outcomes))
	united := false
	for i, o := range e.Outcomes {
		var v *message.Verdict
		if o.Verdict >= 0 && o.Verdict < len(e.Verdicts) {
			v = &e.Verdicts[o.Verdict]
		}
		out[i] = remake(v, message.Decision{
			Mode: o.Decision.Mode, Thresholds: o.Decision.Thresholds, Matches: o.Decision.Matches, Skipped: o.Decision.Skipped,
		})
		united = united || o.Decision.United
	}
	if united {
		unite(out)
	}
	return out
}

// remake fills action, rule and text from the verdict and what d recorded.
func remake(v *message.Verdict, d message.Decision) message.Decision {
	d.Action, d.Rule = choose(v, d)
	d.Text = textOf(d.Action)
	switch {
	case d.Rule == RuleLoop:
		d.Text = catalogue.English().Say("answer.loop")
	case d.Rule == RuleMalware && d.Action == message.Reject:
		d.Text = catalogue.English().Say("answer.malware")
	case limits(d.Rule):
		d.Text = catalogue.English().Say("answer.limit")
	}
	return d
}

func textOf(a message.Action) string {
	switch a {
	case message.Reject:
		return catalogue.English().Say("answer.reject")
	case message.Greylist:
		return catalogue.English().Say("answer.greylist")
	case message.Tempfail, message.Throttle:
		return catalogue.English().Say("answer.tempfail")
	}
	return ""
}

func choose(v *message.Verdict, d message.Decision) (message.Action, string) {
	limit := ""
	for _, m := range d.Matches {
		switch {
		case m.Mode != message.ModeJudge:
		case limits(m.Rule):
			limit = m.Rule
		default:
			return m.Action, m.Rule
		}
	}
	action, rule := reached(v, d)
	if limit != "" && !irrevocable(action) { // what is refused anyway need not come again
		return message.Tempfail, limit
	}
	return action, rule
}

// reached is the severest action whose threshold v reaches.
func reached(v *message.Verdict, d message.Decision) (message.Action, string) {
	if v == nil {
		return message.Accept, RuleNone
	}
	action, rule := message.Accept, RuleNone
	source := againstSource(v)
	for _, t := range d.Thresholds { // mildest first: the last one reached is the severest
		if v.Probability < t.From {
			continue
		}
		if irrevocable(t.Action) && !source {
			rule = RuleSourceMissing
			continue
		}
		action, rule = t.Action, RuleThreshold
	}
	return action, rule
}

// irrevocable actions leave neither sender nor recipient with a copy to look at.
func irrevocable(a message.Action) bool { return a == message.Reject || a == message.Discard }

// againstSource reports whether a fact about the source speaks against the message.
func againstSource(v *message.Verdict) bool {
	for _, c := range v.Contributions {
		if c.Method == message.SourceAnalysis && c.State == message.StatePresent && c.Weight() > 0 {
			return true
		}
	}
	return false
}

// matches are the list entries and rules that decide for the i-th recipient or would have: up to and with the first in force, since
// what stands behind it is never asked. The operator's rules stand behind all lists, a limit that the mail is beyond behind them.
// skipped are the rules that could not be asked.
func (r *Rules) matches(chain []*scope, m *message.Message, i int, h *hearing, v *message.Verdict) (out []message.Match, skipped []string) {
	if m.Facts.Emergency || recalled(h.was, RuleEmergency) {
		return []message.Match{{Rule: RuleEmergency, Action: message.Accept}}, nil
	}
	if loops(m) || recalled(h.was, RuleLoop) {
		return []message.Match{{Rule: RuleLoop, Action: message.Reject}}, nil
	}
	if action := onMalware(chain); carriesMalware(m) && action != message.Accept {
		return []message.Match{{Rule: RuleMalware, Action: action}}, nil
	}
	for _, s := range chain {
		for _, e := range s.lists {
			if fits := e.fits(m) || e.system != "" && recalled(h.was, e.match.Rule); !fits {
				continue
			}
			out = append(out, e.match)
			if e.match.Mode == message.ModeJudge {
				return out, nil
			}
		}
	}
	var to *message.Recipient
	if i < len(m.Recipients) {
		to = &m.Recipients[i]
	}
	if out, skipped = h.decide(out, to, v); decided(out) {
		return out, skipped
	}
	if rule := r.limit.exceeded(m, i); rule != "" {
		out = append(out, message.Match{Rule: rule, Action: message.Tempfail})
	}
	return out, skipped
}

// decided reports whether the last match is in force.
func decided(matches []message.Match) bool {
	return len(matches) > 0 && matches[len(matches)-1].Mode == message.ModeJudge
}

// carriesMalware reports a known program that a scanner found. A sender whom all know may be the first whom it took.
func carriesMalware(m *message.Message) bool {
	return m.Facts.Scan.State == message.StatePresent && !m.Facts.Scan.Guess
}

// onMalware is what the narrowest scope that says so wants done with it.
func onMalware(chain []*scope) message.Action {
	for _, s := range chain {
		if s.malware != 0 {
			return s.malware
		}
	}
	return message.Accept
}

// Limits of a mail's way. RFC 5321 section 6.3 wants at least 100 hops in a server that counts alone; mail servers have long settled
// for 50, as Postfix does. Nobody's mail passes our own mark ten times.
const (
	maxReceived = 50
	maxMarked   = 10
)

// loops reports whether a mail goes in circles: it went through more servers than any mail needs, or often through us.
func loops(m *message.Message) bool {
	if m.Channel != message.Email || len(m.Header) <= maxMarked {
		return false
	}
	return m.Header.Count("Received") > maxReceived || m.Header.Count("X-Rempart-ID") > maxMarked
}
