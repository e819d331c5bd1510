package policy

import "rempart/message"

// unite makes one answer of decisions that differ, for a front door that can give only one to all recipients. It refuses
// only if all refuse, and then as the mildest of them does. Else the majority decides, the milder at a tie; who asked
// for a refusal counts for hold, so that a copy remains to be looked at; who would have greylisted counts for accept. A
// recipient in shadow or tap counts for accept and keeps its decision, which is not carried out; one that is to be removed is
// removed and does not count.
func unite(all []message.Decision) {
	votes := make(map[message.Action]int)
	refuse, first, differ := true, message.Action(0), false
	for _, d := range all {
		a := d.Effective()
		if a == message.Remove {
			continue
		}
		if first == 0 {
			first = a
		}
		differ = differ || a != first
		refuse = refuse && refuses(a)
		votes[a]++
	}
	if !differ {
		return
	}
	action := message.Action(0)
	if refuse {
		for a := range votes {
			if action == 0 || a < action {
				action = a
			}
		}
	} else {
		action = majority(votes)
	}
	for i := range all {
		if d := &all[i]; d.Mode == message.ModeJudge && d.Action != message.Remove {
			d.United = true
			if d.Action != action {
				d.Action, d.Rule, d.Text = action, RuleMajority, textOf(action)
			}
		}
	}
}

func majority(votes map[message.Action]int) message.Action {
	counted := make(map[message.Action]int, len(votes))
	for a, n := range votes {
		switch {
		case a == message.Greylist:
			a = message.Accept // the others' copy goes at once, and nothing was held against the mail
		case refuses(a):
			a = message.Hold
		}
		counted[a] += n
	}
	best := message.Action(0)
	for a, n := range counted {
		if best == 0 || n > counted[best] || n == counted[best] && a < best {
			best = a
		}
	}
	return best
}

// refuses reports whether the sender keeps the message, or nobody does.
func refuses(a message.Action) bool {
	switch a {
	case message.Greylist, message.Tempfail, message.Throttle, message.Challenge, message.Reject, message.Discard:
		return true
	}
	return false
}
