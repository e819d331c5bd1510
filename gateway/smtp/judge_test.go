package smtp

import (
	"context"
	"strings"
	"testing"

	"rempart/gateway"
	"rempart/message"
)

// Every action by SMTP, as the client and the next hop see it.
func TestActions(t *testing.T) {
	for _, chunking := range []bool{true, false} {
		r := newRig(t, by(nil), nil)
		if !chunking {
			r.hop.lacks("CHUNKING")
		}
		d := r.hello()
		for _, tt := range []struct {
			to     string
			reply  string
			marked string // X-Rempart-Action of what the next hop gets; "-" is nothing
		}{
			{"accept", "250 2.0.0 Ok: queued as 1", ""},
			{"tag", "250 2.0.0 Ok: queued as 1", "tag"},
			{"rewrite", "250 2.0.0 Ok: queued as 1", "rewrite"},
			{"hold", "250 2.0.0 Ok: queued as 1", "hold"},
			{"quarantine", "250 2.0.0 Ok: queued as 1", "quarantine"},
			{"redirect", "250 2.0.0 Ok: queued as 1", "redirect"},
			{"reject", "550 5.7.1 no, reject", "-"},
			{"tempfail", "451 4.7.1 no, tempfail", "-"},
			{"greylist", "451 4.7.1 no, greylist", "-"},
			{"throttle", "451 4.7.1 no, throttle", "-"},
			{"challenge", "451 4.7.1 no, challenge", "-"},
			{"discard", "250 2.0.0 Ok", "-"},
			{"remove", "250 2.0.0 Ok", "-"},
			{"panic", "451 4.7.1 this message cannot be taken now", "-"},
		} {
			before := len(r.hop.mails())
			if got := d.send("X-Rempart-Action: accept\r\nx-rempart-SCORE : -9\r\n folded\r\n"+plain, tt.to); !strings.HasPrefix(got, tt.reply) {
				t.Errorf("%s: answered %q", tt.to, got)
			}
			got := r.hop.mails()[before:]
			switch {
			case tt.marked == "-":
				if len(got) != 0 {
					t.Errorf("%s: the next hop got %q", tt.to, got)
				}
				continue
			case len(got) != 1:
				t.Fatalf("%s: the next hop got %d", tt.to, len(got))
			}
			want := plain
			if tt.to == "rewrite" {
				want = strings.Replace(plain, "hello", "[SPAM] hello", 1)
			}
			if tt.marked != "" {
				want = "X-Rempart-Action: " + tt.marked + "\r\nX-Rempart-Score: 3.250\r\nX-Rempart-Probability: 0.9627\r\n" +
					"X-Rempart-Reasons: link_host=+2.00 date_ahead=+1.25\r\nX-Rempart-ID: " + idOf(got[0].data) + "\r\n" + want
			}
			if got[0].data != want {
				t.Errorf("%s: the next hop got\n%q, want\n%q", tt.to, got[0].data, want)
			}
		}
	}
}

func idOf(mail string) string {
	_, rest, _ := strings.Cut(mail, "X-Rempart-ID: ")
	id, _, _ := strings.Cut(rest, "\r\n")
	return id
}

// A recipient is removed, and the others keep their mail; what all share is one answer.
func TestRemovedRecipient(t *testing.T) {
	r := newRig(t, by(nil), nil)
	d := r.hello()
	if got := d.send(plain, "united-tag1", "remove", "united-tag2"); got != "250 2.0.0 Ok: queued as 1" {
		t.Errorf("answered %q", got)
	}
	got := r.hop.mails()
	if len(got) != 1 || strings.Join(got[0].to, " ") != "RCPT TO:<united-tag1@example.net> RCPT TO:<united-tag2@example.net>" ||
		!strings.Contains(got[0].data, "X-Rempart-Recipients: majority\r\n") {
		t.Errorf("%q", got)
	}
	// The rest of them is refused when the mail is begun anew: so is the mail.
	d.begin("accept1", "remove", "accept2")
	r.hop.set("RCPT TO:<accept2@example.net>", "452 4.2.2 full")
	d.do("DATA", "354")
	d.write(plain + ".\r\n")
	d.want("452 4.2.2 full")
	if n := len(r.hop.mails()); n != 1 {
		t.Errorf("the next hop has %d mails", n)
	}
	d.send(plain, "accept3")
}

