package policy

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/expr-lang/expr/vm"

	"rempart/message"
)

// RuleConfig is a rule of the operator's own, table [[policy.rule]].
type RuleConfig struct {
	// Name of the rule in decisions, metrics and the log, where it stands as "rule:NAME": letters, digits, "-", "_" and ".", at most 64.
	Name string `toml:"name"`

	// When is a condition in the language of expr-lang.org: "verdict.probability > 0.3 and message.subject contains
	// 'invoice'". docs/policy.md lists what it can ask.
	When string `toml:"when"`

	// Action if the condition holds: accept, tag, rewrite, hold, quarantine, tempfail, throttle, reject or discard. It stands
	// instead of what the thresholds ask for.
	Action message.Action `toml:"action"`

	// Mode "shadow" tries a rule out: a match is recorded and counted, the decision is made without it. Default: judge.
	Mode message.Mode `toml:"mode"`
}

// rulePrefix stands before the name of an operator's rule, so that it is nobody else's.
const rulePrefix = "rule:"

// Bounds of the rules. 200 rules that all go over their time hold a message up for a second; a rule of ten conditions takes
// some microseconds.
const (
	maxRules     = 200
	maxRuleBytes = 16 << 10
	maxRuleNodes = 1000                 // of its syntax tree
	maxRuleTime  = 5 * time.Millisecond // for one message, all recipients together
	maxRuleSpace = 10_000               // elements of lists that one evaluation makes
)

// rule is a compiled [RuleConfig]. It is immutable.
type rule struct {
	config  RuleConfig
	match   message.Match
	program *vm.Program
	// personal: the condition asks about the recipient, so that an answer for one does not hold for the next.
	personal bool
	// needs are the facts it asks that events do not record.
	needs []string
}

var ruleName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// compileRules checks the rules; errors name their keys.
func compileRules(all []RuleConfig) (rules []rule, err error) {
	if len(all) > maxRules {
		return nil, fmt.Errorf("policy.rule: %d rules, at most %d can be asked in time", len(all), maxRules)
	}
	var errs []error
	seen := map[string]bool{}
	for i, c := range all {
		key := fmt.Sprintf("policy.rule[%d]", i)
		switch {
		case !ruleName.MatchString(c.Name):
			errs = append(errs, fmt.Errorf("%s.name = %q: use letters, digits, \"-\", \"_\" and \".\", at most 64", key, c.Name))
		case seen[c.Name]:
			errs = append(errs, fmt.Errorf("%s.name = %q: an earlier rule is named so already", key, c.Name))
		}
		seen[c.Name] = true
		if c.Action != message.Accept && !thresholdAction(c.Action) {
			errs = append(errs, fmt.Errorf("%s.action = %q: use accept, tag, rewrite, hold, quarantine, tempfail, throttle, reject or discard", key, c.Action))
		}
		if c.Mode > message.ModeShadow {
			errs = append(errs, fmt.Errorf("%s.mode = %q: use judge or shadow", key, c.Mode))
		}
		r, err := compileRule(key+".when", c.When)
		errs = append(errs, err)
		r.config = c
		r.match = message.Match{Rule: rulePrefix + c.Name, Action: c.Action, Mode: c.Mode}
		rules = append(rules, r)
	}
	return rules, errors.Join(errs...)
}

// RuleName is the name of an operator's rule from what stands in decisions; ok is false if it is none.
func RuleName(rule string) (name string, ok bool) { return strings.CutPrefix(rule, rulePrefix) }

// hearing is the operator's rules asked about one message.
type hearing struct {
	rules   []rule
	facts   *ruleFacts
	vm      *vm.VM
	answers []ruleAnswer     // by rule
	was     *message.Outcome // what was decided for the recipient at hand, if that is decided again
}

// ruleAnswer is what a rule said last, and what time it took so far.
type ruleAnswer struct {
	about *message.Verdict
	asked bool
	fits  bool
	err   error
	spent time.Duration
	work  time.Duration // left of the budget's
}

func newHearing(rules []rule, m *message.Message) hearing {
	if len(rules) == 0 {
		return hearing{}
	}
	h := hearing{rules: rules, facts: newRuleFacts(m), vm: &vm.VM{MemoryBudget: maxRuleSpace}, answers: make([]ruleAnswer, len(rules))}
	for i := range h.answers {
		h.answers[i].work = unclocked
	}
	return h
}

// decide appends the rules that fit one recipient, up to and with the first in force. skipped are those that could not be asked:
// the recipient is decided for as if they were not there.
func (h *hearing) decide(out []message.Match, to *message.Recipient, v *message.Verdict) (matches []message.Match, skipped []string) {
	for i := range h.rules {
		fits, err := h.ask(i, to, v)
		if err != nil {
			skipped = append(skipped, h.rules[i].match.Rule)
		}
		if !fits {
			continue
		}
		out = append(out, h.rules[i].match)
		if h.rules[i].match.Mode == message.ModeJudge {
			break
		}
	}
	return out, skipped
}

// ask evaluates one rule. A rule that failed is not asked again about this message.
func (h *hearing) ask(i int, to *message.Recipient, v *message.Verdict) (fits bool, err error) {
	r, a := &h.rules[i], &h.answers[i]
	if h.was != nil && len(r.needs) > 0 {
		return recalled(h.was, r.match.Rule), nil
	}
	if a.err != nil || a.asked && a.about == v && !r.personal {
		return a.fits, a.err
	}
	h.facts.turnTo(to, v)
	start := time.Now()
	*h.facts.Budget = budget{until: start.Add(maxRuleTime - a.spent), work: a.work}
	out, err := h.vm.Run(r.program, h.facts)
	fits, _ = out.(bool)
	*a = ruleAnswer{about: v, asked: true, fits: fits && err == nil, err: err, spent: a.spent + time.Since(start), work: h.facts.Budget.work}
	return a.fits, a.err
}
