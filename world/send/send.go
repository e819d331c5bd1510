// Package send plays a world against real front doors by real protocol clients: mails by the milter protocol, as a mail
// server's connection would, texts by SMPP 3.4 binds, behind which stands a small message centre of its own ([Centre]), calls
// and instant messages by SIP over UDP, as a session border controller asks, and how calls ended by HTTP.
//
// A [Player] reads a stream in order, waits for each message's time, and hands it to workers through bounded queues: when
// the front doors are slower than the stream, the stream waits and nothing is thrown away. Every message is answered, or
// counted as an error; [Player.Books] is the account. Methods are safe for concurrent use; Run may be called once.
package send

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"rempart/message"
	"rempart/world"
)

// Config says where to send what.
type Config struct {
	Milter string // address of the front door, TCP
	SMPP   string
	SIP    string // UDP; empty for a stream without calls and instant messages
	API    string // URL that takes the records of calls, without path; empty if nobody does
	Token  string // for it

	// Systems are the names under which texts are submitted: one bind each.
	Systems []string
	// Speed is how fast virtual time runs: 1 is real time, 0 as fast as the front doors take it.
	Speed float64
	// Limit ends the stream after so many messages; 0 is never.
	Limit uint64
	// Answered is told of every message that was answered, from several goroutines; it must not block for long.
	Answered func(Result)
	// Log is told of connections that broke.
	Log *slog.Logger
}

// Result is one message and what became of it. A long text's parts are one result each.
type Result struct {
	Sent   world.Sent
	Part   int // of a text, from 0
	Answer Answer
}

// Answer is what the front door did, as its client sees it.
type Answer string

// Answers. Error is a message whose fate is not known: the connection broke.
const (
	Accepted Answer = "accepted"
	Tagged   Answer = "tagged"
	Held     Answer = "held"
	Rejected Answer = "rejected"
	Dropped  Answer = "discarded"
	Refused  Answer = "refused" // to be tried again: no judgement could be had
	Error    Answer = "error"
)

// How much may wait or be under way at one time.
const (
	queueSize  = 64
	mailers    = 8  // connections of the mail server
	windowSize = 32 // unanswered texts of one bind
)

// Player plays one stream.
type Player struct {
	cfg     Config
	next    func() world.Sent
	began   time.Time // tells the transactions of this run from those of another
	mails   chan world.Sent
	texts   map[string]chan submission
	calls   chan world.Sent // and instant messages
	records chan ended

	mu       sync.Mutex
	changed  chan struct{} // closed and made anew when something below changes
	paused   bool
	ended    bool // the stream is at its end
	hand     int  // messages taken from the stream and not answered yet
	books    map[message.Channel]*Book
	receipts uint64
	recorded uint64
}

// New makes a player of a stream; it starts nothing.
func New(cfg Config, next func() world.Sent) *Player {
	p := &Player{cfg: cfg, next: next, began: time.Now(), mails: make(chan world.Sent, queueSize), texts: map[string]chan submission{},
		calls: make(chan world.Sent, queueSize), records: make(chan ended, queueSize), changed: make(chan struct{}), books: map[message.Channel]*Book{}}
	for _, c := range []message.Channel{message.Email, message.SMS, message.Call, message.IM} {
		p.books[c] = newBook()
	}
	for _, name := range cfg.Systems {
		p.texts[name] = make(chan submission, queueSize)
	}
	return p
}

// Run plays until ctx is done or the stream ends; what is in hand is then answered, and the binds are unbound.
func (p *Player) Run(ctx context.Context) error {
	work := context.WithoutCancel(ctx) // what is in hand outlives ctx
	var workers, asking sync.WaitGroup
	if p.cfg.SIP != "" {
		x, err := p.startExchange(work)
		if err != nil {
			return err
		}
		defer x.end()
		for range callers {
			asking.Go(func() { x.caller(p.calls) })
		}
		if p.cfg.API != "" {
			workers.Go(func() { p.recorder(work) })
		}
	}
	for range mailers {
		workers.Go(p.mailer)
	}
	for name, queue := range p.texts {
		workers.Go(func() { p.bind(work, name, queue) })
	}
	err := p.play(ctx)
	close(p.mails)
	for _, q := range p.texts {
		close(q)
	}
	close(p.calls)
	asking.Wait()
	close(p.records)
	workers.Wait()
	return err
}

// play hands the stream out, each message at its time.
func (p *Player) play(ctx context.Context) error {
	defer p.set(func() { p.ended = true })
	due := time.Now()
	for n := uint64(0); p.cfg.Limit == 0 || n < p.cfg.Limit; n++ {
		s := p.next()
		if p.cfg.Speed > 0 {
			due = due.Add(time.Duration(float64(s.Delay) / p.cfg.Speed))
			if oldest := time.Now().Add(-maxLag); due.Before(oldest) {
				due = oldest
			}
		}
		stood, ok := p.take(ctx, &s, due)
		if !ok {
			return nil
		}
		due = due.Add(stood)
		if err := p.enqueue(s); err != nil {
			return err
		}
	}
	return nil
}

// take waits until s is due and nothing is paused, and enters it in the books. It says how long it stood still because of
// a pause; ok is false if ctx ended before.
func (p *Player) take(ctx context.Context, s *world.Sent, due time.Time) (stood time.Duration, ok bool) {
	if !sleepUntil(ctx, due) {
		return 0, false
	}
	start, was := time.Now(), false
	for {
		p.mu.Lock()
		paused, changed := p.paused, p.changed
		if !paused {
			p.taken(s)
		}
		p.mu.Unlock()
		switch {
		case !paused && was:
			return time.Since(start), true
		case !paused:
			return 0, true
		}
		was = true
		select {
		case <-changed:
		case <-ctx.Done():
			return 0, false
		}
	}
}

// enqueue gives one message to its workers. It waits while their queue is full, also when ctx ends: the workers go on.
func (p *Player) enqueue(s world.Sent) error {
	switch {
	case s.Mail != nil:
		p.mails <- s
		return nil
	case s.Text == nil && p.cfg.SIP == "":
		return fmt.Errorf("send: a message on channel %s, and no address for SIP", s.Channel)
	case s.Text == nil:
		p.calls <- s
		return nil
	}
	q, ok := p.texts[s.Text.SystemID]
	if !ok {
		return fmt.Errorf("send: no bind for %s", s.Text.SystemID)
	}
	for i := range s.Text.Parts {
		q <- submission{s, i}
	}
	return nil
}

// maxLag is how far the stream may be behind and still catch up: a machine that slept must not wake to an hour's burst.
const maxLag = 2 * time.Second

func sleepUntil(ctx context.Context, t time.Time) bool {
	wait := time.Until(t)
	if wait <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Pause stops the stream; what was taken from it goes on.
func (p *Player) Pause() { p.set(func() { p.paused = true }) }

// Resume goes on; virtual time has stood still.
func (p *Player) Resume() { p.set(func() { p.paused = false }) }

// Drained returns when the stream is paused or at its end and every message is answered. It returns false if ctx ended or
// the stream was resumed before.
func (p *Player) Drained(ctx context.Context) bool {
	for {
		p.mu.Lock()
		still, hand, changed := p.paused || p.ended, p.hand, p.changed
		p.mu.Unlock()
		if !still || hand == 0 {
			return still
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

func (p *Player) set(change func()) {
	p.mu.Lock()
	change()
	close(p.changed)
	p.changed = make(chan struct{})
	p.mu.Unlock()
}
