package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rempart/gateway"
	"rempart/index"
	"rempart/message"
	"rempart/node"
)

// The command prints what the index counted, of a node that does not run.
func TestCompare(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	n, err := node.Open(t.Context(), node.Config{Data: data, DNS: node.DNSConfig{Off: true}}, slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Work(t.Context(), func(ctx context.Context) error {
		door := gateway.Door{Name: "mx", Direction: message.In, Incumbent: gateway.SpamAssassin}
		for i, flag := range []string{"YES", "NO", "NO", "NO"} {
			mail := fmt.Appendf(nil, "X-Spam-Flag: %s\r\nFrom: shop@a.example\r\nSubject: your parcel %d\r\n\r\nYour parcel is here.\r\n", flag, i)
			n.Judge(ctx, door.Mail(mail, len(mail)))
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	out, _ := runRempart(t, exitOK, "compare", "--data", data, "--days", "1")
	for _, want := range []string{"4 mails since ", "about 1 of them they disagree (25 %).", "the filter before alone takes it for spam          1            0              0\n",
		"neither takes it for spam                          3 "} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	out, _ = runRempart(t, exitOK, "compare", "--data", data, "--json")
	var got index.Comparison
	if err := json.Unmarshal([]byte(out), &got); err != nil || got.Kinds[0] != (index.Comparable{Agreement: message.BothHonest, Mails: 3}) {
		t.Errorf("%v %s", err, out)
	}
	if out, _ := runRempart(t, exitOK, "compare", "--data", data, "--days=-1"); !strings.HasPrefix(out, "No mail that another filter saw") {
		t.Errorf("%s", out)
	}
}
