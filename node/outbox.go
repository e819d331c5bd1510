package node

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"rempart/message"
	"rempart/quarantine"
)

// outbox sends mails of the program's own to people, one after the other: who has one sent does not wait.
type outbox struct {
	waiting chan mailing
	log     *slog.Logger
}

// mailing is one of them.
type mailing struct {
	kind string // for the log
	to   string // an address
	send func(context.Context) error
	lost func() // is told that it was not sent; may be nil
}

const (
	// outboxQueue bounds those that wait; what is beyond is not sent.
	outboxQueue = 64
	// outboxTime is how long one may take: others wait behind it.
	outboxTime = 30 * time.Second
)

func newOutbox(log *slog.Logger) *outbox {
	return &outbox{waiting: make(chan mailing, outboxQueue), log: log}
}

// add has a letter sent, if there is room.
func (o *outbox) add(one mailing) {
	select {
	case o.waiting <- one:
	default:
		one.notSent()
		o.log.Warn("a letter was not sent: too many wait", "letter", one.kind)
	}
}

// run sends them until ctx ends.
func (o *outbox) run(ctx context.Context) error {
	for {
		select {
		case one := <-o.waiting:
			o.send(ctx, one)
		case <-ctx.Done():
			return nil
		}
	}
}

func (o *outbox) send(ctx context.Context, one mailing) {
	ctx, cancel := context.WithTimeout(ctx, outboxTime)
	defer cancel()
	err := one.send(ctx)
	to := message.Masked(one.to)
	switch {
	case err == nil:
		o.log.Info("a letter was sent", "letter", one.kind, "address", to)
	case errors.Is(err, quarantine.ErrNotFound): // a stranger, or no address: not worth a line that others can make us write
	case errors.Is(err, quarantine.ErrSignIns):
		o.log.Warn("a letter was not sent: too many were asked for", "letter", one.kind, "address", to)
	default:
		one.notSent()
		o.log.Error("a letter was not sent", "letter", one.kind, "address", to, "error", err)
	}
}

func (one *mailing) notSent() {
	if one.lost != nil {
		one.lost()
	}
}
