package rspamd

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"rempart/message"
)

// The page's table of actions is that of the code: each action stands in one row, with what the client is told.
func TestPageNamesActions(t *testing.T) {
	page, err := os.ReadFile("../../docs/frontdoor-rspamd.md")
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| ([a-z, ]+) \\| `([a-z ]+)`").FindAllStringSubmatch(string(page), -1) {
		for name := range strings.SplitSeq(row[1], ", ") {
			told[name] = row[2]
		}
	}
	for a := message.Accept; a <= message.Remove; a++ {
		if told[a.String()] != actionOf(a) {
			t.Errorf("%v: the page says %q, a client is told %q", a, told[a.String()], actionOf(a))
		}
	}
}
