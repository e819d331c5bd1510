//go:build integration

package node

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rempart/abuse/aggregate"
	"rempart/dns/dnstest"
	"rempart/gateway/milter/postfix"
	"rempart/message"
	"rempart/message/dkim"
	"rempart/message/email"
	"rempart/message/feedback"
	"rempart/nexthop"
	"rempart/world"
)

// A Postfix asks a node about a day's mail; the next day the node hands the reports to a Postfix, which sends them on: to the domain's
// own mailbox and to another organisation's that takes them, not to one that does not. xmllint finds them in order, dkimpy takes the
// signature.
func TestReportsByPostfix(t *testing.T) {
	dir, asks := newDir(t), postfix.FreePort(t)
	inbox := postfix.NewSink(t)
	mx := postfix.Start(t, fmt.Sprintf("myhostname = mx.b.example\nmynetworks = 127.0.0.0/8\nsmtpd_relay_restrictions = permit_mynetworks, permit_auth_destination, reject\nrelay_domains = b.example\n"+
		"relayhost = [127.0.0.1]:%d\nsmtpd_milters = inet:127.0.0.1:%d\nmilter_default_action = tempfail\n%s", inbox.Port, asks, xclient))
	record, key := newKey(t, filepath.Join(dir, "b.example.key"), "b.example", "2026", dkim.RSA)
	c := reporting(t, fmt.Sprintf(`
[policy.thresholds]
reject = 0.0001
[[policy.scope]]
user = "dora@b.example"
thresholds = { reject = 0.0 }
[feedback]
next_hop = "127.0.0.1:%d"
[feedback.dmarc]
from = "DMARC reports <dmarc@b.example>"
organisation = "B & Söhne"
send = true
[[sign.key]]
domain = "b.example"
selector = "2026"
file = %q
[[gateway.milter]]
name = "mx"
mode = "judge"
listen = ["127.0.0.1:%d"]
`, mx.Plain, filepath.Join(dir, "b.example.key"), asks), record,
		`a.example. 60 IN TXT "v=spf1 ip4:192.0.2.1 -all"`,
		`_dmarc.a.example. 60 IN TXT "v=DMARC1; p=reject; rua=mailto:d@a.example!10m,mailto:a@takes.example,mailto:a@takes-not.example"`,
		`a.example._report._dmarc.takes.example. 60 IN TXT "v=DMARC1"`)

	day := thisDay()
	n, stop := serveConfig(t, c)
	sender := func(address string) *world.Mail {
		return &world.Mail{Client: netip.MustParseAddr(address), Name: "mx.a.example", Helo: "mx.a.example", From: "bounces@a.example"}
	}
	raw := []byte("From: Ann <ann@a.example>\r\nTo: ben@b.example\r\nSubject: notes\r\nMessage-ID: <1@a.example>\r\nDate: Sat, 28 Nov 2026 12:00:00 +0000\r\n\r\nHere they are.\r\n")
	for range 3 {
		if err := handOver(mx.Port, sender("192.0.2.1"), "dora@b.example", raw); err != nil {
			t.Fatal(err)
		}
	}
	if err := handOver(mx.Port, sender("192.0.2.9"), "dora@b.example", raw); err != nil {
		t.Fatal(err)
	}
	if err := handOver(mx.Port, sender("192.0.2.9"), "ben@b.example", raw); err == nil {
		t.Fatal("taken, and was to be refused")
	}
	shown, err := n.OutgoingReport(t.Context(), "a.example", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	stop()

	tomorrow := day.Add(36 * time.Hour)
	_, stop = serveClock(t, c, func() time.Time { return tomorrow })
	got := inbox.Wait(t, "d@a.example", 1, 20*time.Second)[0]
	inbox.Wait(t, "a@takes.example", 1, 20*time.Second)
	stop()
	n, stop = serveClock(t, c, func() time.Time { return tomorrow.Add(2 * time.Hour) })
	if list, err := n.OutgoingReports(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("not deleted after it was sent: %+v %v", list, err)
	}
	stop()
	if got := inbox.For("a@takes-not.example"); len(got) != 0 || len(inbox.For("d@a.example")) != 1 {
		t.Errorf("sent to who does not take it, or twice: %+v", got)
	}
	m := email.ParseBytes([]byte(got.Data))
	found, err := feedback.Read([]byte(got.Data))
	if err != nil || got.From != "dmarc@b.example" || m.Subject[:51] != "Report Domain: a.example Submitter: b.example Repor" {
		t.Fatalf("%v %+v", err, got)
	}
	a := found.Aggregates[0]
	var rows []string
	for _, r := range a.Rows {
		rows = append(rows, fmt.Sprint(r.Source, " ", r.Count, " ", r.Disposition, " ", r.SPF, " ", r.Reasons))
	}
	slices.Sort(rows)
	if text := strings.Join(rows, ", "); text != "192.0.2.1 3 pass pass [], 192.0.2.9 1 none fail [{local_policy }], 192.0.2.9 1 reject fail []" || a.Organisation != "B & Söhne" {
		t.Errorf("%s: %+v", text, a)
	}
	text, err := a.XML()
	if err != nil || string(text) != string(shown) {
		t.Errorf("%v: shown before it was sent\n%s\nsent\n%s", err, shown, text)
	}
	if out, err := postfix.Run("xmllint", "--noout", "--nonet", "--schema", "../message/feedback/testdata/aggregate.xsd", write(t, dir, "report.xml", string(shown))); err != nil {
		t.Errorf("%v: %s\n%s", err, out, shown)
	}
	clock := fmt.Sprintf("import runpy, time; time.time = lambda: %d; runpy.run_path('../sign/testdata/peer.py')", tomorrow.Unix())
	verify := exec.Command("/usr/bin/python3", "-c", clock, "verify", write(t, dir, "keys", key))
	verify.Stdin = strings.NewReader(got.Data)
	if out, err := verify.CombinedOutput(); err != nil || string(out) != "pass\n" {
		t.Errorf("dkimpy says %s %v of\n%s", out, err, got.Data)
	}
}

// thisDay is the begin of the UTC day, of which there is a while to come: a front door dates mail by the machine's clock, and what comes
// after midnight is another report's.
func thisDay() time.Time {
	day := time.Now().UTC().Truncate(24 * time.Hour)
	if left := time.Until(day.Add(24 * time.Hour)); left < time.Minute {
		time.Sleep(left)
		day = day.Add(24 * time.Hour)
	}
	return day
}

// killer is a next hop that kills the program (kill -9) about every third report: some before it says that it took it, some after.
type killer struct {
	net.Listener
	mu      sync.Mutex          // guards what follows
	reports map[string][]string // the files, by recipient
	kill    func()
	took    int
}

func (k *killer) talk(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	say := func(line string) { fmt.Fprint(conn, line+"\r\n") }
	say("220 hop")
	for to := ""; ; {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		if rest, ok := strings.CutPrefix(line, "RCPT TO:<"); ok {
			to, _, _ = strings.Cut(rest, ">")
		}
		if line != "DATA\r\n" {
			say("250 ok")
			continue
		}
		say("354 go on")
		var mail strings.Builder
		for line != ".\r\n" {
			if line, err = in.ReadString('\n'); err != nil {
				return
			}
			mail.WriteString(strings.TrimPrefix(line, "."))
		}
		parts := email.Parts([]byte(mail.String()))
		k.mu.Lock()
		k.reports[to] = append(k.reports[to], parts[len(parts)-1].Name+"\n"+parts[len(parts)-1].Body)
		k.took++
		took := k.took
		k.mu.Unlock()
		switch took % 6 {
		case 2:
			k.kill()
		case 5:
			say("250 taken")
			k.kill()
		default:
			say("250 taken")
		}
	}
}

// The program is killed while it sends reports: each arrives, and what comes twice is the same report, as often as the program was killed
// at most.
func TestKillReports(t *testing.T) {
	const domains = 40
	dir := t.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	k := &killer{Listener: l, reports: map[string][]string{}}
	var group sync.WaitGroup
	group.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			k.talk(conn)
		}
	})
	t.Cleanup(func() { l.Close(); group.Wait() })
	binary := filepath.Join(dir, "rempart")
	if out, err := exec.Command("go", "build", "-o", binary, "rempart/cmd/rempart").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	data := filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	conf := aggregate.Config{From: "dmarc@b.example", Send: true}
	countPast(t, data, conf, domains)
	path := write(t, dir, "rempart.toml", fmt.Sprintf("name = \"n1\"\ndata = %q\n[console]\nlisten = []\n[dns]\nservers = [%q]\n[feedback]\nnext_hop = %q\n[feedback.dmarc]\n"+
		"from = \"dmarc@b.example\"\nsend = true\n", data, dnstest.Serve(t).Addr, l.Addr()))

	kills := 0
	for end := time.Now().Add(2 * time.Minute); ; kills++ {
		if time.Now().After(end) {
			k.mu.Lock()
			sent := len(k.reports)
			k.mu.Unlock()
			t.Fatalf("not all were sent: %d of %d", sent, domains)
		}
		process := exec.Command(binary, "serve", "--config", path)
		k.mu.Lock()
		k.kill = func() { _ = process.Process.Kill() }
		k.mu.Unlock()
		if err := process.Start(); err != nil {
			t.Fatal(err)
		}
		exited := make(chan struct{})
		go func() { _ = process.Wait(); close(exited) }()
		if sent := allSent(data, exited); sent {
			_ = process.Process.Kill()
			<-exited
			break
		}
	}
	twice := 0
	for to, files := range k.reports {
		for _, f := range files[1:] {
			twice++
			if f != files[0] {
				t.Errorf("%s got two unlike reports:\n%s\n%s", to, files[0], f)
			}
		}
	}
	t.Logf("%d reports, killed %d times, %d came twice", len(k.reports), kills, twice)
	if len(k.reports) != domains || kills < domains/6 || twice > kills || twice == 0 {
		t.Errorf("%d of %d reports, killed %d times, %d came twice", len(k.reports), domains, kills, twice)
	}
}

