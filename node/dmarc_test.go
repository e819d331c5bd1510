package node

import (
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"rempart/dns/dnstest"
	"rempart/message"
	"rempart/message/email"
	"rempart/message/feedback"
)

// reporting is a configuration that counts mail for reports, with a zone as its DNS.
func reporting(t testing.TB, more string, zone ...string) Config {
	t.Helper()
	path, _ := configuration(t, more)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	servers := `servers = ["` + dnstest.Serve(t, zone...).Addr + `"]`
	if err := os.WriteFile(path, []byte(strings.Replace(string(b), "off = true", servers, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// arrive judges a mail of ann@a.example from an address.
func arrive(t *testing.T, n *Node, address, to string, change ...func(*message.Message)) {
	t.Helper()
	m := email.ParseBytes([]byte("From: Ann <ann@a.example>\r\nTo: ben@b.example\r\nSubject: notes\r\n\r\nHere they are.\r\n"))
	m.Direction, m.Source.Address, m.Helo, m.MailFrom = message.In, netip.MustParseAddr(address), "mx.a.example", "bounces@a.example"
	m.Recipients = []message.Recipient{{Address: to}}
	for _, c := range change {
		c(m)
	}
	if answer := n.Judge(t.Context(), m); len(answer.Decisions) != 1 {
		t.Fatalf("%+v", answer)
	}
}

// What comes in is counted by DNS and by what was done with it; mail about reports, mail of own users, and mail that goes out are not.
// The running node tells a command.
func TestOutgoingReports(t *testing.T) {
	c := reporting(t, `
[feedback]
addresses = ["abuse@b.example"]
[feedback.dmarc]
from = "DMARC reports <dmarc@b.example>"
contact = "https://b.example/dmarc"
`, `a.example. 60 IN TXT "v=spf1 ip4:192.0.2.1 -all"`, `_dmarc.a.example. 60 IN TXT "v=DMARC1; p=none; sp=reject; rua=mailto:d@a.example"`)
	noon := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC) // the machine's clock may pass midnight in the middle
	n, _ := serveClock(t, c, func() time.Time { return noon })
	arrive(t, n, "192.0.2.1", "ben@b.example")
	arrive(t, n, "192.0.2.1", "dora@b.example")
	arrive(t, n, "192.0.2.9", "ben@b.example")
	arrive(t, n, "192.0.2.1", "DMARC@b.example")
	arrive(t, n, "192.0.2.1", "abuse@b.example")
	arrive(t, n, "192.0.2.1", "ben@b.example", func(m *message.Message) { m.Account = "ann" })
	arrive(t, n, "192.0.2.1", "ben@b.example", func(m *message.Message) { m.Direction = message.Out })
	client, err := Dial(c.Data)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	list, err := client.OutgoingReports(t.Context())
	if err != nil || len(list) != 1 || list[0].Domain != "a.example" || list[0].Mails != 3 || list[0].Rows != 2 || list[0].RUA != "mailto:d@a.example" {
		t.Fatalf("%+v %v", list, err)
	}
	text, err := client.OutgoingReport(t.Context(), "a.example", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	found, err := feedback.ReadFile(text)
	if err != nil {
		t.Fatal(err)
	}
	a := found.Aggregates[0]
	if a.Organisation != "b.example" || a.Contact != "https://b.example/dmarc" || a.Policy.P != "none" || a.Policy.SP != "reject" || len(a.Rows) != 2 {
		t.Errorf("%+v", a)
	}
	for _, r := range a.Rows {
		if passed := r.Source == netip.MustParseAddr("192.0.2.1"); r.Disposition != "none" || r.Pass() != passed || r.SPFResults[0].Result != map[bool]string{true: "pass", false: "fail"}[passed] ||
			r.EnvelopeFrom != "a.example" || r.EnvelopeTo != "b.example" || r.HeaderFrom != "a.example" || r.Count != map[bool]uint64{true: 2, false: 1}[passed] {
			t.Errorf("%+v", r)
		}
	}
	if _, err := client.OutgoingReport(t.Context(), "c.example", time.Time{}); err == nil || !strings.Contains(err.Error(), "c.example") {
		t.Errorf("of nobody: %v", err)
	}
	if _, err := client.OutgoingReport(t.Context(), "a.example", noon.Truncate(24*time.Hour).Add(-24*time.Hour)); err == nil {
		t.Error("of yesterday")
	}

	c.Feedback.DMARC.From = ""
	if err := n.Reload(c); err != nil {
		t.Fatal(err)
	}
	arrive(t, n, "192.0.2.1", "ben@b.example")
	if list, err := n.OutgoingReports(t.Context()); err != nil || list[0].Mails != 3 {
		t.Errorf("counted while it is off: %+v %v", list, err)
	}
}

// Reports need DNS.
func TestReportsNeedDNS(t *testing.T) {
	path, _ := configuration(t, "[feedback.dmarc]\nfrom = \"dmarc@b.example\"\n")
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), "feedback.dmarc.from") {
		t.Errorf("%v", err)
	}
}
