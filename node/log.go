package node

import (
	"cmp"
	"context"
	"log/slog"
	"math"
	"slices"
	"strconv"
	"strings"

	"rempart/message"
)

// logSignals is how many of the strongest signals a line names.
const logSignals = 5

// logMessage writes the line of one message. It holds no content; masked, no address either.
func (n *Node) logMessage(e *message.Event, mask bool) {
	o := e.Worst()
	if o == nil {
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
	n.log.LogAttrs(context.Background(), slog.LevelInfo, "message",
		slog.String("id", e.ID), slog.String("door", e.Door), slog.String("channel", e.Channel.String()),
		slog.String("queue_id", e.QueueID), slog.String("message_id", hide(e.MessageID)), slog.String("client", client),
		slog.String("sender", hide(e.MailFrom)), slog.String("recipients", strings.Join(recipients, ",")),
		slog.String("score", strconv.FormatFloat(v.Score.Float(), 'f', 2, 64)),
		slog.String("probability", strconv.FormatFloat(v.Probability, 'f', 3, 64)),
		slog.String("category", v.Category.String()), slog.String("action", o.Decision.Action.String()),
		slog.String("mode", o.Decision.Mode.String()), slog.String("signals", strongest(v)),
		slog.Float64("ms", math.Round(e.Took.Seconds()*1e6)/1e3))
}

// strongest names the signals with the greatest weights: "spf_fail+1.0,links-0.2".
func strongest(v *message.Verdict) string {
	parts := slices.Clone(v.Contributions)
	size := func(c message.Contribution) message.LogOdds { return max(c.Weight(), -c.Weight()) }
	slices.SortStableFunc(parts, func(a, b message.Contribution) int { return cmp.Compare(size(b), size(a)) })
	var b strings.Builder
	for i, c := range parts[:min(len(parts), logSignals)] {
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