// countPast counts a mail of each of so many domains, on a day whose reports are all due now.
func countPast(t *testing.T, data string, c aggregate.Config, domains int) {
	t.Helper()
	begin := time.Now().UTC().Truncate(24 * time.Hour).Add(-24 * time.Hour)
	if time.Since(begin) < 30*time.Hour+20*time.Minute { // those of yesterday are not all due
		begin = begin.Add(-24 * time.Hour)
	}
	s, err := aggregate.Open(t.Context(), data, c, "", nexthop.Access{}, aggregate.Options{Node: "n1", Log: discard(), Now: func() time.Time { return begin }, LeftOut: func(uint64) {}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for i := range domains {
		domain := fmt.Sprintf("a%d.example", i)
		m := &message.Message{Channel: message.Email, Direction: message.In, Arrived: begin, Recipients: []message.Recipient{{Address: "ben@b.example"}}}
		m.From.Domain = domain
		m.Facts.Auth = message.Authentication{Source: netip.MustParseAddr("192.0.2.1"), SPF: "fail", SPFDomain: domain, DMARC: "fail", DMARCPolicy: "none",
			Record: &message.DMARCRecord{Domain: domain, Policy: "none", Asked: "none", Reports: "mailto:d@" + domain}}
		s.Count(m, []message.Decision{{Action: message.Accept}})
	}
	if list, err := s.Waiting(t.Context()); err != nil || len(list) != domains {
		t.Fatalf("%d %v", len(list), err)
	}
}

// allSent asks the running program until no report waits, or it is gone.
func allSent(data string, exited <-chan struct{}) bool {
	for {
		select {
		case <-exited:
			return false
		case <-time.After(20 * time.Millisecond):
		}
		client, err := Dial(data)
		if err != nil {
			continue
		}
		list, err := client.OutgoingReports(context.Background())
		client.Close()
		if err == nil && len(list) == 0 {
			return true
		}
	}
}
