package filter

import (
	"slices"
	"strings"

	"rempart/filter/base"
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
			rows = append(rows, SignalRow{Channel: t.channel, Directions: slices.Clone(t.directions), Name: r.name,
				Prior: priorWith(shippedFor(base.Shipped(), t.channel, t.directions[0]), r).Float(), Method: r.method, Category: r.category})
		}
	}
	return rows
}

// Learnable are the signals of mail whose priors public corpora can teach, and their hand-made priors, in log-odds, to which
// such learning is drawn.
func Learnable() (names []string, priors []float64) {
	for _, r := range emailSignals {
		if learnable(r) {
			names, priors = append(names, r.name), append(priors, r.prior)
		}
	}
	return names, priors
}

// learnable leaves out what the corpora do not show (envelope, network, what came before or was taught, what a scanner finds), what those who collected them
// changed (hops, recipients, dates of arrival, fields that are missing), and the shipped weights themselves.
func learnable(r signal) bool {
	if r.method == message.SourceAnalysis {
		return false
	}
	for _, prefix := range [...]string{basePrefix, "near_", "malware", "name_colleague", "language_", "received_", "to_", "mailbox_", "link_domain_new",
		"date_", "message_id_missing", "from_missing"} {
		if strings.HasPrefix(r.name, prefix) {
			return false
		}
	}
	return true
}
