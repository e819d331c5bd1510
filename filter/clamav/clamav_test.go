package clamav

import (
	"context"
	"encoding/binary"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rempart/config"
	"rempart/message"
)

func TestReplies(t *testing.T) {
	for _, tt := range []struct {
		reply string
		want  reply
		err   bool
	}{
		{"stream: OK\x00", reply{clean: true}, false},
		{"stream: Win.Test.EICAR_HDB-1 FOUND\x00", reply{found: "Win.Test.EICAR_HDB-1"}, false},
		{"stream: Eicar\r\nX-Bad: 1 FOUND\x00", reply{found: "Eicar??X-Bad:?1"}, false},
		{"stream: " + strings.Repeat("a", 200) + " FOUND\x00", reply{found: strings.Repeat("a", maxName)}, false},
		{"INSTREAM size limit exceeded. ERROR\x00", reply{}, false},
		{"stream: Can't allocate memory ERROR\x00", reply{}, false},
		{"stream: OK", reply{}, true}, // cut
		{"stream:  FOUND\x00", reply{}, true},
		{"220 mx.example ESMTP\r\n", reply{}, true},
		{"", reply{}, true},
	} {
		got, err := parseReply([]byte(tt.reply))
		if got != tt.want || (err != nil) != tt.err {
			t.Errorf("%.60q: %+v %v, want %+v", tt.reply, got, err, tt.want)
		}
	}
}

func FuzzReply(f *testing.F) {
	files, err := filepath.Glob("testdata/*.reply")
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := parseReply(b)
		if err != nil && r != (reply{}) || r.clean && r.found != "" || len(r.found) > maxName || strings.ContainsAny(r.found, "\r\n\x00 ") {
			t.Fatalf("%q: %+v %v", b, r, err)
		}
	})
}

// peer answers every connection by a script, as clamd or something else might.
func peer(t *testing.T, script func(net.Conn)) *Scanner {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				script(conn)
			}()
		}
	}()
	return New(Config{Address: l.Addr().String(), Budget: config.Duration(300 * time.Millisecond)}, slog.New(slog.DiscardHandler))
}

// stream reads one INSTREAM command.
func stream(r io.Reader) (mail []byte, err error) {
	command := make([]byte, len("zINSTREAM\x00"))
	if _, err := io.ReadFull(r, command); err != nil {
		return nil, err
	}
	for {
		var length uint32
		if err := binary.Read(r, binary.BigEndian, &length); err != nil || length == 0 {
			return mail, err
		}
		chunk := make([]byte, length)
		if _, err := io.ReadFull(r, chunk); err != nil {
			return nil, err
		}
		mail = append(mail, chunk...)
	}
}

func check(ctx context.Context, s *Scanner, raw string) message.Scan {
	m := &message.Message{Channel: message.Email, Raw: []byte(raw), Size: len(raw)}
	s.Check(ctx, m)
	return m.Facts.Scan
}

// The mail comes over as it is, whatever its length, and what is guessed is told apart.
func TestStream(t *testing.T) {
	got := make(chan string, 1)
	s := peer(t, func(conn net.Conn) {
		if mail, err := stream(conn); err == nil {
			got <- string(mail)
			_, _ = io.WriteString(conn, "stream: Heuristics.Phishing.Email.SpoofedDomain FOUND\x00")
		}
	})
	for _, n := range []int{0, 1, maxChunk, maxChunk + 1, 3 * maxChunk} {
		raw := strings.Repeat("m", n)
		scan := check(t.Context(), s, raw)
		if scan != (message.Scan{State: message.StatePresent, Name: "Heuristics.Phishing.Email.SpoofedDomain", Guess: true}) {
			t.Fatalf("%d bytes: %+v", n, scan)
		}
		if mail := <-got; mail != raw {
			t.Errorf("%d bytes: %d came", n, len(mail))
		}
	}
}

// Whatever a peer does, the mail is unknown within the budget, and after three in a row nobody waits any more.
func TestBrokenPeers(t *testing.T) {
	for name, script := range map[string]func(net.Conn){
		"hangs up":            func(net.Conn) {},
		"says nothing":        func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) },
		"reads nothing":       func(net.Conn) { <-t.Context().Done() },
		"speaks another way":  func(conn net.Conn) { _, _ = io.WriteString(conn, "220 mx.example ESMTP\r\n") },
		"does not stop":       func(conn net.Conn) { _, _ = io.Copy(conn, endless{}) },
		"stops in its answer": func(conn net.Conn) { _, _ = stream(conn); _, _ = io.WriteString(conn, "stream: O") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // they mostly wait
			s := peer(t, script)
			mail := strings.Repeat("m", 8<<20)
			start := time.Now()
			for range 10 * maxFailed {
				if scan := check(t.Context(), s, mail); scan.State != message.StateUnknown {
					t.Fatalf("%+v", scan)
				}
			}
			if took := time.Since(start); took > maxFailed*(s.budget+pingTime)+2*s.budget || !s.Down() {
				t.Errorf("%d mails waited %s; down %v", 10*maxFailed, took, s.Down())
			}
		})
	}
}

