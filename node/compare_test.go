package node

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"rempart/index"
	"rempart/message"
)

// A mail that SpamAssassin marked comes in by a front door behind it: it is judged as if it had no mark, the two verdicts are compared,
// and a lesson on it says who was right.
func TestCompare(t *testing.T) {
	path, _ := configuration(t, "[[gateway.spamd]]\nname = \"behind\"\nmode = \"shadow\"\nincumbent = \"spamassassin\"\nlisten = [\"127.0.0.1:0\"]\n"+
		"teachers = [\"127.0.0.1\"]\n[[gateway.spamd]]\nname = \"alone\"\nmode = \"shadow\"\nlisten = [\"127.0.0.1:0\"]\n")
	n, stop := serve(t, path)
	const honest = "From: depot@example.com\r\nTo: ben@example.net\r\nSubject: your parcel\r\nMessage-ID: <1@example.com>\r\n\r\nIt is at the depot.\r\n"
	ask := func(door, command, fields, mail string) {
		t.Helper()
		c, err := net.Dial("tcp", n.Address(door).String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, _ = fmt.Fprintf(c, "%s SPAMC/1.5\r\n%sContent-length: %d\r\n\r\n%s", command, fields, len(mail), mail)
		if b, err := io.ReadAll(c); err != nil || !strings.Contains(string(b), "EX_OK") {
			t.Fatalf("%s: %q %v", command, b, err)
		}
	}
	events := func(want int) (list []*message.Event) {
		t.Helper()
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
			found, err := n.Find(t.Context(), index.Query{})
			if err != nil {
				t.Fatal(err)
			}
			if list = found.Events; len(list) == want {
				return list
			}
		}
		t.Fatalf("%d events, want %d", len(list), want)
		return nil
	}
	ask("alone", "CHECK", "", honest)
	events(1)
	const marked = "X-Spam-Flag: YES\r\nX-Spam-Status: Yes, score=7.1 required=5.0 tests=A,\r\n\tB\r\n" + honest
	ask("behind", "CHECK", "", marked)
	list := events(2)
	behind, alone := list[0], list[1]
	if behind.Verdicts[0].Score != alone.Verdicts[0].Score || behind.Size != alone.Size {
		t.Errorf("judged %v behind SpamAssassin, %v without it", behind.Verdicts[0].Score, alone.Verdicts[0].Score)
	}
	if want := (message.Incumbent{Filter: "spamassassin", Label: message.Spam, Score: 7.1}); behind.Incumbent != want || behind.Agreement() != message.OnlyIncumbent {
		t.Errorf("%+v, %v", behind.Incumbent, behind.Agreement())
	}
	if got := counted(t, n, "rempart_incumbent_mails_total", "only_incumbent", "spamassassin"); got != 1 {
		t.Errorf("counted %v", got)
	}
	check := func(ham, spam int) {
		t.Helper()
		found, err := n.Compare(t.Context(), time.Now().Add(-time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		if k := found.Kinds[1]; k != (index.Comparable{Agreement: message.OnlyIncumbent, Mails: 1, TaughtHam: ham, TaughtSpam: spam}) {
			t.Errorf("%+v", k)
		}
	}
	check(0, 0)
	ask("behind", "TELL", "Message-class: ham\r\nSet: local\r\n", marked)
	check(1, 0)
	ask("behind", "TELL", "Message-class: spam\r\nSet: local\r\n", marked)
	check(0, 1)
	ask("behind", "TELL", "Remove: local\r\n", marked)
	check(0, 0)
	if _, _, err := n.Teach(t.Context(), behind.ID, message.Ham, "ann"); err != nil {
		t.Fatal(err)
	}
	check(1, 0)
	stop()
	n, _ = serve(t, path)
	check(1, 0)
}

// Only mail has a header that another filter can have written into.
func TestIncumbentIsForMail(t *testing.T) {
	for _, tt := range []struct{ toml, want string }{
		{"[[gateway.api]]\nname = \"x\"\nincumbent = \"rspamd\"\nlisten = [\"127.0.0.1:0\"]\n", "rempart.toml:16: gateway.api[1].incumbent = \"rspamd\": only in the header"},
		{"[[gateway.milter]]\nname = \"x\"\nincumbent = \"other\"\nlisten = [\"127.0.0.1:0\"]\n", "rempart.toml:16: gateway.milter[0].incumbent = \"other\": use rspamd or spamassassin"},
	} {
		path, _ := configuration(t, tt.toml)
		if _, err := Load(path); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v, want %s", err, tt.want)
		}
	}
}
