package journal

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Shared says whether the log is a cluster's, which other nodes write too.
func (j *Journal) Shared() bool { return len(j.config.Servers) > 0 }

// noSpaceCode says that JetStream has no room: resources, storage, bytes of the stream.
func noSpaceCode(e *jetstream.APIError) bool {
	return e.ErrorCode == 10023 || e.ErrorCode == 10047 || e.ErrorCode == 10077
}

// unanswered says that the cluster gave no answer, as far as an error tells. That it is full is an answer.
func (j *Journal) unanswered(err error) bool {
	var api *jetstream.APIError
	if errors.Is(err, ErrNoSpace) || errors.As(err, &api) && noSpaceCode(api) {
		return false
	}
	return j.Shared() && (errors.Is(err, jetstream.ErrNoStreamResponse) || errors.Is(err, nats.ErrNoResponders) ||
		errors.Is(err, nats.ErrTimeout) || errors.Is(err, errSend) || errors.As(err, &api) && api.Code == 503)
}

// errSend is an append that was not answered in time.
var errSend = errors.New("journal: not answered in time")

// placeless says that a stream has no place for the moment: a server that has just started or stopped counts as offline.
func placeless(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && api.ErrorCode == 10005
}

// How long one question may take while the cluster's servers choose a leader, at first and at most, and how long it is asked.
const (
	firstPatience = 250 * time.Millisecond
	mostPatience  = 2 * time.Second
	insistFor     = 30 * time.Second
	insistEvery   = 100 * time.Millisecond
)

// insist asks again while a cluster does not answer: after one of its servers is gone, the others need seconds to choose who leads,
// and a question that came too early is lost. The embedded journal is asked once.
func (j *Journal) insist(ctx context.Context, ask func(context.Context) error) error {
	if !j.Shared() {
		return ask(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, insistFor)
	defer cancel()
	for patience := firstPatience; ; patience = min(2*patience, mostPatience) {
		once, done := context.WithTimeout(ctx, patience)
		err := ask(once)
		done()
		if err == nil || ctx.Err() != nil || !j.unanswered(err) && !errors.Is(err, context.DeadlineExceeded) && !placeless(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(insistEvery):
		}
	}
}
