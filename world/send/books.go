package send

import (
	"maps"

	"rempart/message"
	"rempart/world"
)

// Book is the account of one channel, in messages as the front door counts them: a long text is as many as it has parts.
type Book struct {
	Sent    uint64            // handed to the front door, or about to be
	Answers map[Answer]uint64 // adds up to Sent when all is answered

	Spam, Caught uint64 // of what was judged: spam, and of it what did not pass as if it were none
	Ham, Hit     uint64 // honest messages, and of them what did not pass untouched

	// The same for the first and the latest messages judged, for the progress of what learns.
	First, Latest Score
	recent        []outcome // a ring
	at            int
}

// Score is how a stretch of messages was judged.
type Score struct{ Spam, Caught, Ham, Hit uint64 }

// stretch is how many messages First and Latest hold at most.
const stretch = 250

type outcome struct{ spam, stopped bool }

func newBook() *Book { return &Book{Answers: map[Answer]uint64{}} }

// Drops are messages without a judgement.
func (b *Book) Drops() uint64 { return b.Answers[Refused] + b.Answers[Error] }

// Judged are messages whose answer came from a judgement.
func (b *Book) Judged() uint64 { return b.Spam + b.Ham }

// count enters one judged message.
func (b *Book) count(o outcome) {
	total := Score{b.Spam, b.Caught, b.Ham, b.Hit}
	total.add(o, 1)
	b.Spam, b.Caught, b.Ham, b.Hit = total.Spam, total.Caught, total.Ham, total.Hit
	if b.Judged() <= stretch {
		b.First = total
		b.recent = append(b.recent, o)
	} else {
		b.Latest.add(b.recent[b.at], ^uint64(0)) // takes the oldest out
		b.recent[b.at] = o
		b.at = (b.at + 1) % stretch
	}
	b.Latest.add(o, 1)
}

func (s *Score) add(o outcome, n uint64) {
	of, stopped := &s.Ham, &s.Hit
	if o.spam {
		of, stopped = &s.Spam, &s.Caught
	}
	*of += n
	if o.stopped {
		*stopped += n
	}
}

// Books are copies of the accounts, by channel.
func (p *Player) Books() map[message.Channel]Book {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := map[message.Channel]Book{}
	for channel, b := range p.books {
		c := *b
		c.Answers, c.recent = maps.Clone(b.Answers), nil
		out[channel] = c
	}
	return out
}

// taken notes a message that goes out; p.mu is held.
func (p *Player) taken(s *world.Sent) {
	n := 1
	if s.Text != nil {
		n = len(s.Text.Parts)
	}
	p.hand += n
	p.books[s.Channel].Sent += uint64(n)
}

// Receipts are the delivery receipts that came.
func (p *Player) Receipts() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.receipts
}

// answered notes what became of one.
func (p *Player) answered(s world.Sent, part int, a Answer) {
	if p.cfg.Answered != nil {
		p.cfg.Answered(Result{s, part, a})
	}
	p.set(func() {
		p.hand--
		b := p.books[s.Channel]
		b.Answers[a]++
		if a != Refused && a != Error {
			b.count(outcome{spam: s.Truth.Label == message.Spam, stopped: a != Accepted})
		}
	})
}
