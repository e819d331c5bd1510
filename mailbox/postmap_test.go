//go:build integration

package mailbox

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// postmap asks Postfix's own client.
func postmap(t *testing.T, table, key string) (value string, ok bool) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "postmap", "-q", key, table).Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return strings.TrimSuffix(string(out), "\n"), err == nil
}

func needPostmap(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("postmap"); err != nil {
		t.Skip("postmap is not installed: apt-get install postfix")
	}
}

// A file means to us what it means to Postfix.
func TestFileAsPostmap(t *testing.T) {
	needPostmap(t)
	const text = virtual + "\n" + `
   # a comment that is indented
"quoted key" one
"a \" quote"@example.org  two
back\ slash@example.org three
"quoted@example.org" plain
tabs@example.org	one	two
twice@example.org first
twice@example.org second
continued@example.org one
	# no continuation but a comment

	two
UPPER@EXAMPLE.ORG Value In Case
trailing@example.org  spaces   
key:with:colons value#no comment
`
	path := filepath.Join(t.TempDir(), "virtual")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	entries, err := readFile(path)
	if err != nil {
		t.Fatal(err)
	}
	keys := []string{"nobody@example.org", "Ann@Example.org", `"a \" quote"@example.org`, `back\ slash@example.org`, "#", "\"quoted"}
	for key := range entries {
		keys = append(keys, key)
	}
	for _, key := range keys {
		value, ok, _ := entries.lookup(context.Background(), strings.ToLower(key))
		if want, is := postmap(t, filePrefix+path, key); value != want || ok != is {
			t.Errorf("%q: %q %v, postmap says %q %v", key, value, ok, want, is)
		}
	}
	for _, wrong := range []string{"key\n", " continues nothing\n", "\"open quote value\n"} {
		if err := os.WriteFile(path, []byte(wrong), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := readFile(path); err == nil {
			t.Errorf("%q was taken", wrong)
		}
	}
}

// Postfix's client and ours get the same answers of one server, so that both speak the protocol.
func TestServersAsPostmap(t *testing.T) {
	needPostmap(t)
	var asked atomic.Int64
	for _, name := range served(t, &asked) {
		all, err := New(Config{Tables: []string{name}}, discard())
		if err != nil {
			t.Fatal(err)
		}
		defer all.Close()
		for _, key := range []string{"ann@example.org", "team@example.org", "50%@example.org", "ä@example.org", "none@example.org", "@catch.example", "busy@example.org"} {
			before := asked.Load()
			want, is := postmap(t, name, key)
			if asked.Load() == before {
				t.Fatalf("%s: postmap did not ask for %s", name, key)
			}
			if value, ok, _ := all.lookup(t.Context(), key); value != want || ok != is {
				t.Errorf("%s: %s: %q %v, postmap says %q %v", name, key, value, ok, want, is)
			}
		}
	}
}
