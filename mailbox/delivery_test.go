//go:build integration

package mailbox

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rempart/gateway/milter/postfix"
)

// Where Postfix delivers a mail is the mailbox we find, for every kind of entry.
func TestDeliveryAsPostfix(t *testing.T) {
	if _, err := exec.LookPath("swaks"); err != nil {
		t.Skip("swaks is not installed")
	}
	path := filepath.Join(t.TempDir(), "virtual")
	if err := os.WriteFile(path, []byte(virtual), 0o644); err != nil {
		t.Fatal(err)
	}
	sink := postfix.NewSink(t)
	server := postfix.Start(t, fmt.Sprintf("myhostname = mx.example.net\nrelay_domains = example.org mail.example old.example catch.example\n"+
		"relayhost = [127.0.0.1]:%d\nvirtual_alias_maps = %s%s\nrecipient_delimiter = +-\n", sink.Port, filePrefix, path))
	all, err := New(Config{Tables: []string{filePrefix + path}, Delimiter: "+-"}, discard())
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"ann@example.org", "ann+shop@example.org", "sales@example.org", "Sales+x@example.org", "office@example.org",
		"ben+lists@example.org", "ben+other@example.org", "ann@old.example", "ann+a@old.example", "nobody@old.example", "whoever@catch.example",
		"real@catch.example", "real+x@catch.example", "unknown+ext@mail.example", "ann-marie@example.org",
		"boss@example.org"} {
		box, _, err := all.Mailbox(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		if out, err := postfix.Run("swaks", "--server", fmt.Sprintf("127.0.0.1:%d", server.Plain), "--from", "a@example.com", "--to", address,
			"--h-Subject", "for "+address, "--silent", "3"); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		local, _, _ := strings.Cut(address, "@")
		_, extension, extended := strings.Cut(local, "+")
		want := []string{box}
		if name, d, _ := strings.Cut(box, "@"); extended { // Postfix keeps the extension on its way to the mailbox
			want = append(want, name+"+"+extension+"@"+d)
		}
		if !came(sink, "for "+address, want) {
			t.Errorf("%s: no mail came for %v", address, want)
		}
	}
}

// came waits until a mail with that subject is there for one of the addresses.
func came(sink *postfix.Sink, subject string, to []string) bool {
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		for _, a := range to {
			for _, m := range sink.For(a) {
				if strings.Contains(m.Data, "Subject: "+subject+"\r\n") {
					return true
				}
			}
		}
	}
	return false
}
