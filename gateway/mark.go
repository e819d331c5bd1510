package gateway

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"rempart/message"
	"rempart/message/email"
)

// The headers that a mail gets which passes with a mark. The pages of the front doors print this table. Of the same
// names, whatever comes from outside is removed.
const (
	HeaderAction      = "X-Rempart-Action"      // what is done: tag, rewrite, hold
	HeaderScore       = "X-Rempart-Score"       // log-odds
	HeaderProbability = "X-Rempart-Probability" // that it is spam, 0 to 1
	HeaderReasons     = "X-Rempart-Reasons"     // the strongest signals with their weights
	HeaderRecipients  = "X-Rempart-Recipients"  // "majority" if recipients wanted unlike things
	HeaderID          = "X-Rempart-ID"          // under which the console finds it
)

// Headers are the names of all of them.
var Headers = []string{HeaderAction, HeaderScore, HeaderProbability, HeaderReasons, HeaderRecipients, HeaderID}

// IsOurs reports whether name is one of [Headers].
func IsOurs(name string) bool {
	return slices.ContainsFunc(Headers, func(h string) bool { return strings.EqualFold(h, name) })
}

// HeaderField is one that a mail gets.
type HeaderField struct{ Name, Value string }

// Mark is the header fields of a mail for which action is carried out; v may be nil. Values are ours and plain ASCII:
// arguments, which a sender may choose, stay out of headers.
func Mark(m *message.Message, v *message.Verdict, action message.Action, united bool) []HeaderField {
	fields := []HeaderField{{HeaderAction, action.String()}}
	if v != nil {
		fields = append(fields, HeaderField{HeaderScore, fmt.Sprintf("%.3f", v.Score.Float())},
			HeaderField{HeaderProbability, fmt.Sprintf("%.4f", v.Probability)}, HeaderField{HeaderReasons, reasons(v)})
	}
	if united {
		fields = append(fields, HeaderField{HeaderRecipients, "majority"})
	}
	return append(fields, HeaderField{HeaderID, m.ID})
}

// Unmarked is a mail that comes back to be taught, without what filters wrote into it on its way: no mail has that when it is judged,
// and a learner would learn the mark.
func Unmarked(raw []byte) []byte {
	top, header, rest, _ := email.Split(raw)
	kept := slices.DeleteFunc(header, func(field []byte) bool { return marks(email.FieldName(field)) })
	return bytes.Join(append([][]byte{top}, append(kept, rest)...), nil)
}

// marks reports whether a field of that name tells of a verdict, ours or another filter's.
func marks(name string) bool { return marksOfOthers(name) || IsOurs(name) }

// marksOfOthers reports whether SpamAssassin, amavis or rspamd writes fields of that name.
func marksOfOthers(name string) bool {
	for _, prefix := range [...]string{"X-Spam-", "X-Spamd-", "X-Rspamd-", "X-Amavis-"} {
		if len(name) > len(prefix) && strings.EqualFold(name[:len(prefix)], prefix) {
			return true
		}
	}
	return strings.EqualFold(name, "X-Spam")
}

// reasons names the strongest contributions, each with its weight.
func reasons(v *message.Verdict) string {
	all := slices.Clone(v.Contributions)
	slices.SortStableFunc(all, func(a, b message.Contribution) int {
		return int(max(b.Weight(), -b.Weight()) - max(a.Weight(), -a.Weight()))
	})
	var parts []string
	for _, c := range all[:min(len(all), maxReasons)] {
		parts = append(parts, fmt.Sprintf("%s=%+.2f", c.Name, c.Weight().Float()))
	}
	if parts == nil {
		return "none"
	}
	return strings.Join(parts, " ")
}

// maxReasons are what a log line and a header show; the console has all.
const maxReasons = 5
