package node

import (
	"context"
	"fmt"

	"rempart/gateway"
	"rempart/journal"
	"rempart/wire"
)

// A setting is what people switch while nodes run. Every node of a cluster follows the stream; the last record counts.
// docs/formats.md has the tags.
const (
	settingVersion = 1

	settingShadow wire.Tag = 1 // 1 off, 2 on
	settingBy     wire.Tag = 2
)

// Shadow reports whether everything is in shadow mode.
func (n *Node) Shadow() bool { return n.shadow.Load() }

// SetShadow puts everything, on all nodes, to shadow mode at once, or takes it out of it. It stays so after a restart.
func (n *Node) SetShadow(ctx context.Context, on bool, by string) error {
	state := uint64(1)
	if on {
		state = 2
	}
	b := wire.AppendUint([]byte{settingVersion}, settingShadow, state)
	b = wire.AppendString(b, settingBy, by)
	if _, err := n.journal.Append(ctx, journal.Settings, gateway.NewID(n.now()), b); err != nil {
		return fmt.Errorf("switch shadow mode: %w", err)
	}
	n.shadow.Store(on) // here at once; elsewhere when the record comes
	n.log.Warn("shadow mode switched", "on", on, "by", by)
	return nil
}

// applySetting takes over one record; one that cannot be read is passed over.
func (n *Node) applySetting(r journal.Record) error {
	if len(r.Data) == 0 || r.Data[0] != settingVersion {
		n.log.Error("setting of another version passed over", "record", r.ID)
		return nil
	}
	err := wire.Fields(r.Data[1:], func(tag wire.Tag, c wire.Content) error {
		if tag == settingShadow {
			n.shadow.Store(c.Uint() == 2)
		}
		return nil
	})
	if err != nil {
		n.log.Error("setting passed over", "record", r.ID, "error", err)
	}
	return nil
}

// openSettings brings the settings to where the journal is.
func (n *Node) openSettings(ctx context.Context) (err error) {
	if n.settings, err = n.journal.Replay(ctx, journal.Settings, 0, n.applySetting); err != nil {
		return fmt.Errorf("read settings: %w", err)
	}
	return nil
}

// followSettings takes over what is switched here and on other nodes, until ctx ends.
func (n *Node) followSettings(ctx context.Context) error {
	err := n.journal.Follow(ctx, journal.Settings, n.settings+1, n.applySetting)
	if ctx.Err() != nil {
		return nil
	}
	return err
}
