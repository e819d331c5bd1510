package spamd

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"rempart/catalogue"
	"rempart/message"
	"rempart/policy"
)

// score reads the field Spam of an answer.
func score(t *testing.T, head string) (word string, score float64) {
	t.Helper()
	m := regexp.MustCompile(`\r\nSpam: (\w+) ; (-?[0-9]+\.[0-9]) / 5\.0$`).FindStringSubmatch(head)
	if m == nil {
		t.Fatalf("%q", head)
	}
	score, _ = strconv.ParseFloat(m[2], 64)
	return m[1], score
}

func TestCheck(t *testing.T) {
	const refusing = "[thresholds]\nreject = 0.9\n"
	received := "Received: from bank.example ([192.0.2.66]) by mx.example.net with ESMTP; Tue, 24 Nov 2026 12:00:00 +0000\r\n"
	for _, tt := range []struct {
		name, door, rules string
		mail              string
		spam              string
		low, high         float64
	}{
		{"honest", "", "", mail, "False", -100, 4.9},
		{"tag", "", "", scam, "True", 5, 14.9},
		{"rewrite", "", "[thresholds]\nrewrite = 0.9\n", scam, "True", 5, 14.9},
		{"quarantine", "", "[thresholds]\nquarantine = 0.9\n", scam, "True", 5, 14.9},
		{"put off", "", "[thresholds]\ntempfail = 0.9\n", scam, "True", 5, 14.9},
		{"refusing without a source", "", refusing, scam, "True", 5, 14.9},
		{"denied", "", "[[deny]]\nnetwork = '192.0.2.66'\n", received + mail, "True", 15, 15},
		{"allowed", "", "[[allow]]\nnetwork = '192.0.2.66'\n", received + scam, "False", 3.9, 3.9},
		{"shadow", "mode = 'shadow'", "", scam, "False", 3.9, 3.9},
		{"shadow by policy", "", "mode = 'shadow'\n[thresholds]\ntag = 0.9\n", scam, "False", 3.9, 3.9},
		{"nothing turned on", "", "[thresholds]\ntag = 0\n", scam, "False", 4.9, 4.9},
		{"no judgement, accept", "budget = '20ms'\non_error = 'accept'", "", "Subject: hold\r\n\r\n", "False", 0, 0},
		{"no judgement, shadow", "budget = '20ms'\nmode = 'shadow'", "", "Subject: hold\r\n\r\n", "False", 0, 0},
		{"empty", "", "", "", "False", -100, 4.9},
		{"NUL bytes and no line end", "", "[thresholds]\ntag = 0\n", "Subject: \x00\x00\r\nTo: \x00", "False", -100, 4.9},
		{"8-bit header", "", "[thresholds]\ntag = 0\n", "Subject: \xff\xfe\x80\r\n\xc3: x\r\n\r\n\xff", "False", -100, 4.9},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, tt.door, tt.rules)
			for _, command := range []string{"CHECK", "SYMBOLS", "REPORT", "REPORT_IFSPAM", "HEADERS", "PROCESS"} {
				head, body := r.ask(command, tt.mail)
				word, got := score(t, head)
				if command == "REPORT_IFSPAM" {
					word = map[string]string{"Yes": "True", "No": "False"}[word]
				}
				if word != tt.spam || got < tt.low || got > tt.high {
					t.Errorf("%s: %q", command, head)
				}
				if command != "CHECK" && !strings.Contains(head, fmt.Sprintf("\r\nContent-length: %d\r\n", len(body))) {
					t.Errorf("%s: a body of %d bytes: %q", command, len(body), head)
				}
				if command == "REPORT_IFSPAM" && (body != "") != (word == "True") {
					t.Errorf("%s: %q", command, body)
				}
			}
		})
	}
}

// Whoever asks, and whatever stands in the mail, nothing is greylisted: no stranger is at the door who could come again.
func TestNothingIsGreylisted(t *testing.T) {
	for _, unix := range []bool{false, true} {
		for _, relays := range []string{"", "relays = ['192.0.2.0/24']"} {
			listen := "127.0.0.1:0"
			if unix {
				listen = "unix:" + filepath.Join(t.TempDir(), "spamd.sock")
			}
			r := newRigOn(t, listen, relays, "[thresholds]\ngreylist = 0.0001\ntag = 0\n")
			decide := func(m *message.Message) message.Action {
				m.Arrived = time.Now()
				j := r.filter.Judge(t.Context(), m, m.Recipients)
				return policy.Decide(j, m, r.rules)[0].Action
			}
			for _, received := range []string{
				"",
				"Received: from bank.example ([192.0.2.66]) by mx.example.net with ESMTP; Tue, 24 Nov 2026 12:00:00 +0000\r\n",
				"Received: from bank.example ([203.0.113.66]) by mx.example.net with ESMTP; Tue, 24 Nov 2026 12:00:00 +0000\r\n",
				"Received: by mx.example.net; Tue, 24 Nov 2026 12:00:00 +0000\r\n",
				"Return-Path: <a@example.com>\r\nReceived: from x\r\n",
			} {
				r.ask("CHECK", received+scam, "User: ben@example.net")
				m := <-r.asked
				if a := decide(m); a != message.Accept {
					t.Errorf("%s, %q, %q: %s", listen, relays, received, a)
				}
				if len(m.Route) == 0 || !m.Source.Address.IsGlobalUnicast() {
					continue
				}
				if m.Route[0].Trusted = false; decide(m) != message.Greylist { // as if the source were connected itself
					t.Errorf("%q: the policy greylists nobody", received)
				}
			}
		}
	}
}

