package spamd

import (
	"bufio"
	"context"
	"io"
	"net/netip"

	"rempart/gateway"
	"rempart/message"
)

// tell learns or forgets a mail. What a client would report to others (Set: remote) is the digest that every lesson has, by
// which near copies are found on all nodes.
func (f *Spamd) tell(ctx context.Context, in *bufio.Reader, out io.Writer, client netip.Addr, r *request, cfg *settings) error {
	l := gateway.Lesson{Label: r.class, Teacher: cfg.teachers.Name(client), Scope: scopeOf(r.user)}
	set, remove := r.set.local || r.set.remote, r.remove.local || r.remove.remote
	switch {
	case cfg.teachers.None():
		return refuse(statusUnavailable, "TELL commands are not enabled: set teachers in [[gateway.spamd]].")
	case l.Teacher == "":
		return refuse(statusUnavailable, "TELL commands are not enabled for this client: have it among teachers in [[gateway.spamd]].")
	case r.set.local && r.remove.local:
		return refuse(statusProtocol, "Unable to set local and remove local in the same operation.")
	case r.set.remote && r.remove.remote:
		return refuse(statusProtocol, "Unable to set remote and remove remote in the same operation.")
	case set && l.Label == message.Forget:
		return refuse(statusProtocol, "(Set without Message-class)")
	case !set:
		l.Label = message.Forget
	}
	b, err := readBody(in, r, cfg.MaxSize)
	if err != nil {
		return err
	}
	kept := gateway.Unmarked(b.raw)
	b = body{kept, b.size - len(b.raw) + len(kept)}
	if len(b.raw) == 0 {
		return refuse(statusData, "(no mail)")
	}
	if !set && !remove {
		return writeTold(out, targets{}, targets{})
	}
	l.Message = b.message(r, client, cfg)
	learned, err := f.learn(ctx, l)
	if err != nil {
		f.host.Metrics.Error(cfg.Name, "learn")
		f.host.Log.Error("learn", "door", cfg.Name, "teacher", l.Teacher, "error", err)
		return refuse(statusTempfail, "the lesson could not be kept; try again later")
	}
	if !learned {
		// A lesson that stands is known to all nodes already.
		return writeTold(out, targets{remote: r.set.remote}, targets{remote: r.remove.remote && set})
	}
	return writeTold(out, r.set, r.remove)
}

// writeTold answers TELL. The line too many is spamd's.
func writeTold(out io.Writer, set, removed targets) error {
	fields := ""
	if s := set.String(); s != "" {
		fields += "DidSet: " + s + "\r\n"
	}
	if s := removed.String(); s != "" {
		fields += "DidRemove: " + s + "\r\n"
	}
	return write(out, "SPAMD/1.1 0 EX_OK\r\n"+fields+"\r\n\r\n")
}

func (t targets) String() string {
	switch {
	case t.local && t.remote:
		return "local,remote"
	case t.local:
		return "local"
	case t.remote:
		return "remote"
	}
	return ""
}
