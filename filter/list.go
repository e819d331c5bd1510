package filter

import (
	"slices"

	"rempart/message"
)

//go:generate go run rempart/tools/signalsdoc ../docs/signals.md

// SignalRow is what a page says of one signal.
type SignalRow struct {
	Channel    message.Channel
	Directions []message.Direction
	Name       string
	Prior      float64 // log-odds for a value of 1 before anything was taught
	Method     message.Method
	Category   message.Category // what a spam with it is likely for
}

// Signals lists the tables in force, in the order they run.
func Signals() (rows []SignalRow) {
	for _, t := range signalTables {
		for _, r := range t.rows {
			rows = append(rows, SignalRow{Channel: t.channel, Directions: slices.Clone(t.directions), Name: r.name, Prior: r.prior,
				Method: r.method, Category: r.category})
		}
	}
	return rows
}
