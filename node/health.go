package node

import (
	"context"

	"rempart/console"
)

// Health is how the parts of the node are.
func (n *Node) Health(ctx context.Context) console.Health {
	var rows []console.HealthRow
	add := func(name string, state console.State, key string, args ...any) {
		rows = append(rows, console.HealthRow{Name: name, State: state, Key: key, Args: args})
	}
	if n.shadow.Load() {
		add("mode", console.Warn, "health.shadow")
	} else {
		add("mode", console.OK, "health.judging")
	}
	j := n.journal.Health(ctx)
	switch {
	case j.Queued > 0:
		add("journal", console.Bad, "health.journal_apart", int64(j.Queued))
	case j.State != "running":
		add("journal", console.Bad, "health.journal_down", j.State)
	default:
		add("journal", console.OK, "health.journal_up", int64(j.Bytes>>20), j.Free>>20)
	}
	n.indexHealth(ctx, add)
	l := n.live.Load()
	switch {
	case l.checker == nil:
		add("dns", console.OK, "health.dns_off")
	case l.checker.Down():
		add("dns", console.Bad, "health.dns_down")
	case len(l.checker.Refusing()) > 0:
		add("dns", console.Warn, "health.lists_off", int64(len(l.checker.Refusing())), l.checker.Refusing()[0])
	case len(l.checker.Silent()) > 0:
		add("dns", console.Warn, "health.lists_silent", int64(len(l.checker.Silent())), l.checker.Silent()[0])
	default:
		add("dns", console.OK, "health.dns_on", int64(len(l.config.DNS.List)))
	}
	switch {
	case l.scanner == nil:
	case l.scanner.Down():
		add("clamav", console.Bad, "health.clamav_down")
	default:
		add("clamav", console.OK, "health.clamav_up")
	}
	if down := l.boxes.Down(); len(down) > 0 {
		add("mailboxes", console.Warn, "health.tables_down", int64(len(down)), down[0])
	}
	if list := n.suspects.list(n.now()); len(list) > 0 {
		add("accounts", console.Warn, "health.accounts_suspected", int64(len(list)), list[0].User)
	}
	switch {
	case n.awaiting.Load():
		add("lessons", console.Bad, "health.lessons_wait")
	case n.locked.Load() > 0:
		add("lessons", console.Bad, "health.lessons_locked", n.locked.Load())
	default:
		add("lessons", console.OK, "health.lessons", int64(n.filter.Lessons()))
	}
	for _, name := range n.config.doorNames() {
		add(name, console.OK, "health.door")
	}
	return console.Health{Rows: rows}
}

func (n *Node) indexHealth(ctx context.Context, add func(string, console.State, string, ...any)) {
	s, err := n.index.Stats(ctx)
	switch {
	case err != nil:
		add("events", console.Bad, "health.events_down", err.Error())
	case s.Error != "":
		add("events", console.Bad, "health.events_down", s.Error)
	case s.Dropped+s.DroppedSpam > 0:
		add("events", console.Warn, "health.events_dropped", int64(s.Dropped+s.DroppedSpam))
	default:
		add("events", console.OK, "health.events_kept", int64(s.Written), s.Bytes>>20)
	}
}
