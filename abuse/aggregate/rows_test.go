package aggregate

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"rempart/message"
	"rempart/message/feedback"
)

const yesterday = "2026-11-28"

var noon = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

// judged is a mail of a.example that failed, p=reject, and was delivered; change makes another of it.
func judged(change ...func(*message.Message)) *message.Message {
	m := &message.Message{Channel: message.Email, Direction: message.In, Arrived: noon, MailFrom: "bounce@news.c.example",
		Recipients: []message.Recipient{{Address: "ben@b.example"}}}
	m.From.Local, m.From.Domain = "ann", "A.example"
	m.Facts.Auth = message.Authentication{Source: netip.MustParseAddr("::ffff:192.0.2.1"), SPF: "pass", SPFDomain: "news.c.example", DMARC: "fail", DMARCPolicy: "reject",
		DKIM:   []message.DKIM{{Status: "fail", Domain: "a.example", Selector: "s"}, {Status: "permerror", Domain: "a.example"}},
		Record: &message.DMARCRecord{Domain: "a.example", Reports: "mailto:d@a.example", Policy: "reject", Asked: "reject"}}
	for _, c := range change {
		c(m)
	}
	return m
}

func decide(actions ...message.Action) (out []message.Decision) {
	for _, a := range actions {
		out = append(out, message.Decision{Action: a})
	}
	return out
}

func TestRow(t *testing.T) {
	want := []feedback.Row{{Source: netip.MustParseAddr("192.0.2.1"), Disposition: "none", DKIM: "fail", SPF: "fail", Reasons: []feedback.Reason{{Type: "local_policy"}},
		HeaderFrom: "a.example", EnvelopeFrom: "news.c.example", EnvelopeTo: "b.example",
		DKIMResults: []feedback.Result{{Domain: "a.example", Selector: "s", Result: "fail"}},
		SPFResults:  []feedback.Result{{Domain: "news.c.example", Scope: "mfrom", Result: "pass"}}}}
	if got := rowsOf(judged(), decide(message.Accept)); !reflect.DeepEqual(got, want) {
		t.Errorf("\n got %+v\nwant %+v", got, want)
	}
}

// What a report says was done, and why it was less than asked for.
func TestDisposition(t *testing.T) {
	pass := func(m *message.Message) {
		m.Facts.Auth.DMARC, m.Facts.Auth.Record.DKIMAligned = "pass", true
	}
	policy := func(asked, lowered string) func(*message.Message) {
		return func(m *message.Message) {
			m.Facts.Auth.Record.Asked, m.Facts.Auth.Record.Testing, m.Facts.Auth.DMARCPolicy = asked, asked != lowered, lowered
		}
	}
	override := func(why string) func(*message.Message) {
		return func(m *message.Message) { m.Facts.Auth.DMARCOverride = why }
	}
	sealed := func(status string) func(*message.Message) {
		return func(m *message.Message) {
			here := m.Facts.Auth
			m.Facts.Auth.Here = &here
			m.Facts.Auth.ARC = message.ARC{Status: "pass", Sealer: "list.example", Instance: 2, Trusted: true}
			if m.Facts.Auth.DMARC = status; status == "fail" {
				m.Facts.Auth.DMARCOverride = "local_policy"
			}
		}
	}
	shadow := []message.Decision{{Action: message.Reject, Mode: message.ModeShadow}}
	for name, tt := range map[string]struct {
		m         *message.Message
		decisions []message.Decision
		want      string
	}{
		"refused":                         {judged(), decide(message.Reject), "reject"},
		"dropped":                         {judged(), decide(message.Discard), "reject"},
		"marked":                          {judged(), decide(message.Tag), "quarantine local_policy"},
		"delivered":                       {judged(), decide(message.Accept), "none local_policy"},
		"in shadow":                       {judged(), shadow, "none local_policy"},
		"a list's":                        {judged(override("mailing_list")), decide(message.Accept), "none mailing_list"},
		"a list's, refused all the same":  {judged(override("mailing_list")), decide(message.Reject), "reject"},
		"forwarded":                       {judged(override("trusted_forwarder")), decide(message.Accept), "none trusted_forwarder"},
		"sealed, passed there":            {judged(sealed("pass")), decide(message.Accept), "none local_policy arc=pass as[2].d=list.example"},
		"sealed, failed there":            {judged(sealed("fail")), decide(message.Accept), "none local_policy arc=pass as[2].d=list.example"},
		"more than was asked for":         {judged(policy("quarantine", "quarantine")), decide(message.Reject), "quarantine"},
		"nothing was asked for":           {judged(policy("none", "none")), decide(message.Reject), "none"},
		"tried out":                       {judged(policy("reject", "quarantine")), decide(message.Reject), "quarantine policy_test_mode"},
		"tried out, and delivered":        {judged(policy("reject", "quarantine")), decide(message.Accept), "none local_policy"},
		"quarantine tried out":            {judged(policy("quarantine", "none")), decide(message.Tag), "none policy_test_mode"},
		"passed":                          {judged(pass), decide(message.Accept), "pass"},
		"passed, spam all the same":       {judged(pass), decide(message.Reject), "pass"},
		"passed, nothing was asked for":   {judged(pass, policy("none", "none")), decide(message.Accept), "none"},
		"DNS was down":                    {judged(func(m *message.Message) { m.Facts.Auth.DMARC = "temperror" }), decide(message.Accept), "none other DNS did not answer"},
		"comes again":                     {judged(), decide(message.Greylist), ""},
		"put off":                         {judged(), decide(message.Tempfail), ""},
		"nobody asks":                     {judged(func(m *message.Message) { m.Facts.Auth.Record = nil }), decide(message.Accept), ""},
		"from inside":                     {judged(func(m *message.Message) { m.Facts.Auth.SPF = "" }), decide(message.Accept), ""},
		"a null sender":                   {judged(func(m *message.Message) { m.MailFrom = "" }), decide(message.Reject), "reject"},
		"a name that is none in the HELO": {judged(func(m *message.Message) { m.Facts.Auth.SPFDomain = "a b" }), decide(message.Reject), "reject"},
	} {
		got := ""
		for _, r := range rowsOf(tt.m, tt.decisions) {
			got = r.Disposition
			for _, reason := range r.Reasons {
				got += strings.TrimRight(" "+reason.Type+" "+reason.Comment, " ")
			}
		}
		if got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}

// A mail counts once for each domain of its recipients, by what was done at worst.
func TestRowsByRecipients(t *testing.T) {
	m := judged()
	m.Recipients = []message.Recipient{{Address: "ben@b.example"}, {Address: `"dora@home"@B.example`}, {Address: "eve@e.example"}, {Address: "fay@f.example"}, {Address: "root"}}
	var got []string
	for _, r := range rowsOf(m, decide(message.Accept, message.Reject, message.Tag, message.Greylist, message.Accept)) {
		got = append(got, r.EnvelopeTo+" "+r.Disposition)
	}
	if text := strings.Join(got, ", "); text != "b.example reject, e.example quarantine,  none" {
		t.Error(text)
	}
}
