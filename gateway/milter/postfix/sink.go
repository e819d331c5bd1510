package postfix

import (
	"bufio"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Sink is a mail server that takes everything and keeps it as it came. It stops with its test.
type Sink struct {
	Port     int      // on 127.0.0.1
	Offers   []string // extensions, set before it is used; it does nothing for them
	Light    bool     // forgets what mails say; set before it is used
	listener net.Listener
	mu       sync.Mutex
	mails    []Mail
	group    sync.WaitGroup
}

// Mail is one that a sink took.
type Mail struct {
	From string
	To   []string
	Data string
}

// NewSink starts a sink.
func NewSink(t testing.TB) *Sink {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Sink{Port: l.Addr().(*net.TCPAddr).Port, listener: l}
	s.group.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.group.Go(func() { s.serve(c) })
		}
	})
	t.Cleanup(func() {
		s.listener.Close()
		s.group.Wait()
	})
	return s
}

func (s *Sink) serve(c net.Conn) {
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	r := bufio.NewReader(c)
	say := func(line string) { fmt.Fprintf(c, "%s\r\n", line) }
	say("220 sink")
	var m Mail
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		switch verb := strings.ToUpper(strings.Fields(line + " x")[0]); verb {
		case "MAIL":
			m = Mail{From: bracketed(line)}
			say("250 ok")
		case "RCPT":
			m.To = append(m.To, bracketed(line))
			say("250 ok")
		case "DATA":
			say("354 go on")
			for {
				line, err := r.ReadString('\n')
				if err != nil {
					return
				}
				if line == ".\r\n" {
					break
				}
				if !s.Light {
					m.Data += strings.TrimPrefix(line, ".")
				}
			}
			s.mu.Lock()
			s.mails = append(s.mails, m)
			s.mu.Unlock()
			say("250 ok")
		case "EHLO":
			for _, o := range s.Offers {
				say("250-" + o)
			}
			say("250 ok")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func bracketed(line string) string {
	_, line, _ = strings.Cut(line, "<")
	address, _, _ := strings.Cut(line, ">")
	return address
}

// Wait returns the first n mails for a recipient when they are all there.
func (s *Sink) Wait(t testing.TB, to string, n int, patience time.Duration) []Mail {
	t.Helper()
	var got []Mail
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if got = s.For(to); len(got) >= n {
			return got
		}
	}
	t.Fatalf("%d of %d mails for %s came through", len(got), n, to)
	return nil
}

// For returns the mails for a recipient.
func (s *Sink) For(to string) (out []Mail) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.mails {
		if slices.Contains(m.To, to) {
			out = append(out, m)
		}
	}
	return out
}

// Arrived is how many mails came for each recipient.
func (s *Sink) Arrived() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := map[string]int{}
	for _, m := range s.mails {
		for _, to := range m.To {
			n[to]++
		}
	}
	return n
}

// Count is how many mails came.
func (s *Sink) Count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.mails)
}
