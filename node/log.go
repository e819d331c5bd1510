package node

import (
	"context"
	"log/slog"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"rempart/message"
)

// logSignals is how many of the strongest signals a line names.
const logSignals = 5

// logMessage writes the line of one message. It holds no content; masked, no address either.
func (n *Node) logMessage(e *message.Event, mask bool) {
	o := e.Worst()
	if o == nil || !n.log.Enabled(context.Background(), slog.LevelInfo) {
		return
	}
	hide := func(s string) string {
		if mask {
			return message.Masked(s)
		}
		return s
	}
	recipients := make([]string, len(e.Outcomes))
	for i := range e.Outcomes {
		recipients[i] = hide(e.Outcomes[i].Recipient)
	}
	v := &e.Verdicts[o.Verdict]
	client := e.Source.Client()
	if mask {
		client = message.Masked(client)
	}
	line := slog.NewRecord(time.Now(), slog.LevelInfo, "message", 0) // no line shows its place in the code, which costs a walk of the stack
	line.AddAttrs(
		slog.String("id", e.ID), slog.String("door", e.Door), slog.String("channel", e.Channel.String()),
		slog.String("queue_id", e.QueueID), slog.String("message_id", hide(e.MessageID)), slog.String("client", client),
		slog.String("sender", hide(e.MailFrom)), slog.String("recipients", strings.Join(recipients, ",")),
		slog.String("score", strconv.FormatFloat(v.Score.Float(), 'f', 2, 64)),
		slog.String("probability", strconv.FormatFloat(v.Probability, 'f', 3, 64)),
		slog.String("category", v.Category.String()), slog.String("action", o.Decision.Action.String()),
		slog.String("mode", o.Decision.Mode.String()), slog.String("signals", strongest(v)),
		slog.Float64("ms", math.Round(e.Took.Seconds()*1e6)/1e3))
	_ = n.log.Handler().Handle(context.Background(), line)
}

// strongest names the signals with the greatest weights: "spf_fail+1.0,links-0.2".
func strongest(v *message.Verdict) string {
	size := func(c *message.Contribution) message.LogOdds { return max(c.Weight(), -c.Weight()) }
	parts := make([]*message.Contribution, 0, logSignals+1)
	for i := range v.Contributions { // the few greatest of many: sorting them all costs as much as the rest of the line
		c := &v.Contributions[i]
		at := len(parts)
		for at > 0 && size(parts[at-1]) < size(c) {
			at--
		}
		if at < logSignals {
			parts = slices.Insert(parts, at, c)
			parts = parts[:min(len(parts), logSignals)]
		}
	}
	var b strings.Builder
	for i, c := range parts {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(c.Name)
		if c.Weight() >= 0 {
			b.WriteByte('+')
		}
		b.WriteString(strconv.FormatFloat(c.Weight().Float(), 'f', 1, 64))
	}
	return b.String()
}
