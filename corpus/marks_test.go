package corpus

import (
	"os"
	"strings"
	"testing"
)

// The page on accuracy lists all that is masked.
func TestMarksAreDocumented(t *testing.T) {
	b, err := os.ReadFile("../docs/accuracy.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(b), "## What is masked")
	for _, m := range Marks.Fields {
		if !strings.Contains(section, "`"+m.Name+"`") || !strings.Contains(section, "| "+m.Why+" |") {
			t.Errorf("docs/accuracy.md lacks the field %s (%s)", m.Name, m.Why)
		}
	}
	for _, m := range Marks.Texts {
		if !strings.Contains(section, "| "+m.Why+" | `"+m.Becomes+"` |") {
			t.Errorf("docs/accuracy.md lacks what becomes %s: %s", m.Becomes, m.Why)
		}
	}
}
