//go:build extractor2

package learn

import "rempart/message"

// heirs of the test build, by which CI shows that an upgrade to a build with another extractor loses nothing: sequences of
// five bytes in place of four.
var heirs = []learner{
	{name: "learner_body_2", replaces: "learner_body", make: newLinear, bits: 21, extract: fiveBytes,
		share: shares{message.Email: one / 8}},
}

func fiveBytes(f *features, m *message.Message) {
	b := m.Raw[bodyAt(m.Raw):]
	b = b[:min(len(b), maxRaw)]
	f.start(len(b))
	var gram uint64
	for i, c := range b {
		gram = gram<<8 | uint64(c)
		if i >= 4 {
			f.add(hashGram(gram&0xffffffffff, 5))
		}
	}
}
