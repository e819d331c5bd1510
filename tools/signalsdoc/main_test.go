package main

import (
	"os"
	"strings"
	"testing"
)

func TestPageIsThatOfTheCode(t *testing.T) {
	b, err := os.ReadFile("../../docs/signals.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(b) != page() {
		t.Error("docs/signals.md is stale: go generate ./filter")
	}
	if strings.Contains(page(), "| signal.") {
		t.Error("a signal has no sentence")
	}
}
