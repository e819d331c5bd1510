package milter

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"rempart/gateway"
	"rempart/message"
)

// Whatever a peer sends: the process lives, and every answer is to a packet that was checked.
func FuzzGuard(f *testing.F) {
	packet := func(code byte, data string) string {
		n := len(data) + 1
		return string([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n), code}) + data
	}
	negotiation := packet('O', "\x00\x00\x00\x06\x00\x00\x01\xff\x00\x1f\xff\xff")
	f.Add([]byte(negotiation + packet('C', "host\x004\x00\x19192.0.2.7\x00") + packet('M', "<a@example.com>\x00") + packet('R', "<accept@example.net>\x00") +
		packet('L', "Subject\x00 hi\x00") + packet('N', "") + packet('B', "body") + packet('E', "") + packet('Q', "")))
	f.Add([]byte("\x00\x00\x00\x00"))
	f.Add([]byte(negotiation + packet('C', "host\x00")))
	f.Add([]byte(negotiation + packet('M', "no zero")))
	f.Add([]byte(negotiation + "\xff\xff\xff\xffM"))
	r := newRig(f, func(_ context.Context, m *message.Message) gateway.Answer {
		return gateway.Answer{Decisions: make([]message.Decision, max(1, len(m.Recipients)))}
	}, nil)
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := net.Dial("tcp", r.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, _ = c.Write(b)
		_ = c.(*net.TCPConn).CloseWrite()
		_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, err := io.Copy(io.Discard, c); err != nil && strings.Contains(err.Error(), "timeout") {
			t.Fatal("the connection hangs")
		}
	})
}
