package learn

import "rempart/message"

// Extractor is the version of the features below. Lessons carry it.
const Extractor = 3

// learner is one way to learn from one view of a message. Its name is public: contributions and lessons use it. A change of
// extract is a new row under a new name beside the old one: the old keeps what it was taught until the new one is as good. One that
// only looks at fewer of the same features is none: what was taught counts on by those.
type learner struct {
	name     string
	make     func(bits uint) table
	bits     uint                                // of the shared table
	wide     bool                                // it sees so many features of a mail that all tenants share one table
	replaces string                              // the learner whose place it takes once it is as good; empty: none
	extract  func(*features, *message.Message)   // nil: it sees the features of the row above
	share    map[message.Channel]message.LogOdds // of the combiner before anything was taught; no share: not run
}

// learners are the rows, in the order they run. Unlike views, and unlike ways to learn from one view, err on unlike
// messages: their sum beats the best of them. Short texts have too few features for rates to tell. A new row comes last: the
// effects of lessons are kept by place.
var learners = append([]learner{
	{name: "learner_head", make: newLinear, bits: 19, wide: true, extract: headBytes, share: shares{message.Email: one / 8}},
	{name: "learner_body", make: newLinear, bits: 21, wide: true, extract: bodyBytes, share: shares{message.Email: one / 8}},
	{name: "learner_text", make: newLinear, bits: 20, wide: true, extract: decodedText,
		share: shares{message.Email: one / 8, message.SMS: one * 4 / 5, message.Call: one / 2, message.IM: one * 4 / 5}},
	{name: "learner_text_counts", make: newCounts, bits: 19, wide: true, share: shares{message.Email: one / 8}},
	{name: "learner_fields", make: newLinear, bits: 20, extract: fields, share: shares{message.Email: one / 8}},
	{name: "learner_fields_counts", make: newCounts, bits: 18, share: shares{message.Email: one / 8}},
	{name: "learner_words", make: newLinear, bits: 20, extract: words,
		share: shares{message.Email: one / 8, message.SMS: one / 5, message.Call: one / 2, message.IM: one / 5}},
	{name: "learner_words_counts", make: newCounts, bits: 19, share: shares{message.Email: one / 8}},
}, heirs...)

// tableOf is a tenant's own table of a learner for a channel; nil where it has none.
func tableOf(own []table, l int, c message.Channel) table {
	if own == nil || learners[l].wide && c == message.Email {
		return nil
	}
	return own[l]
}

// viewOf is the row whose features a row sees.
func viewOf(l int) int {
	for learners[l].extract == nil {
		l--
	}
	return l
}

type shares = map[message.Channel]message.LogOdds

const one = message.One
