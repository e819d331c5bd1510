package node

import (
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"rempart/corpus"
	"rempart/message"
	"rempart/policy"
)

// eachShared judges every message of the corpora with a filter that was taught some of them.
func eachShared(t *testing.T, visit func(p *path, item corpus.Item)) {
	t.Helper()
	data := filepath.Join(shared(t), "data")
	p := newPath(t)
	n := 0
	var paths []string
	for _, p := range []string{"email/spamassassin/mail", "email/today/mail", "email/phishing-pot", "sms/sms-spam-collection.tsv"} {
		paths = append(paths, filepath.Join(data, filepath.FromSlash(p)))
	}
	err := corpus.Each(paths, nil, func(item corpus.Item) error {
		if n++; n%10 == 0 {
			p.filter.Apply(p.filter.Lesson(t.Context(), item.Message, message.Label(1+n/10%2), message.Scope{}, "test"))
		}
		visit(p, item)
		return nil
	})
	if err != nil || n < 10_000 {
		t.Fatalf("%d messages read, %v", n, err)
	}
}

// In every verdict of the corpora the contributions add up to the score, and score and decision can be made again from
// the event's record alone.
func TestVerdictsOfTheCorporaCanBeMadeAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("judges 14,000 messages")
	}
	eachShared(t, func(p *path, item corpus.Item) {
		p.judge(t, item.Message)
		var e message.Event
		if err := e.UnmarshalBinary(p.record); err != nil {
			t.Fatalf("%s: %v", item.Name(), err)
		}
		v := &e.Verdicts[0]
		if v.Sum() != v.Score || v.Calibration.Probability(v.Score) != v.Probability {
			t.Fatalf("%s: score %d, contributions add up to %d", item.Name(), v.Score, v.Sum())
		}
		again := policy.Remake(&e)
		if d := e.Outcomes[0].Decision; again[0].Action != d.Action || again[0].Rule != d.Rule {
			t.Fatalf("%s: decided %v, made again %v", item.Name(), d, again[0])
		}
	})
}

// A damaged mail gets a verdict: cut, with flipped bits, glued to another.
func TestDamagedMailsGetAVerdict(t *testing.T) {
	if testing.Short() {
		t.Skip("judges 24,000 mails")
	}
	random := rand.New(rand.NewPCG(7, 7))
	var last []byte
	eachShared(t, func(p *path, item corpus.Item) {
		raw := item.Message.Raw
		if item.Message.Channel != message.Email || len(raw) == 0 {
			return
		}
		cut := raw[:random.IntN(len(raw))]
		flipped := slices.Clone(raw)
		for range 1 + len(raw)/500 {
			flipped[random.IntN(len(raw))] ^= 1 << random.IntN(8)
		}
		glued := append(slices.Clone(last[:len(last)/2]), raw...)
		last = raw
		for _, damaged := range [][]byte{cut, flipped, glued} {
			e := p.judge(t, corpus.Mail(damaged))
			if len(e.Verdicts) != 1 || e.Outcomes[0].Decision.Action == 0 {
				t.Fatalf("%s damaged: no verdict", item.Name())
			}
		}
	})
}
