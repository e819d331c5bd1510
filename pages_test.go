package rempart

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The rows of docs/architecture.md are those of arch_test.go.
func TestArchitecturePageHasTheLayers(t *testing.T) {
	b, err := os.ReadFile("docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(b), "| row, from the top |")
	var rows [][]string
	for line := range strings.Lines(table) {
		if line == "\n" && len(rows) > 0 {
			break
		}
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		first, _, _ := strings.Cut(strings.TrimPrefix(line, "| "), " |")
		var names []string
		for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(first, -1) {
			names = append(names, m[1])
		}
		rows = append(rows, names)
	}
	if len(rows) != len(layers) {
		t.Fatalf("the page has %d rows, arch_test.go %d", len(rows), len(layers))
	}
	for i, row := range layers {
		for _, name := range row {
			if !slices.Contains(rows[i], name) {
				t.Errorf("row %d of the page is %v, of arch_test.go %v", i+1, rows[i], row)
			}
		}
	}
}
