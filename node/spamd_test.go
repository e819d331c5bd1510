package node

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
)

// A mail through the whole node by spamd's protocol: taught for one mailbox, known there at once and after a restart, unknown to
// others, and forgotten.
func TestSpamd(t *testing.T) {
	path, _ := configuration(t, "[[gateway.spamd]]\nname = \"spamc\"\nlisten = [\"127.0.0.1:0\"]\nteachers = [\"127.0.0.1\"]\n")
	n, stop := serve(t, path)
	const mail = "From: depot@example.com\r\nTo: ben@example.net\r\nSubject: your parcel\r\nMessage-ID: <1@example.com>\r\n\r\n" +
		"Your parcel 4471 is held at the depot, pay the fee of 2.99 at the page below within 24 hours\r\n"
	ask := func(command, want string) {
		t.Helper()
		c, err := net.Dial("tcp", n.Address("spamc").String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		command, fields, _ := strings.Cut(command, " ")
		_, _ = fmt.Fprintf(c, "%s SPAMC/1.5\r\n%sContent-length: %d\r\n\r\n%s", command, strings.ReplaceAll(fields, "|", "\r\n")+"\r\n", len(mail), mail)
		if b, err := io.ReadAll(c); err != nil || !strings.Contains(string(b), want) {
			t.Errorf("%s %s: %q %v, want %s", command, fields, b, err, want)
		}
	}
	ask("CHECK User: ben@example.net", "Spam: False")
	ask("TELL User: ben@example.net|Message-class: spam|Set: local", "DidSet: local")
	ask("TELL User: ben@example.net|Message-class: spam|Set: local", "EX_OK\r\n\r\n\r\n")
	ask("CHECK User: ben@example.net", "Spam: True")
	ask("CHECK User: cora@example.net", "Spam: False")
	stop()
	n, _ = serve(t, path)
	ask("CHECK User: ben@example.net", "Spam: True")
	ask("TELL User: ben@example.net|Remove: local", "DidRemove: local")
	ask("CHECK User: ben@example.net", "Spam: False")
	ask("TELL User: ben@example.net|Remove: local", "EX_OK\r\n\r\n\r\n")
	ask("TELL User: nobody|Message-class: spam|Set: local", "DidSet: local")
	ask("CHECK User: cora@example.net", "Spam: True")
}
