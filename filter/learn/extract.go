package learn

import "rempart/message"

// Extractor is the version of the features below. Lessons carry it.
const Extractor = 1

// learner is one view of a message. Its name is public: contributions and lessons use it. A change of extract is a new
// row under a new name beside the old one: the old keeps what it was taught until the new one is as good.
type learner struct {
	name     string
	bits     uint   // of the shared table
	replaces string // the learner whose place it takes once it is as good; empty: none
	extract  func(*features, *message.Message)
	share    map[message.Channel]message.LogOdds // of the combiner before anything was taught; no share: not run
}

// learners are the views, in the order they run. Unlike views err on unlike messages: their sum beats the best of them.
// A new row comes last: the effects of lessons are kept by place.
var learners = append([]learner{
	{name: "learner_bytes", bits: 21, extract: rawBytes,
		share: shares{message.Email: one / 3}},
	{name: "learner_text", bits: 21, extract: decodedText,
		share: shares{message.Email: one / 3, message.SMS: one * 4 / 5, message.Call: one / 2, message.IM: one * 4 / 5}},
	{name: "learner_tokens", bits: 21, extract: tokens,
		share: shares{message.Email: one / 3, message.SMS: one / 5, message.Call: one / 2, message.IM: one / 5}},
}, heirs...)

type shares = map[message.Channel]message.LogOdds

const one = message.One

// maxRaw bounds what is read of the raw message: what a mail is shows in its head and first text.
const maxRaw = 10_000

// rawBytes takes the four-byte sequences of the message as received, header included: what it looks like on the wire.
func rawBytes(f *features, m *message.Message) {
	b := m.Raw[:min(len(m.Raw), maxRaw)]
	f.start(len(b))
	var gram uint32
	for i, c := range b {
		gram = gram<<8 | uint32(c)
		if i >= 3 {
			f.add(gram * 0x9e3779b1)
		}
	}
}
