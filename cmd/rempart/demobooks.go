package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"rempart/console"
	"rempart/measure"
	"rempart/message"
	"rempart/world/send"
)

// errBooks is a message that was lost, or counted twice, between the front door and the tally.
var errBooks = errors.New("the books do not balance")

// demoChannels are the columns.
var demoChannels = []struct {
	channel message.Channel
	name    string
}{{message.Email, "mails"}, {message.SMS, "texts"}, {message.Call, "calls"}, {message.IM, "messages"}}

// judged is what the node's tallies have counted, earlier runs included.
func (d *demo) judged() map[message.Channel]uint64 {
	total := d.node.Total(d.begun.Add(-time.Hour), time.Now().Add(time.Hour))
	out := map[message.Channel]uint64{}
	for _, c := range demoChannels {
		out[c.channel] = total.Messages(measure.Select{Channel: c.channel})
	}
	return out
}

// consoleBooks are the same for the overview.
func (d *demo) consoleBooks() (out console.Books) {
	judged, books := d.judged(), d.player.Books()
	for _, c := range demoChannels {
		b := books[c.channel]
		out = append(out, console.ChannelBook{Channel: c.channel, Sent: b.Sent, Judged: judged[c.channel] - d.before.volumes[c.channel].All, Dropped: b.Drops()})
	}
	return out
}

// closeBooks prints what was sent and what became of it. Nothing may be in hand.
func (d *demo) closeBooks(e *env) error {
	if e.terminal {
		_, _ = io.WriteString(e.stderr, clearLine) // of the status
	}
	books, judged := d.player.Books(), d.judged()
	for channel, n := range d.before.volumes {
		judged[channel] -= n.All
	}
	_, err := io.WriteString(e.stdout, bookTable(books, judged))
	for _, c := range demoChannels {
		b := books[c.channel]
		if b.Sent != judged[c.channel]+b.Drops() {
			err = errors.Join(err, fmt.Errorf("%w: %s sent %d, judged %d, dropped %d", errBooks, c.name, b.Sent, judged[c.channel], b.Drops()))
		}
	}
	if err == nil {
		_, err = io.WriteString(e.stdout, "the books balance: sent = judged + dropped\n")
	}
	return err
}

// bookTable is the books as a table: a row a figure, a column a channel.
func bookTable(books map[message.Channel]send.Book, judged map[message.Channel]uint64) string {
	count := func(n uint64) string { return fmt.Sprint(n) }
	of := func(n, all uint64) string { return fmt.Sprintf("%d of %d", n, all) }
	var out strings.Builder
	row := func(name string, cell func(c message.Channel, b send.Book) string) {
		fmt.Fprintf(&out, "%-22s", name)
		for _, c := range demoChannels {
			fmt.Fprintf(&out, " %14s", cell(c.channel, books[c.channel]))
		}
		out.WriteByte('\n')
	}
	row("", func(c message.Channel, _ send.Book) string {
		for _, col := range demoChannels {
			if col.channel == c {
				return col.name
			}
		}
		return ""
	})
	row("sent", func(_ message.Channel, b send.Book) string { return count(b.Sent) })
	row("judged", func(c message.Channel, _ send.Book) string { return count(judged[c]) })
	row("dropped", func(_ message.Channel, b send.Book) string { return count(b.Drops()) })
	for _, a := range []send.Answer{send.Accepted, send.Tagged, send.Held, send.Rejected} {
		row("  "+string(a), func(_ message.Channel, b send.Book) string { return count(b.Answers[a]) })
	}
	row("spam caught", func(_ message.Channel, b send.Book) string { return of(b.Caught, b.Spam) })
	row("spam missed", func(_ message.Channel, b send.Book) string { return of(b.Spam-b.Caught, b.Spam) })
	row("honest hit", func(_ message.Channel, b send.Book) string { return of(b.Hit, b.Ham) })
	row("caught, first 250", func(_ message.Channel, b send.Book) string { return of(b.First.Caught, b.First.Spam) })
	row("caught, latest 250", func(_ message.Channel, b send.Book) string { return of(b.Latest.Caught, b.Latest.Spam) })
	return out.String()
}

// clearLine takes back what stands on the terminal's line.
const clearLine = "\r\x1b[K"

// status is one line, written over the one before.
func (d *demo) status(w io.Writer) {
	var b strings.Builder
	for _, c := range demoChannels {
		book := d.player.Books()[c.channel]
		fmt.Fprintf(&b, "%d %s, of the latest spam %d of %d caught, honest hit %d; ", book.Sent, c.name, book.Latest.Caught, book.Latest.Spam, book.Latest.Hit)
	}
	fmt.Fprintf(w, clearLine+"%s", strings.TrimSuffix(b.String(), "; "))
}
