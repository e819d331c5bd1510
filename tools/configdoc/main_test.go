package main

import (
	"os"
	"testing"
)

func TestManualsAreThoseOfTheCode(t *testing.T) {
	t.Chdir("../../node")
	example, manual := manuals()
	for path, want := range map[string]string{"example.toml": example, "../docs/configuration.md": manual} {
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Errorf("%s is stale: go generate ./node", path)
		}
	}
}