// The sender is told to come again where there is no verdict: Exim defers, spamc -x ends with an error.
func TestNoVerdict(t *testing.T) {
	for _, subject := range []string{"hold", "panic"} {
		r := newRig(t, "budget = '20ms'", "")
		for _, command := range []string{"CHECK", "SYMBOLS", "REPORT", "REPORT_IFSPAM", "HEADERS", "PROCESS"} {
			head, _ := r.ask(command, "Subject: "+subject+"\r\n\r\n")
			if want := "SPAMD/1.0 75 Temporary Failure: " + catalogue.English().Say("answer.tempfail") + "\r\n"; head != want {
				t.Errorf("%s: %q", command, head)
			}
		}
	}
}

// A report has a line for each part of the score, and they add up to it.
func TestReport(t *testing.T) {
	r := newRig(t, "", "")
	head, report := r.ask("REPORT", scam)
	_, total := score(t, head)
	if !strings.Contains(report, fmt.Sprintf("Content analysis details:   (%.1f points, 5.0 required)\n\n", total)) {
		t.Errorf("%s", report)
	}
	var tenths int
	rows := regexp.MustCompile(`(?m)^ *(-?\d+)\.(\d) (\w+) +(\S.*)$`).FindAllStringSubmatch(report, -1)
	for _, row := range rows {
		n, _ := strconv.Atoi(row[1] + row[2])
		tenths += n
	}
	if len(rows) < 5 || tenths != int(total*10+.5) {
		t.Errorf("%d rows add up to %d tenths, the score is %v:\n%s", len(rows), tenths, total, report)
	}
	if !regexp.MustCompile(`(?m)^ *\d\.\d LINK_ADDRESS +a link leads to the bare address 192\.0\.2\.66$`).MatchString(report) {
		t.Errorf("%s", report)
	}
	for line := range strings.Lines(report) {
		if len(line) > 100 {
			t.Errorf("a line of %d bytes: %s", len(line), line)
		}
	}
	_, tests := r.ask("SYMBOLS", scam)
	for name := range strings.SplitSeq(tests, ",") {
		if !regexp.MustCompile(`(?m)^ *-?\d+\.\d ` + name + ` `).MatchString(report) {
			t.Errorf("the report lacks %s", name)
		}
	}
	if !strings.Contains(","+tests+",", ",LINK_ADDRESS,") || strings.Contains(tests, "REMPART_SCALE") {
		t.Errorf("%s", tests)
	}
}

// Whom a mail is for and where it came from: the header User, and what the asking mail server wrote above its Received field.
func TestEnvelope(t *testing.T) {
	const received = "Received: from relay.example.net (relay.example.net [192.0.2.7]) by mx.example.net with ESMTP; Tue, 24 Nov 2026 12:00:01 +0000\r\n" +
		"Received: from origin.example ([198.51.100.9]) by relay.example.net with ESMTP; Tue, 24 Nov 2026 12:00:00 +0000\r\n"
	exim := "X-Envelope-From: <bounce@example.com>\r\nX-Envelope-To: Ben@example.net, cora@example.net\r\n"
	two := []message.Recipient{{Address: "ben@example.net", Domain: "example.net"}, {Address: "cora@example.net", Domain: "example.net"}}
	for _, tt := range []struct {
		name, door, user, mail string
		from, source           string
		to                     []message.Recipient
	}{
		{"nothing told", "", "", mail, "", "", nil},
		{"mailbox", "", "Ben@Example.net", mail, "", "", []message.Recipient{{Address: "ben@example.net", Domain: "example.net", User: "ben@example.net"}}},
		{"mailbox of this machine", "", "ben", mail, "", "", []message.Recipient{{Address: "ben", User: "ben"}}},
		{"nobody", "", "nobody", mail, "", "", nil},
		{"root", "", "root", mail, "", "", nil},
		{"Exim", "", "nobody", exim + received + mail, "bounce@example.com", "192.0.2.7", two},
		{"Exim for a mailbox", "", "ben", exim + received + mail, "bounce@example.com", "192.0.2.7", []message.Recipient{{Address: "ben", User: "ben"}}},
		{"through a relay", "relays = ['192.0.2.0/24']", "", "Return-Path: <bounce@example.com>\r\n" + received + mail, "bounce@example.com", "198.51.100.9", nil},
		{"forged below", "", "", received + exim + mail, "", "192.0.2.7", nil},
		{"forged without a Received", "", "", exim + mail, "", "", nil},
	} {
		r := newRig(t, tt.door, "")
		var fields []string
		if tt.user != "" {
			fields = []string{"User: " + tt.user}
		}
		r.ask("CHECK", tt.mail, fields...)
		m := <-r.asked
		source := ""
		if m.Source.Address.IsValid() {
			source = m.Source.Address.String()
		}
		if m.MailFrom != tt.from || source != tt.source || fmt.Sprint(m.Recipients) != fmt.Sprint(tt.to) || !m.OneAnswer || m.Direction != message.In || m.Account != "" {
			t.Errorf("%s: from %q, source %q, to %+v", tt.name, m.MailFrom, source, m.Recipients)
		}
	}
}
