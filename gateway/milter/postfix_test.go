//go:build integration

package milter

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"rempart/config"
	"rempart/gateway/milter/postfix"
	"rempart/message"
)

// server is a Postfix that asks the front door, and the mail server behind it. The second port asks no milter.
type server struct {
	*postfix.Server
	t    *testing.T
	sink *postfix.Sink
}

// newPostfix starts Postfix with settings, those of the page among them.
func newPostfix(t *testing.T, settings string) *server {
	t.Helper()
	if _, err := exec.LookPath("swaks"); err != nil {
		t.Skip("swaks is not installed")
	}
	sink := postfix.NewSink(t)
	return &server{t: t, sink: sink, Server: postfix.Start(t, fmt.Sprintf("myhostname = mx.example.net\nrelay_domains = example.net\n"+
		"relayhost = [127.0.0.1]:%d\n", sink.Port)+settings)}
}

// through is the mail for a recipient when it came through.
func (p *server) through(to string) postfix.Mail {
	p.t.Helper()
	return p.sink.Wait(p.t, to, 1, 20*time.Second)[0]
}

// swaks sends a mail and returns the conversation.
func (p *server) swaks(port int, mail string, to ...string) string {
	p.t.Helper()
	p.Write(p.t, "mail.eml", mail)
	out, _ := postfix.Run("swaks", "--server", fmt.Sprintf("127.0.0.1:%d", port), "--helo", "mx.example.org", "--from", "anna@example.com",
		"--to", strings.Join(to, ","), "--data", "@"+p.Dir+"/mail.eml", "--suppress-data")
	return out
}

// snippet is the n-th fenced block of a kind in the page, so that the page is what runs.
func snippet(t *testing.T, kind string, n int) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/frontdoor-milter.md")
	if err != nil {
		t.Fatal(err)
	}
	all := regexp.MustCompile("(?ms)^ *```"+regexp.QuoteMeta(kind)+"\n(.*?)^ *```").FindAllStringSubmatch(string(page), -1)
	if n >= len(all) {
		t.Fatalf("the page has no %s block %d", kind, n)
	}
	return regexp.MustCompile("(?m)^   ").ReplaceAllString(all[n][1], "")
}

// fromPage starts the front door and Postfix as snippet n of the page sets them up, in a mode.
func fromPage(t *testing.T, n int, mode message.Mode, replace ...string) *server {
	t.Helper()
	toml, main := snippet(t, "toml", n), snippet(t, "main.cf", n)
	if n == 0 {
		replace = append(replace, "127.0.0.1:8891", fmt.Sprintf("127.0.0.1:%d", postfix.FreePort(t)))
	}
	r := strings.NewReplacer(replace...)
	var file struct {
		Gateway struct {
			Milter []Config `toml:"milter"`
		} `toml:"gateway"`
	}
	if err := config.Parse("docs/frontdoor-milter.md", []byte(r.Replace(toml)), &file); err != nil {
		t.Fatal(err)
	}
	newRig(t, by(nil), func(c *Config) {
		*c = file.Gateway.Milter[0]
		c.Mode = mode
	})
	return newPostfix(t, r.Replace(main))
}

const plainMail = "From: Anna <anna@example.com>\r\nTo: b@example.net\r\nDate: Mon, 23 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@example.com>\r\n" +
	"Subject:no space\r\nX-Folded: one\r\n\ttwo\r\nX-Rempart-Action: accept\r\nx-rempart-action: accept\r\nX-Rempart-Score: -99\r\n\r\nHello\r\n\r\n..two dots\r\n"

