package gateway

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener whose clients are in this process, so that time can be the test's.
type pipes struct {
	conns  chan net.Conn
	closed context.Context
	close  context.CancelFunc
}

func (p pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed.Done():
		return nil, net.ErrClosed
	}
}

func (p pipes) Close() error { p.close(); return nil }

func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// A client that sends a byte a second is waited for as long as a request may take, and no longer.
func TestSlowRequests(t *testing.T) {
	const head = "POST /checkv2 HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
	for _, tt := range []struct {
		name, at, slow string
		answered       string
		within         time.Duration
	}{
		{"silent", "", "", "", headerTimeout + time.Second},
		{"header", "", head, "HTTP/1.1 400 ", headerTimeout + time.Second},
		{"mail", head, strings.Repeat("x", 1000), "HTTP/1.1 400 ", BodyTimeout + 2*time.Second},
		{"slow but in time", head + strings.Repeat("x", 950), strings.Repeat("x", 50), "HTTP/1.1 200 ", BodyTimeout},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				door := Door{Name: "t"}.WithDefaults()
				ctx, stop := context.WithCancel(t.Context())
				closed, end := context.WithCancel(t.Context())
				l := pipes{make(chan net.Conn), closed, end}
				served := make(chan error, 1)
				go func() {
					served <- host(nil).ServeHTTP(ctx, &door, []net.Listener{l}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if _, err := io.ReadAll(r.Body); err != nil {
							w.WriteHeader(http.StatusBadRequest)
						}
					}))
				}()
				client, server := net.Pipe()
				l.conns <- server
				began := time.Now()
				go func() {
					_, _ = io.WriteString(client, tt.at)
					for i := range tt.slow {
						time.Sleep(time.Second)
						if _, err := client.Write([]byte{tt.slow[i]}); err != nil {
							return
						}
					}
				}()
				b := make([]byte, 200)
				n, _ := client.Read(b)
				if took := time.Since(began); !strings.HasPrefix(string(b[:n]), tt.answered) || tt.answered == "" && n > 0 || took > tt.within {
					t.Errorf("%q after %v", b[:n], took)
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
