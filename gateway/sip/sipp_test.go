//go:build integration

package sip

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rempart/config"
	"rempart/gateway"
	"rempart/message"
)

// sipp runs that program to its end; it succeeds if all calls did.
func sipp(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.Command(program(t, "sipp"), append(args, "-nostdin")...)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "TERM=xterm")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("sipp %s: %v\n%.6000s", strings.Join(args, " "), err, out[max(0, len(out)-6000):])
	}
}

func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if path = "/usr/sbin/" + name; !exists(path) {
			t.Skipf("%s is not installed", name)
		}
	}
	return path
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

// sipp places calls from two numbers, one of which is refused, by datagram and by stream: each is answered, each judged
// once though sipp sends some again.
func TestSipp(t *testing.T) {
	scenario, err := filepath.Abs("testdata/screen.xml")
	if err != nil {
		t.Fatal(err)
	}
	callers := filepath.Join(t.TempDir(), "callers.csv")
	if err := os.WriteFile(callers, []byte("SEQUENTIAL\n+442079460123;\n+442079460666;\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, transport := range []string{"u1", "t1"} {
		var judged, refused atomic.Int64
		r := newRig(t, func(ctx context.Context, m *message.Message) gateway.Answer {
			judged.Add(1)
			if m.Source.ID == "+442079460666" && m.Call.Asserted == m.Source.ID {
				refused.Add(1)
				return always(message.Reject)(ctx, m)
			}
			return always(message.Accept)(ctx, m)
		}, nil)
		const calls = 2000
		sipp(t, r.addr.String(), "-i", "127.0.0.1", "-sf", scenario, "-inf", callers, "-t", transport, "-r", "500", "-m", strconv.Itoa(calls))
		r.stop()
		if judged.Load() != calls || refused.Load() != calls/2 {
			t.Errorf("%s: %d judged, %d refused, of %d", transport, judged.Load(), refused.Load(), calls)
		}
	}
}

// Whole calls (INVITE, 180, 200, ACK, BYE) between two sipp through the relay, at a port of its own.
func TestSippThroughRelay(t *testing.T) {
	port := freePort(t)
	r := newRig(t, always(message.Tag), func(c *Config) { c.OnAccept, c.NextHops = onAcceptRelay, []string{"127.0.0.1:" + port} })
	callee := exec.Command(program(t, "sipp"), "-sn", "uas", "-i", "127.0.0.1", "-p", port, "-nostdin")
	callee.Dir = t.TempDir()
	callee.Env = append(os.Environ(), "TERM=xterm")
	if err := callee.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = callee.Process.Kill()
		_ = callee.Wait()
	}()
	for _, transport := range []string{"u1", "t1"} {
		sipp(t, r.addr.String(), "-sn", "uac", "-i", "127.0.0.1", "-t", transport, "-r", "100", "-m", "300", "-d", "0")
	}
}

func freePort(t *testing.T) string {
	c := socket(t)
	defer c.Close()
	return strconv.Itoa(c.LocalAddr().(*net.UDPAddr).Port)
}

// snippet is the page's block of a kind.
func snippet(t *testing.T, kind string) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/frontdoor-sip.md")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile("(?ms)^```" + kind + "\n(.*?)^```").FindStringSubmatch(string(page))
	if m == nil {
		t.Fatalf("the page has no %s block", kind)
	}
	return m[1]
}

