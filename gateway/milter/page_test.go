package milter

import (
	"os"
	"strings"
	"testing"
)

// The page names every header that a mail can get.
func TestPageNamesHeaders(t *testing.T) {
	page, err := os.ReadFile("../../docs/frontdoor-milter.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		if !strings.Contains(string(page), "| `"+h+"` |") {
			t.Errorf("docs/frontdoor-milter.md lacks %s", h)
		}
	}
}
