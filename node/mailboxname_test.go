package node

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// Who signs in by any address of a mailbox owns the same; a bare name of a system's user is one per domain, and no address.
func TestMailboxesOf(t *testing.T) {
	virtual := filepath.Join(t.TempDir(), "virtual")
	text := "sales@a.example ben@a.example\nroot@a.example root\nroot@b.example root\nteam@a.example ben@a.example, carl@a.example\n" +
		"ann@a.example ann@a.example\nann-marie@a.example ann-marie@a.example\nboss@a.example jean-luc@else.example\n"
	if err := os.WriteFile(virtual, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	path, _ := configuration(t, fmt.Sprintf("[mailbox]\ntables = [\"texthash:%s\"]\ndelimiter = \"+-\"\n", virtual))
	n, _ := serve(t, path)
	for address, want := range map[string][]string{
		"Ben@a.example":       {"ben@a.example"},
		"sales@a.example":     {"ben@a.example", "sales@a.example"},
		"sales+x@a.example":   {"ben@a.example", "sales+x@a.example"},
		"team@a.example":      {"team@a.example"},
		"root@a.example":      {"root a.example", "root@a.example"},
		"root@b.example":      {"root b.example", "root@b.example"},
		"nobody@else.example": {"nobody@else.example"},
		"ann@a.example":       {"ann@a.example"},
		"ann-marie@a.example": {"ann-marie@a.example"},
		"ann-shop@a.example":  {"ann@a.example", "ann-shop@a.example"},
		"boss@a.example":      {"jean-luc@else.example", "boss@a.example"},
		"jean-x@else.example": {"jean-x@else.example"}, // a stranger
		"jean+x@else.example": {"jean+x@else.example"},
		"":                    {""},
		"ben@a.ex\u212Aample": nil, // the sign of Kelvin is no k
		"b\u0130n@a.example":  nil,
		"b\u00e4n@a.example":  {"b\u00e4n@a.example"},
	} {
		if got := n.mailboxesOf(t.Context(), address); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
	}
}

// A table that takes the question and says nothing holds up nobody who signs in, and they see what came for the address itself.
func TestMailboxesOfSilentTable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	path, _ := configuration(t, fmt.Sprintf("[mailbox]\ntables = [\"tcp:%s\"]\n", l.Addr()))
	n, _ := serve(t, path)
	start := time.Now()
	if got := n.mailboxesOf(t.Context(), "ben@b.example"); !slices.Equal(got, []string{"ben@b.example"}) || time.Since(start) > 5*time.Second {
		t.Errorf("%q after %s", got, time.Since(start))
	}
}
