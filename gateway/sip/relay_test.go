package sip

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"rempart/gateway"
	"rempart/message"
	"rempart/message/sip"
)

func relaying(c *Config) { c.OnAccept = onAcceptRelay }

// response answers what the next hop got, as it would.
func response(got, code string) string {
	var m sip.Message
	_ = m.Read(got)
	var b strings.Builder
	b.WriteString("SIP/2.0 " + code + "\r\n")
	for _, f := range m.Fields {
		switch f.Kind {
		case sip.ViaField, sip.From, sip.To, sip.CallID, sip.CSeq:
			b.WriteString(f.Name + ": " + f.Value + "\r\n")
		}
	}
	b.WriteString("Content-Length: 0\r\n\r\n")
	return b.String()
}

// A request reaches the next hop byte for byte but for our Via, what was seen of the sender, and Max-Forwards; the
// response comes back as it would have come to the sender.
func TestRelay(t *testing.T) {
	for _, action := range []message.Action{message.Accept, message.Tag} {
		r := newRig(t, always(action), relaying)
		req := request("INVITE", "x-rempart-action: accept\r\nX-Odd :  kept\r\n folded\r\n"+sdp)
		r.send(req)
		got := receive(t, r.hop)
		var m sip.Message
		if err := m.Read(got); err != nil || m.Fault != "" {
			t.Fatalf("%v %s\n%s", err, m.Fault, got)
		}
		if m.Top.Host+":"+m.Top.Port != r.addr.String() || len(m.Top.Branch()) != len(cookie)+32 {
			t.Errorf("our Via: %+v", m.Top)
		}
		port := r.client.LocalAddr().(*net.UDPAddr).Port
		want := strings.Replace(req, ";rport", fmt.Sprintf(";received=127.0.0.1;rport=%d", port), 1)
		want = strings.Replace(strings.Replace(want, "Max-Forwards: 70", "Max-Forwards: 69", 1), "x-rempart-action: accept\r\n", "", 1)
		rest := strings.Replace(got, "Via: SIP/2.0/UDP "+r.addr.String()+";branch="+m.Top.Branch()+"\r\n", "", 1)
		label := "X-Rempart-Action: tag\r\nX-Rempart-Probability: 0.912\r\n"
		if strings.Contains(rest, label) != (action == message.Tag) {
			t.Errorf("label of %s: %s", action, rest)
		}
		if rest = strings.Replace(rest, label, "", 1); rest != want {
			t.Errorf("%s\nwant %s", rest, want)
		}

		again := strings.Replace(req, "X-Odd", "X-odd", 1)
		r.send(again)
		if second := receive(t, r.hop); second != strings.Replace(got, "X-Odd", "X-odd", 1) {
			t.Errorf("again: %s\nfirst: %s", second, got)
		}
		r.send(strings.ReplaceAll(req, "INVITE", "CANCEL"))
		if c := receive(t, r.hop); !strings.HasPrefix(c, "CANCEL") || !strings.Contains(c, m.Top.Branch()) {
			t.Errorf("CANCEL of another branch: %s", c)
		}

		if _, err := r.hop.WriteToUDPAddrPort([]byte(response(got, "180 Ringing")), r.addr); err != nil {
			t.Fatal(err)
		}
		back := receive(t, r.client)
		if want := strings.Replace(response(got, "180 Ringing"), "Via: SIP/2.0/UDP "+r.addr.String()+";branch="+m.Top.Branch()+"\r\n", "", 1); back != want {
			t.Errorf("came back: %s\nwant %s", back, want)
		}
	}
}

// A response with a branch that we did not make goes nowhere.
func TestForgedResponse(t *testing.T) {
	r := newRig(t, always(message.Accept), relaying)
	r.send(request("INVITE", sdp))
	got := receive(t, r.hop)
	var m sip.Message
	_ = m.Read(got)
	for _, forged := range []string{
		strings.Replace(response(got, "200 OK"), m.Top.Branch(), cookie+"00112233445566778899aabbccddeeff", 1),
		strings.Replace(response(got, "200 OK"), "Call-ID: ", "Call-ID: x", 1),
		"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP " + r.addr.String() + ";branch=" + m.Top.Branch() + "\r\n\r\n",
	} {
		r.send(forged)
	}
	r.send(response(got, "200 OK"))
	if back := receive(t, r.client); !strings.HasPrefix(back, "SIP/2.0 200 OK") {
		t.Error(back)
	}
	r.stop()
	_ = r.client.SetReadDeadline(time.Now())
	if n, _, err := r.client.ReadFromUDPAddrPort(make([]byte, 1000)); err == nil {
		t.Errorf("%d bytes of a forged response", n)
	}
}

