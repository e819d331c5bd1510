package gateway

import "rempart/message"

// One is the decision that all recipients of a mail share after policy united them (message.OneAnswer), and which of them, by their
// places, are to be removed, those among them whose copy is kept; if all are, it is theirs. Recipients in shadow or tap share
// nothing: if there are no others the mail passes.
func (a Answer) One() (d message.Decision, removed []int) {
	d = message.Decision{Action: message.Accept}
	found, gone := false, message.Remove
	for i := range a.Decisions {
		switch action := a.Decisions[i].Effective(); {
		case action == message.Remove:
			removed = append(removed, i)
		case action == message.Quarantine && a.Kept:
			removed, gone = append(removed, i), action
		case a.Decisions[i].Mode == message.ModeJudge && !found:
			d, found = a.Decisions[i], true
		}
	}
	if len(removed) == len(a.Decisions) {
		d = message.Decision{Action: gone}
	}
	return d, removed
}
