//go:build integration

package node

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"rempart/filter/clamav/clamd"
	"rempart/message"
	"rempart/message/email"
)

// invoice is a mail with a file, from a sender whom the list of the policy lets pass.
func invoice(t *testing.T, file string) *message.Message {
	t.Helper()
	m, err := email.Parse(strings.NewReader("From: Ann <ann@a.example>\r\nTo: ben@b.example\r\nSubject: the invoice\r\nMIME-Version: 1.0\r\n" +
		"Message-ID: <1@a.example>\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\nPlease see the attached invoice.\r\n" +
		"--x\r\nContent-Type: application/pdf; name=invoice.pdf\r\nContent-Disposition: attachment; filename=invoice.pdf\r\n" +
		"Content-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString([]byte(file)) + "\r\n--x--\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	m.Direction, m.Recipients = message.In, []message.Recipient{{Address: "ben@b.example"}}
	m.Facts.Auth.DKIM = []message.DKIM{{Status: "pass", Domain: "a.example"}}
	return m
}

// A node with a real clamd: malware is refused, though its sender stands on the list of those who pass; with clamd killed mail goes on
// without a scan, and the health page says so; once clamd is back, malware is refused again.
func TestClamAV(t *testing.T) {
	server := clamd.Start(t, "25M")
	path, _ := configuration(t, "[clamav]\naddress = \"unix:"+server.Socket+"\"\n[[policy.allow]]\ndkim = \"a.example\"\n")
	n, _ := serve(t, path)
	judge := func(file string) (message.Decision, *message.Verdict, message.State) {
		m := invoice(t, file)
		a := n.Judge(t.Context(), m)
		return a.Decisions[0], a.Judgement.Verdicts[0], m.Facts.Scan.State
	}
	health := func() string {
		for _, row := range n.Health(t.Context()).Rows {
			if row.Name == "clamav" {
				return row.Key
			}
		}
		return ""
	}
	refused := func(when string) {
		t.Helper()
		d, v, _ := judge(clamd.EICAR)
		if d.Action != message.Reject || d.Rule != "malware" || v.Category != message.Malware || !strings.Contains(d.Text, "virus scanner") {
			t.Errorf("%s: %s by %s, category %s, %q", when, d.Action, d.Rule, v.Category, d.Text)
		}
	}

	refused("clamd is up")
	stolen := invoice(t, clamd.EICAR)
	stolen.Direction, stolen.Account = message.Out, "ann@a.example"
	if d := n.Judge(t.Context(), stolen).Decisions[0]; d.Action != message.Reject || d.Rule != "malware" {
		t.Errorf("going out: %s by %s", d.Action, d.Rule)
	}
	if d, _, state := judge("an invoice"); d.Action != message.Accept || state != message.StateAbsent || health() != "health.clamav_up" {
		t.Errorf("a clean file: %s by %s, scan %s, %s", d.Action, d.Rule, state, health())
	}
	server.Kill()
	for range 5 {
		if d, _, state := judge(clamd.EICAR); d.Action != message.Accept || state != message.StateUnknown {
			t.Fatalf("clamd is down: %s by %s, scan %s", d.Action, d.Rule, state)
		}
	}
	if health() != "health.clamav_down" {
		t.Errorf("clamd is down: %s", health())
	}
	server.Restart(t)
	for end := time.Now().Add(30 * time.Second); health() != "health.clamav_up" && time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		judge("an invoice")
	}
	refused("clamd is back")
}
