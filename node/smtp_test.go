package node

import (
	"fmt"
	"net/smtp"
	"os"
	"strings"
	"testing"
	"time"

	"rempart/gateway/milter/postfix"
	"rempart/message"
	"rempart/message/email"
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