// A call that was refused here is acknowledged here, others at the next hop; requests within a call go on unjudged.
func TestRelayedMethods(t *testing.T) {
	r := newRig(t, func(ctx context.Context, m *message.Message) gateway.Answer {
		if strings.HasPrefix(m.MessageID, "bad") {
			return always(message.Reject)(ctx, m)
		}
		return always(message.Accept)(ctx, m)
	}, relaying)
	bad := strings.Replace(request("INVITE", sdp), "Call-ID: ", "Call-ID: bad", 1)
	refused := r.ask(bad)
	var m sip.Message
	_ = m.Read(refused)
	to, _ := sip.ReadAddress(m.Get(sip.To))
	if m.Status != 603 {
		t.Fatal(refused)
	}
	r.send(strings.Replace(strings.ReplaceAll(bad, "INVITE", "ACK"), "0001@example.com>", "0001@example.com>;tag="+to.Tag(), 1))
	if got := r.ask(strings.ReplaceAll(bad, "INVITE", "CANCEL")); status(got) != "200 OK" {
		t.Error(got)
	}
	for _, req := range []string{
		strings.Replace(request("ACK", sdp), "0001@example.com>", "0001@example.com>;tag=theirs", 1),
		strings.Replace(request("BYE", "\r\n"), "0001@example.com>", "0001@example.com>;tag=theirs", 1),
		strings.Replace(request("INVITE", sdp), "0001@example.com>", "0001@example.com>;tag=theirs", 1),
		request("REGISTER", "Route: <sip:"+r.addr.String()+";lr>, <sip:next.example;lr>\r\n\r\n"),
	} {
		r.send(req)
		got := receive(t, r.hop)
		if method, _, _ := strings.Cut(req, " "); !strings.HasPrefix(got, method) {
			t.Fatalf("%s\narrived as %s", req, got)
		}
		if strings.HasPrefix(req, "REGISTER") && (!strings.Contains(got, "\r\nRoute: <sip:next.example;lr>\r\n") || !strings.Contains(got, "Max-Forwards: 70\r\n")) {
			t.Error(got)
		}
	}
}

