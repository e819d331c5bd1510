// Package content holds the signals that a message's own bytes give: its header, its MIME structure, its markup, its
// text and its attachments (X.1245 section 7: characteristics and content). A signal is a pure function of one message;
// its doc comment says what it speaks for, after which standard, and the unit and range of its value. Counts become
// values by a logarithm, so that the tenth of a kind says little more than the ninth.
//
// The package also folds text for matching ([Fold]). Words are the learner's matter: there are no lists of them here.
// All functions are safe for use from several goroutines.
package content

import (
	"math"
	"strings"

	"rempart/message"
)

// count is the value of a signal that was seen n times: 1, 1.6, 2, 2.3 ... up to 4 at 15.
func count(n int) float64 {
	return min(math.Log2(1+float64(n)), 4)
}

// maxArgument bounds what a sentence quotes of a message.
const maxArgument = 60

// quote makes an argument of text from a message.
func quote(s string) string {
	if len(s) > maxArgument {
		s = s[:maxArgument] + "…"
	}
	return strings.ToValidUTF8(s, "")
}

// seen is a plain yes.
func seen(yes bool, args ...any) message.Result {
	if !yes {
		return message.Absent
	}
	return message.Present(1, args...)
}

// anomaly is present if the parser noted one of the names; its argument is the first one's detail, or its name.
func anomaly(m *message.Message, names ...string) message.Result {
	for i := range m.Anomalies {
		for _, name := range names {
			if m.Anomalies[i].Name == name {
				detail := m.Anomalies[i].Detail
				if detail == "" {
					detail = name
				}
				return message.Present(1, quote(detail))
			}
		}
	}
	return message.Absent
}
