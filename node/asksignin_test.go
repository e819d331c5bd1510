package node

import (
	"log/slog"
	"strings"
	"testing"
	"time"
)

// Of what strangers write into the form only addresses come as far as the tables of mailboxes.
func TestAskSignIn(t *testing.T) {
	path, _ := configuration(t, "")
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	n, err := Open(t.Context(), c, slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	for _, address := range []string{"", "ben", "@b.example", "ben@b.example, carl@b.example", "ben@b.example\nget x", strings.Repeat("x", 60_000) + "@b.example",
		strings.Repeat("x", 250) + "@b.example"} {
		if n.AskSignIn(address); len(n.signIns.waiting) != 0 {
			t.Fatalf("%.40q is waited for", address)
		}
	}
	if n.AskSignIn("ben@b.example"); len(n.signIns.waiting) != 1 {
		t.Error("an address is not")
	}
}
