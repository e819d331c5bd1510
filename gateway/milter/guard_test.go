package milter

import (
	"context"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

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

// A mail server that sends a byte a second is answered as long as each packet comes within the time of one silence.
func TestSlowServer(t *testing.T) {
	const negotiated = "\x00\x00\x00\x0dO\x00\x00\x00\x06\x00\x00\x01\xff\x00\x1f\xff\xff"
	for _, tt := range []struct {
		name, slow string
		answers    bool
		within     time.Duration
	}{
		{"silent", "", false, negotiation},
		{"negotiation", negotiated, true, idle + negotiation}, // and then silence
		{"a packet", negotiated + "\x00\x00\x10\x00B" + strings.Repeat("x", 4000), true, idle + negotiation},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, err := New(Config{MailDoor: gateway.MailDoor{Door: gateway.Door{Name: "mx", Listen: []string{"127.0.0.1:0"}}}}, &gateway.Host{Log: slog.New(slog.DiscardHandler),
					Metrics: gateway.NewMetrics(prometheus.NewRegistry())})
				if err != nil {
					t.Fatal(err)
				}
				ctx, stop := context.WithCancel(t.Context())
				l := &feed{conns: make(chan net.Conn), closed: make(chan struct{})}
				served := make(chan error, 1)
				go func() { served <- f.Run(ctx, []net.Listener{l}) }()
				client, server := net.Pipe()
				l.conns <- server
				began := time.Now()
				go func() {
					for i := range tt.slow {
						time.Sleep(time.Second)
						if _, err := client.Write([]byte{tt.slow[i]}); err != nil {
							return
						}
					}
				}()
				b, _ := io.ReadAll(client)
				if took := time.Since(began); len(b) > 0 != tt.answers || took > tt.within+time.Second {
					t.Errorf("%q after %v", b, took)
				}
				client.Close()
				time.Sleep(time.Second) // of the bubble: the sender sees it
				stop()
				if err := <-served; err != nil {
					t.Error(err)
				}
			})
		})
	}
}
