package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"rempart/message"
)

// Host is what the node lends to its front doors. Sign and Metrics may be nil.
type Host struct {
	Judge   Judge
	Sign    Sign
	Log     *slog.Logger
	Metrics *Metrics

	once sync.Once
	jobs chan job
}

// job is a message for a judge.
type job struct {
	ctx  context.Context
	door *Door
	m    *message.Message
	done chan<- result
}

// Errors for which a front door answers by its on_error.
var (
	ErrBudget     = errors.New("gateway: no judgement within the budget")
	ErrPanic      = errors.New("gateway: judging panicked")
	ErrNoDecision = errors.New("gateway: judged without a decision")
)

// Ask judges m within door's budget. It waits for a judge that overruns by a quarter of the budget and no longer; m is
// then the judge's and no more touched. The answer has one decision a recipient, at least one; with an error there is
// none, and the front door answers by its on_error.
func (h *Host) Ask(ctx context.Context, door *Door, m *message.Message) (Answer, error) {
	start := time.Now()
	budget := time.Duration(door.Budget)
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	done := make(chan result, 1)
	want := max(1, len(m.Recipients))
	runtime.Gosched() // whose next message is there at once goes behind those who wait
	h.give(job{ctx, door, m, done})
	late := time.NewTimer(budget + budget/4)
	defer late.Stop()
	var r result
	select {
	case r = <-done:
	case <-late.C:
		r.err = ErrBudget
	}
	if r.err == nil && len(r.answer.Decisions) < want {
		r.err = ErrNoDecision
	}
	h.Metrics.judged(door.Name, time.Since(start), r.err)
	if r.err != nil {
		h.Log.Error("no judgement", "door", door.Name, "error", r.err, "answer", door.OnError.String())
		return Answer{}, r.err
	}
	return r.answer, nil
}

// give hands a message to a judge that waits for one, or to a new one.
func (h *Host) give(j job) {
	h.once.Do(func() { h.jobs = make(chan job) })
	select {
	case h.jobs <- j:
	default:
		go h.work(j)
	}
}

// work judges one message after the other until none came for a while: a goroutine that is new grows its stack, by copying it over and
// over, as deep as judging goes.
func (h *Host) work(j job) {
	idle := time.NewTimer(judgeIdle)
	defer idle.Stop()
	for {
		j.done <- h.judge(j.ctx, j.door, j.m)
		j = job{} // keep no message
		idle.Reset(judgeIdle)
		select {
		case j = <-h.jobs:
		case <-idle.C:
			return
		}
	}
}

// judgeIdle is how long a judge waits for the next message.
const judgeIdle = 100 * time.Millisecond

// Signatures are the fields that a mail gets on its way: see [Sign].
func (h *Host) Signatures(m *message.Message, replaced ...HeaderField) []HeaderField {
	if h.Sign == nil {
		return nil
	}
	return h.Sign(m, replaced...)
}

type result struct {
	answer Answer
	err    error
}

func (h *Host) judge(ctx context.Context, door *Door, m *message.Message) (r result) {
	defer func() {
		if p := recover(); p != nil {
			h.logPanic(door.Name, p)
			r = result{err: ErrPanic}
		}
	}()
	return result{answer: h.Judge(ctx, m)}
}

// Guard runs f and reports whether it returned; its panic is logged and ends nothing else. A front door guards what it
// runs beside the goroutine of a connection, which [Host.Serve] guards.
func (h *Host) Guard(door string, f func()) (returned bool) {
	defer func() {
		if p := recover(); p != nil {
			h.logPanic(door, p)
		}
	}()
	f()
	return true
}

func (h *Host) logPanic(door string, p any) {
	h.Metrics.Error(door, "panic")
	h.Log.Error("panic", "door", door, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
}
