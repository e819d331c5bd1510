package smtp

import (
	"os"
	"strings"
	"testing"

	"rempart/gateway"
)

// The page names every header that a mail can get, and every action with its reply.
func TestPageNamesHeadersAndActions(t *testing.T) {
	b, err := os.ReadFile("../../docs/frontdoor-smtp.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	for _, h := range gateway.Headers {
		if !strings.Contains(page, "| `"+h+"` |") {
			t.Errorf("docs/frontdoor-smtp.md lacks %s", h)
		}
	}
	for _, a := range answers {
		found := false
		for line := range strings.Lines(page) {
			cells := strings.Split(line, " | ")
			if len(cells) < 3 || !strings.Contains(" "+strings.ReplaceAll(strings.TrimPrefix(cells[0], "| "), ",", "")+" ", " "+a.action.String()+" ") {
				continue
			}
			switch {
			case a.relay:
				found = found || strings.Contains(cells[1], "what the next hop says")
			case a.code == 250:
				found = found || strings.Contains(cells[1], "`250`")
			default:
				found = found || strings.Contains(cells[1], "`"+say(a.code, a.status).String()+"`")
			}
		}
		if !found {
			t.Errorf("docs/frontdoor-smtp.md does not say how %s is answered", a.action)
		}
	}
}
