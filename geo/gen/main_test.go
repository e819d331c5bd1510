package main

import (
	"bytes"
	"os"
	"testing"
)

// plan.go and plan.bin are what gen makes of the metadata that go.mod names.
func TestPlanIsFresh(t *testing.T) {
	source, automata, err := generate()
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string][]byte{"../plan.go": source, "../plan.bin": automata} {
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is stale (%v): run go generate ./geo", path, err)
		}
	}
}