// Kamailio asks as the page has it: what is refused ends, what is accepted reaches the next hop, with a label if it is
// tagged, and so does everything when Rempart is silent.
func TestKamailio(t *testing.T) {
	var file struct {
		Gateway struct {
			SIP []Config `toml:"sip"`
		} `toml:"gateway"`
	}
	if err := config.Parse("docs/frontdoor-sip.md", []byte(snippet(t, "toml")), &file); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, func(ctx context.Context, m *message.Message) gateway.Answer {
		switch {
		case strings.HasPrefix(m.MessageID, "bad"):
			return always(message.Reject)(ctx, m)
		case strings.HasPrefix(m.MessageID, "odd"):
			return always(message.Tag)(ctx, m)
		}
		return always(message.Accept)(ctx, m)
	}, func(c *Config) {
		*c = file.Gateway.SIP[0]
		c.Listen = []string{"127.0.0.1:0"}
	})
	port := freePort(t)
	text := strings.NewReplacer("127.0.0.1:5060", r.addr.String(), "127.0.0.1:5070", "127.0.0.1:"+port, "127.0.0.1:5080", r.hop.LocalAddr().String()).
		Replace(snippet(t, "kamailio"))
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "kamailio.cfg"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	kamailio := exec.Command(program(t, "kamailio"), "-DD", "-E", "-f", filepath.Join(dir, "kamailio.cfg"), "-Y", dir, "-P", filepath.Join(dir, "pid"), "-m", "32")
	kamailio.Stdout, kamailio.Stderr = log, log
	if err := kamailio.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = kamailio.Process.Signal(os.Interrupt)
		timer := time.AfterFunc(5*time.Second, func() { _ = kamailio.Process.Kill() })
		_ = kamailio.Wait()
		timer.Stop()
		if t.Failed() {
			b, _ := os.ReadFile(log.Name())
			t.Logf("%.8000s", b)
		}
	})
	r.addr = awaitKamailio(t, r, port)

	via := fmt.Sprintf("127.0.0.1:%d", r.client.LocalAddr().(*net.UDPAddr).Port)
	call := func(id, method, more string) string {
		return strings.Replace(strings.Replace(request(method, more), "Call-ID: ", "Call-ID: "+id, 1), "192.0.2.4:5070", via, 1)
	}
	// final reads the answer to a call, over the 100 that the switch gives first and what it says again of others.
	final := func(id string) string {
		for {
			if got := receive(t, r.client); !strings.HasPrefix(got, "SIP/2.0 1") && strings.Contains(got, "Call-ID: "+id) {
				return got
			}
		}
	}
	// arrived reads a call at the next hop.
	arrived := func(id string) string {
		for {
			if got := receive(t, r.hop); strings.HasPrefix(got, "INVITE") && strings.Contains(got, "Call-ID: "+id) {
				return got
			}
		}
	}
	for _, method := range []string{"INVITE", "MESSAGE"} {
		r.send(call("bad", method, sdp))
		if got := final("bad"); status(got) != "603 Decline" {
			t.Errorf("%s: %s", method, got)
		}
	}
	for _, tt := range []struct{ id, label string }{{"good", ""}, {"odd", "X-Rempart-Action: tag\r\nX-Rempart-Probability: 0.912\r\n"}} {
		r.send(call(tt.id, "INVITE", sdp))
		got := arrived(tt.id)
		if strings.Contains(got, "X-Rempart") != (tt.label != "") ||
			!strings.Contains(got, tt.label) {
			t.Errorf("%s arrived as %s", tt.id, got)
		}
		r.answerAtHop(got, port)
		if got := final(tt.id); status(got) != "486 Busy Here" {
			t.Errorf("%s: %s", tt.id, got)
		}
	}
	r.stop() // and with Rempart gone
	r.send(call("late", "INVITE", sdp))
	r.answerAtHop(arrived("late"), port)
	if got := final("late"); status(got) != "486 Busy Here" {
		t.Error(got)
	}
}

func (r *rig) answerAtHop(got, port string) {
	addr, err := net.ResolveUDPAddr("udp", "127.0.0.1:"+port)
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := r.hop.WriteToUDP([]byte(response(got, "486 Busy Here")), addr); err != nil {
		r.t.Fatal(err)
	}
}

// awaitKamailio asks until Kamailio answers, which it does by asking the next hop, and returns its address.
func awaitKamailio(t *testing.T, r *rig, port string) netip.AddrPort {
	t.Helper()
	addr := netip.MustParseAddrPort("127.0.0.1:" + port)
	ping := fmt.Sprintf("OPTIONS sip:next.example SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKping;rport\r\nMax-Forwards: 0\r\nFrom: <sip:a@b.example>;tag=1\r\n"+
		"To: <sip:next.example>\r\nCall-ID: ping\r\nCSeq: 1 OPTIONS\r\n\r\n", r.client.LocalAddr())
	deadline := time.Now().Add(20 * time.Second)
	for time.Now().Before(deadline) {
		_, _ = r.client.WriteToUDPAddrPort([]byte(ping), addr)
		_ = r.client.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
		if _, _, err := r.client.ReadFromUDPAddrPort(make([]byte, 2000)); err == nil {
			_ = r.client.SetReadDeadline(time.Now().Add(20 * time.Second))
			return addr
		}
	}
	t.Fatal("Kamailio does not answer")
	return addr
}