func TestPostfix(t *testing.T) {
	p := fromPage(t, 0, message.ModeJudge)

	t.Run("accepted, forged headers removed", func(t *testing.T) {
		p.swaks(p.Port, plainMail, "accept@example.net")
		if got := p.through("accept@example.net").Data; strings.Contains(strings.ToLower(got), "x-rempart") || !strings.Contains(got, "Hello\r\n") {
			t.Errorf("came through as\n%s", got)
		}
	})
	t.Run("tagged", func(t *testing.T) {
		p.swaks(p.Port, plainMail, "tag@example.net")
		got := p.through("tag@example.net").Data
		for _, want := range []string{"\r\nX-Rempart-Action: tag\r\n", "\r\nX-Rempart-Score: 3.250\r\n", "\r\nX-Rempart-Probability: 0.9627\r\n",
			"\r\nX-Rempart-Reasons: link_host=+2.00 date_ahead=+1.25\r\n", "\r\nX-Rempart-ID: "} {
			if strings.Count(got, want) != 1 {
				t.Errorf("%q is missing in\n%s", want, got)
			}
		}
		if strings.Contains(got, "-99") || strings.Contains(got, "Action: accept") {
			t.Errorf("a forged header stayed in\n%s", got)
		}
	})
	t.Run("rewritten", func(t *testing.T) {
		p.swaks(p.Port, plainMail, "rewrite@example.net")
		if got := p.through("rewrite@example.net").Data; !strings.Contains(got, "\r\nSubject: [SPAM] no space\r\n") {
			t.Errorf("%s", got)
		}
	})
	t.Run("two recipients of unlike decisions", func(t *testing.T) {
		p.swaks(p.Port, plainMail, "tag1@example.net", "remove@example.net", "tag2@example.net")
		if got := p.through("tag1@example.net"); strings.Join(got.To, " ") != "tag1@example.net tag2@example.net" {
			t.Errorf("for %v", got.To)
		}
	})
	t.Run("refused", func(t *testing.T) {
		before := p.sink.Count()
		if out := p.swaks(p.Port, plainMail, "reject@example.net"); !strings.Contains(out, "550 5.7.1 no, reject") {
			t.Errorf("%s", out)
		}
		if out := p.swaks(p.Port, plainMail, "tempfail@example.net"); !strings.Contains(out, "451 4.7.1 no, tempfail") {
			t.Errorf("%s", out)
		}
		if out := p.swaks(p.Port, plainMail, "panic@example.net"); !strings.Contains(out, "451 4.7.1 this message cannot be taken now") {
			t.Errorf("%s", out)
		}
		if out := p.swaks(p.Port, plainMail, "discard@example.net"); !strings.Contains(out, "250 2.0.0 Ok") {
			t.Errorf("%s", out)
		}
		// Whatever was queued before this one has gone by when it arrives.
		p.swaks(p.Port, plainMail, "accept9@example.net")
		p.through("accept9@example.net")
		if n := p.sink.Count() - before; n != 1 {
			t.Errorf("%d mails came through", n)
		}
	})
	t.Run("held", func(t *testing.T) {
		if out := p.swaks(p.Port, plainMail, "hold@example.net"); !strings.Contains(out, "250 2.0.0 Ok") || p.Held() != 1 {
			t.Errorf("%d held\n%s", p.Held(), out)
		}
	})
}

// In shadow a mail comes through byte for byte as without us, whatever was decided.
func TestPostfixShadow(t *testing.T) {
	p := fromPage(t, 0, message.ModeShadow)
	p.swaks(p.Plain, plainMail, "without@example.net")
	want := p.through("without@example.net").Data
	for _, to := range []string{"reject@example.net", "tag@example.net", "hold@example.net", "discard@example.net", "panic@example.net"} {
		p.swaks(p.Port, plainMail, to)
		got := p.through(to).Data
		if rest(got) != rest(want) || !bytes.HasPrefix([]byte(got), []byte("Received: ")) {
			t.Errorf("for %s\n%q\nwithout us\n%q", to, got, want)
		}
	}
	if p.Held() != 0 {
		t.Errorf("%d held", p.Held())
	}
}

// rest is the mail without Postfix's own Received field, which has time and queue id.
func rest(mail string) string {
	at := strings.Index(mail, "\r\nFrom: ")
	return mail[max(at, 0):]
}

func TestPostfixUnixSocket(t *testing.T) {
	dir, err := os.MkdirTemp("", "rempart-milter-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	_ = os.Chmod(dir, 0o755)
	p := fromPage(t, 1, message.ModeJudge, "/run/rempart", dir)
	p.swaks(p.Port, plainMail, "tag@example.net")
	if got := p.through("tag@example.net").Data; !strings.Contains(got, "X-Rempart-Action: tag") {
		t.Errorf("%s", got)
	}
}