// By stream: requests in pieces and several in one, keep-alives between them, relayed by datagram and back by the stream.
func TestStream(t *testing.T) {
	r := newRig(t, always(message.Accept), relaying)
	conn, err := net.Dial("tcp", r.addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	first, second := request("INVITE", sdp), request("OPTIONS", "Max-Forwards: 0\r\nContent-Length: 0\r\n\r\n")
	for _, c := range []byte(first) {
		if _, err := conn.Write([]byte{c}); err != nil {
			t.Fatal(err)
		}
	}
	got := receive(t, r.hop)
	if !strings.HasPrefix(got, "INVITE") || !strings.HasSuffix(got, "\r\n\r\nv=0\r\n") {
		t.Fatal(got)
	}
	viaTCP := strings.Replace(request("INVITE", sdp), "SIP/2.0/UDP", "SIP/2.0/TCP", 1)
	_, _ = conn.Write([]byte("\r\n\r\n" + viaTCP))
	if _, err := r.hop.WriteToUDPAddrPort([]byte(response(receive(t, r.hop), "486 Busy Here")), r.addr); err != nil {
		t.Fatal(err)
	}
	if back := readStream(t, conn, 2); !strings.HasPrefix(back, "\r\n") || !strings.Contains(back, "SIP/2.0 486 Busy Here\r\nVia: SIP/2.0/TCP 192.0.2.4:5070;") {
		t.Error(back)
	}
	_, _ = conn.Write([]byte(second + strings.Replace(second, "z9hG4bK", "z9hG4bKother", 1)))
	if back := readStream(t, conn, 2); strings.Count(back, "SIP/2.0 200 OK\r\n") != 2 {
		t.Error(back)
	}
	// A length that is none: an answer, and the end.
	_, _ = conn.Write([]byte(request("INVITE", "Content-Length: -1\r\n\r\n")))
	rest, err := io.ReadAll(conn)
	if err != nil || !bytes.HasPrefix(rest, []byte("SIP/2.0 400 Bad Request")) {
		t.Errorf("%v %s", err, rest)
	}
}

// readStream reads until so many empty lines came.
func readStream(t *testing.T, conn net.Conn, empty int) string {
	t.Helper()
	var all []byte
	b := make([]byte, 1)
	for bytes.Count(all, []byte("\r\n\r\n"))+strings.Count(string(all[:min(2, len(all))]), "\r\n") < empty {
		if _, err := conn.Read(b); err != nil {
			t.Fatalf("%v after %s", err, all)
		}
		all = append(all, b...)
	}
	return string(all)
}

// What is no SIP, on either transport, is dropped and harms nothing; the front door ends while requests are in hand.
func TestGarbageAndDrain(t *testing.T) {
	hold, held := make(chan struct{}), make(chan struct{}, 1)
	r := newRig(t, func(ctx context.Context, m *message.Message) gateway.Answer {
		held <- struct{}{}
		<-hold
		return always(message.Reject)(ctx, m)
	}, nil)
	for _, s := range []string{"\r\n\r\n", "hello there, this is no SIP at all", "INVITE sip:a@b.example SIP/2.0\r\n\r\n", strings.Repeat("\x00", 5000),
		"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1\r\n\r\n"} {
		r.send(s)
	}
	conn, err := net.Dial("tcp", r.addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = conn.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
	if rest, err := io.ReadAll(conn); err != nil || len(rest) != 0 {
		t.Errorf("%v %q", err, rest)
	}
	r.send(request("INVITE", sdp))
	<-held
	var stopping sync.WaitGroup
	stopping.Go(r.stop)
	close(hold)
	if got := receive(t, r.client); status(got) != "603 Decline" {
		t.Error(got)
	}
	stopping.Wait()
	families, err := r.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	dropped := 0.0
	for _, f := range families {
		if f.GetName() == "rempart_gateway_errors_total" {
			for _, m := range f.GetMetric() {
				dropped += m.GetCounter().GetValue()
			}
		}
	}
	if dropped != 4 {
		t.Errorf("%v dropped, of 4", dropped)
	}
}

// FuzzHandle: whatever comes, in whatever mode, is answered within bounds or not at all.
func FuzzHandle(f *testing.F) {
	for _, s := range []string{request("INVITE", sdp), request("ACK", "\r\n"), request("CANCEL", "\r\n"), "SIP/2.0 200 OK\r\nVia: a\r\n\r\n",
		request("REGISTER", "Route: <sip:127.0.0.1:5060;lr>,\r\nMax-Forwards: 1\r\n\r\n")} {
		f.Add(s, true)
		f.Add(s, false)
	}
	redirect, relay := newRig(f, always(message.Accept), nil), newRig(f, always(message.Tag), relaying)
	f.Fuzz(func(t *testing.T, s string, relayed bool) {
		r := redirect
		if relayed {
			r = relay
		}
		w := &worker{server: r.server}
		if w.handle(s, origin{peer: r.addr, socket: r.client}) {
			w.finish()
		}
		if len(w.out) > 3*len(s)+1000 {
			t.Fatalf("%d bytes in, %d out", len(s), len(w.out))
		}
	})
}

// BenchmarkHandle is one INVITE from the wire's bytes to the answer written to a socket, with a judge that always accepts.
func BenchmarkHandle(b *testing.B) {
	r := newRig(b, always(message.Accept), nil)
	from := origin{peer: r.addr, socket: socket(b)}
	sink := socket(b) // a port that nobody reads from
	from.peer = sink.LocalAddr().(*net.UDPAddr).AddrPort()
	w := &worker{server: r.server}
	one := []byte(strings.Replace(request("INVITE", sdp), "z9hG4bK", "z9hG4bK00000000", 1))
	at := bytes.Index(one, []byte("z9hG4bK")) + len("z9hG4bK")
	b.SetBytes(int64(len(one)))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n++
		copy(one[at:], fmt.Sprintf("%08x", n))
		if w.handle(string(one), from) {
			w.finish()
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}

// A connection whose other end takes nothing is closed; nobody waits for it.
func TestSlowStream(t *testing.T) {
	here, there := net.Pipe()
	defer there.Close()
	st := newStream(here)
	for i := range streamQueue + 1 {
		if err := st.send([]byte("x")); (err != nil) != (i == streamQueue) {
			t.Fatalf("message %d: %v", i, err)
		}
	}
	if _, err := there.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the other end reads %v", err)
	}
}
