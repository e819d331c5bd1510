package node

import (
	"fmt"
	"net/smtp"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	lib "github.com/emersion/go-msgauth/dkim"

	"rempart/dns/dnstest"
	"rempart/gateway/milter/postfix"
	"rempart/message"
	"rempart/message/dkim"
	"rempart/message/email"
	"rempart/quarantine"
	"rempart/sign"
)

// A mail through the whole node by SMTP: accepted, and after a lesson marked on its way. A reload takes over the front door's
// settings.
func TestSMTP(t *testing.T) {
	sink := postfix.NewSink(t)
	path, _ := configuration(t, fmt.Sprintf("[[gateway.smtp]]\nname = \"mx\"\nlisten = [\"127.0.0.1:0\"]\nnext_hops = [\"127.0.0.1:%d\"]\n", sink.Port))
	n, _ := serve(t, path)
	send := func(to string) string {
		t.Helper()
		if err := smtp.SendMail(n.Address("mx").String(), nil, "shop@a.example", []string{to}, []byte(offer)); err != nil {
			t.Fatal(err)
		}
		return sink.Wait(t, to, 1, 20*time.Second)[0].Data
	}
	if got := send("one@b.example"); got != offer {
		t.Errorf("came through as %q", got)
	}
	m := email.ParseBytes([]byte(offer))
	m.Direction = message.In
	if _, _, err := n.Learn(t.Context(), m, message.Spam, message.CategoryNone, message.Scope{}, "test"); err != nil {
		t.Fatal(err)
	}
	if got := send("two@b.example"); !strings.HasPrefix(got, "X-Rempart-Action: tag\r\n") || !strings.HasSuffix(got, offer) {
		t.Errorf("came through as %q", got)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(b, "mode = \"shadow\"\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Reload(c); err != nil {
		t.Fatal(err)
	}
	if got := send("three@b.example"); got != offer {
		t.Errorf("in shadow it came through as %q", got)
	}
}

// What goes out by SMTP is signed as it goes on, also with another subject and with one put in; in shadow nothing is. A second
// implementation reads the signatures.
func TestSMTPSigns(t *testing.T) {
	key, err := sign.Generate(dkim.Ed25519)
	if err != nil {
		t.Fatal(err)
	}
	text, err := key.PEM()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	zone := dnstest.Serve(t, fmt.Sprintf("s1._domainkey.a.example. 60 IN TXT %q", key.Record()))
	sink := postfix.NewSink(t)
	door := "[[gateway.smtp]]\nname = %q\nlisten = [\"127.0.0.1:0\"]\ndirection = \"out\"\nnext_hops = [\"127.0.0.1:%d\"]\nmode = %q\n"
	path, _ := configuration(t, fmt.Sprintf("[[sign.key]]\ndomain = \"a.example\"\nselector = \"s1\"\nfile = %q\n[policy.thresholds]\nrewrite = 0.00001\n"+
		door+door, file, "out", sink.Port, "judge", "watch", sink.Port, "shadow"))
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	c.DNS.Off, c.DNS.Servers = false, []string{zone.Addr}
	n, _ := serveConfig(t, c)
	const body = "To: ben@b.example\r\nMessage-ID: <7@a.example>\r\n\r\nlines\r\n.dot\r\n\r\n\r\n"
	for _, tt := range []struct{ door, to, head, subject string }{
		{"out", "ben@b.example", "From: ann@a.example\r\nsubject:  two\r\n words \r\n", "\nsubject: [SPAM] two\r\n words \r\n"},
		{"out", "carl@b.example", "From: ann@a.example\r\n", "\nSubject: [SPAM]\r\n"},
		{"watch", "dora@b.example", "From: ann@a.example\r\nSubject: x\r\n", ""},
	} {
		mail := tt.head + body
		if err := smtp.SendMail(n.Address(tt.door).String(), nil, "ann@a.example", []string{tt.to}, []byte(mail)); err != nil {
			t.Fatal(err)
		}
		got := sink.Wait(t, tt.to, 1, 20*time.Second)[0].Data
		if tt.door == "watch" {
			if got != mail {
				t.Errorf("in shadow it came through as %q", got)
			}
			continue
		}
		if !strings.Contains(got, tt.subject) {
			t.Errorf("%s: the subject of %q", tt.to, got)
		}
		checks, err := lib.VerifyWithOptions(strings.NewReader(got), &lib.VerifyOptions{LookupTXT: func(string) ([]string, error) { return []string{key.Record()}, nil }})
		if err != nil || len(checks) != 1 || checks[0].Err != nil || checks[0].Domain != "a.example" {
			t.Errorf("%s: %+v %v\n%s", tt.to, checks, err, got)
		}
	}
}

// By SMTP and LMTP a mail for the quarantine is answered 250 once it is kept, and goes nowhere until it is released.
func TestSMTPQuarantine(t *testing.T) {
	sink := postfix.NewSink(t)
	path, _ := configuration(t, fmt.Sprintf("[policy.thresholds]\nquarantine = 0.00001\n[quarantine]\nnext_hop = \"127.0.0.1:%d\"\n"+
		"[[policy.scope]]\nuser = \"dora@b.example\"\nthresholds = { quarantine = 0.0 }\n"+
		"[[gateway.smtp]]\nname = \"mx\"\nlisten = [\"127.0.0.1:0\"]\nnext_hops = [\"127.0.0.1:%d\"]\n", sink.Port, sink.Port))
	n, _ := serve(t, path)
	send := func(to ...string) {
		t.Helper()
		if err := smtp.SendMail(n.Address("mx").String(), nil, "shop@a.example", to, []byte(offer)); err != nil {
			t.Fatal(err)
		}
	}
	send("ben@b.example", "carl@b.example")
	send("dora@b.example")
	sink.Wait(t, "dora@b.example", 1, 20*time.Second)
	page, err := n.Quarantined(t.Context(), quarantine.Query{})
	if err != nil || len(page.Copies) != 2 || sink.Count() != 1 {
		t.Fatalf("%d delivered, kept %+v %v", sink.Count(), page, err)
	}
	if err := n.Release(t.Context(), page.Copies[0].ID, "ben@b.example", LocalActor, false); err != nil {
		t.Fatal(err)
	}
	if got := sink.Wait(t, "ben@b.example", 1, 20*time.Second)[0]; got.Data != offer || got.From != "shop@a.example" {
		t.Errorf("released as %+v", got)
	}
}
