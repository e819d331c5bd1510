package maildir

import "rempart/message"

// Order is in what order a store's mail is taught.
type Order struct {
	Taught []Entry
	// Held is the last tenth, the oldest of either kind: what is learned from the others is measured by it, then it is taught
	// too.
	Held []Entry
	// Left is how many are not taught, because there are too many of one kind.
	Left int
}

// MostOfOne is how many mails of the more frequent kind are taught for each of the other, the newest: lessons of one kind
// alone make a filter that says always the same.
const MostOfOne = 4

// Plan orders entries: the newest first, spam and honest mail in turns until one kind is used up, then what is left of the
// other up to [MostOfOne] times as many. It is empty if there is but one kind.
func Plan(entries []Entry) (o Order) {
	spam, ham := split(entries)
	most := MostOfOne * min(len(spam), len(ham))
	o.Left = max(0, len(spam)-most) + max(0, len(ham)-most)
	spam, ham = spam[:min(len(spam), most)], ham[:min(len(ham), most)]
	heldSpam, heldHam := len(spam)-len(spam)/10, len(ham)-len(ham)/10
	o.Taught = alternate(spam[:heldSpam], ham[:heldHam])
	o.Held = alternate(spam[heldSpam:], ham[heldHam:])
	return o
}

func split(entries []Entry) (spam, ham []Entry) {
	newestFirst(entries)
	for _, e := range entries {
		if e.Label == message.Spam {
			spam = append(spam, e)
		} else {
			ham = append(ham, e)
		}
	}
	return spam, ham
}

func alternate(a, b []Entry) []Entry {
	all := make([]Entry, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		all = append(all, a[0], b[0])
		a, b = a[1:], b[1:]
	}
	return append(append(all, a...), b...)
}
