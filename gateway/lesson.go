package gateway

import (
	"context"
	"fmt"
	"net/netip"

	"rempart/message"
)

// Lesson is what a client of a front door teaches.
type Lesson struct {
	Label     message.Label // message.Forget takes back whichever lesson stands
	TakesBack bool          // only if a lesson of the other label stands, which this one takes back
	Scope     message.Scope // whose verdicts it speaks for
	Teacher   string        // who authenticated: the front door's name for its password, else the client's address
	Message   *message.Message
}

// Learn teaches. It reports false where there is nothing to learn: the very lesson stands already, or there is none that
// could be taken back.
type Learn func(ctx context.Context, l Lesson) (learned bool, err error)

// Teachers are clients that may teach because of where they connect from.
type Teachers struct {
	networks []netip.Prefix
	unix     bool
}

// onUnix stands in a list of teachers for all who reach the front door's UNIX sockets.
const onUnix = "unix"

// ParseTeachers reads addresses, networks and the word "unix" of a configuration.
func ParseTeachers(list []string) (t Teachers, err error) {
	var networks []string
	for _, s := range list {
		if s == onUnix {
			t.unix = true
		} else {
			networks = append(networks, s)
		}
	}
	if t.networks, err = Networks(networks); err != nil {
		return t, fmt.Errorf("%w, or \"unix\"", err)
	}
	return t, nil
}

// None reports whether nobody may teach.
func (t Teachers) None() bool { return len(t.networks) == 0 && !t.unix }

// Name is who teaches from that address, the zero address on a UNIX socket; empty if it may not.
func (t Teachers) Name(client netip.Addr) string {
	switch {
	case !client.IsValid() && t.unix:
		return onUnix
	case Contains(t.networks, client):
		return client.String()
	}
	return ""
}
