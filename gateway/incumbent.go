package gateway

import (
	"bytes"
	"math"
	"slices"
	"strconv"
	"strings"

	"rempart/message"
	"rempart/message/email"
)

// Filters that mail may go by before it comes to a front door, as [Door.Incumbent] names them.
const (
	Rspamd       = "rspamd"
	SpamAssassin = "spamassassin"
)

// verdictFields are where each filter writes its verdict, the clearest first. Each of them removes fields of these names that a mail
// brings along, as long as it is set to write them: docs/migrate-rspamd.md and docs/migrate-spamassassin.md say how.
var verdictFields = map[string][]struct {
	name string
	read func(value string) (message.Label, float64)
	weak bool // that it takes a mail for honest contradicts no other
}{
	Rspamd:       {{"X-Spam-Status", readStatus, false}, {"X-Spam", readFlag, false}, {"X-Spamd-Result", readResult, true}},
	SpamAssassin: {{"X-Spam-Status", readStatus, false}, {"X-Spam-Flag", readFlag, false}},
}

// apart takes a mail and what the filter before wrote into it apart. What that said is the first of its fields that can be read. A name
// that stands there twice is somebody's forgery, and says nothing; where fields contradict each other one is, and none says anything.
func apart(filter string, raw []byte) (rest []byte, said message.Incumbent) {
	said.Filter = filter
	top, header, body, _ := email.Split(raw)
	written := make(map[string][]string)
	kept := slices.DeleteFunc(header, func(field []byte) bool {
		name := email.FieldName(field)
		if !marksOfOthers(name) {
			return false
		}
		_, value, _ := bytes.Cut(field, []byte{':'})
		written[strings.ToLower(name)] = append(written[strings.ToLower(name)], string(value[:min(len(value), maxVerdict)]))
		return true
	})
	for _, f := range verdictFields[filter] {
		values := written[strings.ToLower(f.name)]
		if len(values) != 1 {
			continue
		}
		label, score := f.read(strings.TrimSpace(values[0]))
		if label == message.Forget || label == said.Label || f.weak && label == message.Ham && said.Label == message.Spam {
			continue
		}
		if said.Label != message.Forget {
			said.Label, said.Score = message.Forget, 0
			break
		}
		said.Label, said.Score = label, score
	}
	if len(written) == 0 {
		return raw, said
	}
	return bytes.Join(append([][]byte{top}, append(kept, body)...), nil), said
}

// maxVerdict is more than stands of a field's value before the names of tests.
const maxVerdict = 200

// readStatus reads X-Spam-Status, "Yes, score=7.3 required=5.0 tests=...", as SpamAssassin, amavis and rspamd write it.
func readStatus(value string) (message.Label, float64) {
	word, rest, _ := strings.Cut(value, ",")
	_, score, _ := strings.Cut(rest, "score=")
	end := strings.IndexAny(score, " \t\r\n,")
	if end < 0 {
		end = len(score)
	}
	label, _ := readFlag(word)
	return label, readScore(score[:end])
}

// readFlag reads X-Spam-Flag and X-Spam: YES or NO in any case.
func readFlag(value string) (message.Label, float64) {
	switch {
	case strings.EqualFold(value, "yes"):
		return message.Spam, 0
	case strings.EqualFold(value, "no"):
		return message.Ham, 0
	}
	return message.Forget, 0
}

// readResult reads X-Spamd-Result, "default: False [1.20 / 15.00]; ...". Its word is True only where rspamd would reject: what it
// marks says so in another field, which is looked at before.
func readResult(value string) (message.Label, float64) {
	_, rest, _ := strings.Cut(value, ":")
	word, rest, found := strings.Cut(strings.TrimSpace(rest), " [")
	score, _, ok := strings.Cut(rest, " / ")
	switch {
	case !found || !ok:
		return message.Forget, 0
	case word == "True":
		return message.Spam, readScore(score)
	}
	return message.Ham, readScore(score)
}

func readScore(s string) float64 {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return 0
	}
	return f
}
