package milter

import (
	"os"
	"strings"
	"testing"

	"rempart/gateway"
)

// The page names every header that a mail can get.
func TestPageNamesHeaders(t *testing.T) {
	page, err := os.ReadFile("../../docs/frontdoor-milter.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range gateway.Headers {
		if !strings.Contains(string(page), "| `"+h+"` |") {
			t.Errorf("docs/frontdoor-milter.md lacks %s", h)
		}
	}
}