// Mails that are too heavy for their budget are unknown, and switch nothing off for others: clamd says that it is there. A clamd that
// was off is on again when it says so.
func TestHeavyMails(t *testing.T) {
	s := peer(t, func(conn net.Conn) {
		command := make([]byte, len("zPING\x00"))
		if _, err := io.ReadFull(conn, command); err == nil && string(command) == "zPING\x00" {
			_, _ = io.WriteString(conn, "PONG\x00")
			return
		}
		_, _ = io.Copy(io.Discard, conn)
	})
	s.budget = 20 * time.Millisecond
	for range maxFailed - 1 {
		s.outage.fails(time.Now())
	}
	for range 2 * maxFailed {
		if scan := check(t.Context(), s, "an archive"); scan.State != message.StateUnknown || s.Down() {
			t.Fatalf("%+v; down %v", scan, s.Down())
		}
	}
	for range maxFailed {
		s.outage.fails(time.Unix(0, 0))
	}
	if check(t.Context(), s, "an archive"); s.Down() {
		t.Error("it says that it is there, and is taken for down")
	}
}

type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'a'
	}
	return len(b), nil
}

// A front door that has little time is not kept waiting longer than half of it, and who goes away is no outage.
func TestLittleTime(t *testing.T) {
	s := peer(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	s.budget = time.Minute
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if scan := check(ctx, s, "mail"); scan.State != message.StateUnknown || ctx.Err() != nil {
		t.Errorf("%+v, and the front door's time is over: %v", scan, ctx.Err())
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	for range 2 * maxFailed {
		check(gone, s, "mail")
	}
	if s.Down() {
		t.Error("clients that went away switched it off")
	}
}

// After its time one mail asks, and not all that came meanwhile.
func TestOneAsksAgain(t *testing.T) {
	var o outage
	now := time.Unix(1_800_000_000, 0)
	for i := range maxFailed {
		if off := o.fails(now); off != (i == maxFailed-1) {
			t.Fatalf("failure %d: off %v", i, off)
		}
	}
	asked := 0
	for range 5 {
		if o.ask(now.Add(offTime)) {
			asked++
		}
	}
	if o.ask(now.Add(offTime-1)) || asked != 1 {
		t.Errorf("%d asked", asked)
	}
	if !o.answers() || o.down() || o.answers() {
		t.Error("an answer does not end it once")
	}
}

func TestConfig(t *testing.T) {
	for _, tt := range []struct {
		c    Config
		want string
	}{
		{Config{}, ""},
		{Config{Address: "unix:/run/clamav/clamd.ctl"}, ""},
		{Config{Address: "[2001:db8::7]:3310"}, ""},
		{Config{Address: "/run/clamav/clamd.ctl"}, "clamav.address = "},
		{Config{Address: "unix:"}, "clamav.address = "},
		{Config{Address: "127.0.0.1"}, "clamav.address = "},
		{Config{Budget: -1}, "clamav.budget = "},
		{Config{MaxSize: -1}, "clamav.max_size = "},
	} {
		err := tt.c.Check()
		if (err == nil) != (tt.want == "") || err != nil && !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%+v: %v", tt.c, err)
		}
	}
}

func TestMalware(t *testing.T) {
	for _, tt := range []struct {
		scan message.Scan
		want message.Result
	}{
		{message.Scan{}, message.Absent},
		{message.Scan{State: message.StateUnknown}, message.Unknown},
		{message.Scan{State: message.StatePresent, Name: "Win.Trojan.A"}, message.Present(1, "Win.Trojan.A")},
		{message.Scan{State: message.StatePresent, Name: "PUA.Doc", Guess: true}, message.Present(0.3, "PUA.Doc")},
	} {
		m := &message.Message{}
		m.Facts.Scan = tt.scan
		if got := Malware(m); !got.Equal(tt.want) {
			t.Errorf("%+v: %+v", tt.scan, got)
		}
	}
}