// By LMTP every recipient has an answer, and those whose copies differ have mails of their own.
func TestRecipientsByLMTP(t *testing.T) {
	for _, hop := range []string{protocolLMTP, protocolSMTP} {
		r := newRig(t, by(nil), func(c *Config) { c.Protocol, c.NextHopProtocol = protocolLMTP, hop })
		r.hop.set(". RCPT TO:<accept2@example.net>", "452 4.2.2 over quota")
		d := r.hello()
		d.begin("accept1", "tag1", "reject1", "accept2", "discard1", "tempfail1", "tag2")
		d.do("DATA", "354")
		d.write(plain + ".\r\n")
		quota := "452 4.2.2 over quota"
		if hop == protocolSMTP {
			quota = "250 2.0.0 Ok: queued as 1"
		}
		for _, want := range []string{"250 2.0.0 Ok: queued as 1", "250 2.0.0 Ok: queued as 1", "550 5.7.1 no, reject", quota, "250 2.0.0 Ok",
			"451 4.7.1 no, tempfail", "250 2.0.0 Ok: queued as 1"} {
			if got := d.read(); got != want {
				t.Errorf("%s: answered %q, want %q", hop, got, want)
			}
		}
		got := r.hop.mails()
		if len(got) != 2 || strings.Join(got[0].to, " ") != "RCPT TO:<accept1@example.net> RCPT TO:<accept2@example.net>" || got[0].data != plain ||
			strings.Join(got[1].to, " ") != "RCPT TO:<tag1@example.net> RCPT TO:<tag2@example.net>" || !strings.HasPrefix(got[1].data, "X-Rempart-Action: tag\r\n") {
			t.Errorf("%s: %q", hop, got)
		}
		d.do("QUIT", "221")
		d.ended()
	}
}

// From SMTP to LMTP a mail has one recipient at a time.
func TestSMTPToLMTP(t *testing.T) {
	r := newRig(t, by(nil), func(c *Config) { c.NextHopProtocol = protocolLMTP })
	d := r.hello()
	d.begin("accept1")
	d.do("RCPT TO:<accept2@example.net>", "452 4.5.3")
	d.do("DATA", "354")
	d.write(plain + ".\r\n")
	d.want("250 2.0.0 Ok: queued")
	if got := r.hop.commands(); got[0] != "LHLO client.example" {
		t.Errorf("said %q", got)
	}
}

// In shadow nothing about a mail changes, whatever the front door or the node is put to.
func TestShadow(t *testing.T) {
	node := func(ctx context.Context, m *message.Message) gateway.Answer {
		ans := by(nil)(ctx, m)
		for i := range ans.Decisions {
			ans.Decisions[i].Mode = message.ModeShadow
		}
		return ans
	}
	for name, judge := range map[string]gateway.Judge{"door": by(nil), "node": node} {
		for _, protocol := range []string{protocolSMTP, protocolLMTP} {
			r := newRig(t, judge, func(c *Config) {
				if c.Protocol = protocol; name == "door" {
					c.Mode = message.ModeShadow
				}
			})
			d := r.hello()
			for _, to := range []string{"accept", "tag", "rewrite", "hold", "reject", "discard", "remove"} {
				if got := d.send("X-Rempart-Action: accept\r\n"+plain, to); got != "250 2.0.0 Ok: queued as 1" {
					t.Errorf("%s, %s, %s: answered %q", name, protocol, to, got)
				}
			}
			for _, m := range r.hop.mails() {
				if m.data != "X-Rempart-Action: accept\r\n"+plain {
					t.Errorf("%s, %s: changed to %q", name, protocol, m.data)
				}
			}
			if n := len(r.hop.mails()); n != 7 {
				t.Errorf("%s, %s: %d mails", name, protocol, n)
			}
		}
	}
}

// What policy says is one line of ASCII that a reply can have.
func TestRefusalText(t *testing.T) {
	r := newRig(t, func(context.Context, *message.Message) gateway.Answer {
		return gateway.Answer{Decisions: []message.Decision{{Action: message.Reject, Text: "nein,\r\n250 danke\x00 schön " + strings.Repeat("x", 1000)}}}
	}, nil)
	if got := r.hello().send(plain, "a"); !strings.HasPrefix(got, "550 5.7.1 nein, 250 danke sch?n xxx") || len(got) != 510 {
		t.Errorf("%d bytes: %q", len(got), got)
	}
}

func TestOnErrorAccept(t *testing.T) {
	r := newRig(t, by(nil), func(c *Config) { c.OnError = gateway.OnErrorAccept })
	if got := r.hello().send("X-Rempart-Probability: 0.0\r\n"+plain, "panic"); got != "250 2.0.0 Ok: queued as 1" || r.hop.mails()[0].data != plain {
		t.Errorf("answered %q, %q went on", got, r.hop.mails()[0].data)
	}
}

// What we put on top of a mail stands behind the line of an mbox that some send along: before it, the fields below would be body.
func TestEnvelopeLine(t *testing.T) {
	r := newRig(t, by(nil), nil)
	if got := r.hello().send("From a@b Sat Nov 28 10:00 2026\r\n"+plain, "tag"); !strings.HasPrefix(got, "250") {
		t.Fatal(got)
	}
	got := r.hop.mails()[0].data
	if !strings.HasPrefix(got, "From a@b Sat Nov 28 10:00 2026\r\nX-Rempart-Action: tag\r\n") || !strings.HasSuffix(got, "\r\n"+plain) {
		t.Errorf("went on as %q", got)
	}
}
