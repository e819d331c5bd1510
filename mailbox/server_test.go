package mailbox

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rempart/message"
)

// listen answers every connection by a script until the test ends.
func listen(t testing.TB, network, address string, script func(net.Conn)) net.Addr {
	t.Helper()
	l, err := net.Listen(network, address)
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
	return l.Addr()
}

// serveSocketmap is a server of table "boxes" in Postfix's socketmap protocol.
func serveSocketmap(entries map[string]string, asked *atomic.Int64) func(net.Conn) {
	return func(conn net.Conn) {
		r := bufio.NewReader(conn)
		for {
			request, err := readNetstring(r)
			if err != nil {
				return
			}
			asked.Add(1)
			name, key, _ := strings.Cut(request, " ")
			reply := "NOTFOUND "
			value, ok := entries[key]
			switch {
			case name != "boxes":
				reply = "PERM there is no such table"
			case ok:
				reply = "OK " + value
			case strings.HasPrefix(key, "busy"):
				reply = "TEMP try again"
			}
			fmt.Fprintf(conn, "%d:%s,", len(reply), reply)
		}
	}
}

// serveTCPTable is a server in Postfix's tcp_table protocol.
func serveTCPTable(entries map[string]string, asked *atomic.Int64) func(net.Conn) {
	return func(conn net.Conn) {
		r := bufio.NewReader(conn)
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			asked.Add(1)
			key, err := percentDecode(strings.TrimSpace(strings.TrimPrefix(line, "get ")))
			value, ok := entries[key]
			switch {
			case err != nil || strings.HasPrefix(key, "busy"):
				io.WriteString(conn, "400 try again\n")
			case ok:
				io.WriteString(conn, "200 "+percentEncode(value)+"\n")
			default:
				io.WriteString(conn, "500 no%20entry\n")
			}
		}
	}
}

var boxes = map[string]string{
	"ann@example.org": "ann", "sales@example.org": "ann@example.org", "team@example.org": "ann@example.org, ben@example.org",
	"50%@example.org": "percent", "ä@example.org": "ä@example.org", "@catch.example": "all@example.org",
}

// served gives the names of the same table behind each protocol.
func served(t testing.TB, asked *atomic.Int64) []string {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "s")
	listen(t, "unix", socket, serveSocketmap(boxes, asked))
	inet := listen(t, "tcp", "127.0.0.1:0", serveSocketmap(boxes, asked))
	tcp := listen(t, "tcp", "127.0.0.1:0", serveTCPTable(boxes, asked))
	return []string{"socketmap:unix:" + socket + ":boxes", "socketmap:inet:" + inet.String() + ":boxes", "tcp:" + tcp.String()}
}

func TestServers(t *testing.T) {
	var asked atomic.Int64
	for _, name := range served(t, &asked) {
		all, err := New(Config{Tables: []string{name}, Delimiter: "+"}, discard())
		if err != nil {
			t.Fatal(err)
		}
		defer all.Close()
		for _, round := range []string{"first", "cached"} {
			before := asked.Load()
			for address, want := range map[string]string{
				"sales+a@example.org": "ann", "team@example.org": "team@example.org", "50%@example.org": "percent",
				"ä@example.org": "ä@example.org", "x@catch.example": "all@example.org", "x@none.example": "x@none.example",
			} {
				if got, _, err := all.Mailbox(t.Context(), address); err != nil || got != want {
					t.Errorf("%s: %s: %q %v, want %q", name, address, got, err, want)
				}
			}
			if n := asked.Load() - before; (n == 0) != (round == "cached") {
				t.Errorf("%s: %s round: asked %d times", name, round, n)
			}
		}
		if _, _, err := all.Mailbox(t.Context(), "busy@example.org"); !errors.Is(err, errKey) || all.Down() != nil {
			t.Errorf("%s: a refusal: %v, down %v", name, err, all.Down())
		}
	}
}

// A connection that the server closed meanwhile is made anew.
func TestClosedConnection(t *testing.T) {
	addr := listen(t, "tcp", "127.0.0.1:0", func(conn net.Conn) {
		line, _ := bufio.NewReader(conn).ReadString('\n')
		fmt.Fprintf(conn, "200 %s\n", strings.TrimSpace(strings.TrimPrefix(line, "get ")))
	})
	all, err := New(Config{Tables: []string{"tcp:" + addr.String()}}, discard())
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		address := fmt.Sprintf("a%d@example.org", i)
		if got, _, err := all.Mailbox(t.Context(), address); err != nil || got != address {
			t.Errorf("%q %v", got, err)
		}
	}
}

// Whatever a server does, a mail for many recipients waits half a second at most, the settings of their domains count, and the next
// mail does not wait.
func TestBrokenServers(t *testing.T) {
	for name, script := range map[string]func(net.Conn){
		"hangs up":           func(net.Conn) {},
		"says nothing":       func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) },
		"speaks another way": func(conn net.Conn) { _, _ = io.WriteString(conn, "220 mx.example ESMTP\r\n") },
		"does not stop":      func(conn net.Conn) { _, _ = io.Copy(conn, strings.NewReader(strings.Repeat("9", 1<<22))) },
		"promises too much":  func(conn net.Conn) { _, _ = io.WriteString(conn, "999999:") },
	} {
		addr := listen(t, "tcp", "127.0.0.1:0", script).String()
		for _, table := range []string{"socketmap:inet:" + addr + ":boxes", "tcp:" + addr} {
			all, err := New(Config{Tables: []string{table}}, discard())
			if err != nil {
				t.Fatal(err)
			}
			m := &message.Message{Channel: message.Email, Direction: message.In}
			for i := range 200 {
				m.Recipients = append(m.Recipients, message.Recipient{Address: fmt.Sprintf("a%d@example.org", i)})
			}
			start := time.Now()
			for range 20 {
				all.Map(t.Context(), m)
			}
			if took := time.Since(start); took > 20*mapTime || len(all.Down()) != 1 {
				t.Errorf("%s, %s: took %s, down %v", name, table, took, all.Down())
			}
			if got := m.ScopeOf(&m.Recipients[0]); got != (message.Scope{Domain: "example.org", User: "a0@example.org"}) {
				t.Errorf("%s, %s: %+v", name, table, got)
			}
		}
	}
}

// What is longer than any address is no reason to ask: a server that hangs up on it would be down for all others.
func TestLongAddress(t *testing.T) {
	addr := listen(t, "tcp", "127.0.0.1:0", func(conn net.Conn) {
		r := bufio.NewReaderSize(conn, 1000)
		for {
			if _, err := r.ReadSlice('\n'); err != nil {
				return
			}
			_, _ = io.WriteString(conn, "500 no\n")
		}
	})
	all, err := New(Config{Tables: []string{"tcp:" + addr.String()}}, discard())
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", 2000) + "@example.org"
	if got, known, err := all.Mailbox(t.Context(), long); err != nil || got != long || known || all.Down() != nil {
		t.Errorf("%.40q, known %v, %v, down %v", got, known, err, all.Down())
	}
}

// A table that comes back is asked again, and who goes away is no outage.
func TestOutageEnds(t *testing.T) {
	var asked atomic.Int64
	s := (&server{network: "tcp", address: listen(t, "tcp", "127.0.0.1:0", serveTCPTable(boxes, &asked)).String(), ask: tcpTable, log: discard()}).ready()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := s.lookup(gone, "ann@example.org"); err == nil || s.down() != "" {
		t.Errorf("%v, down %q", err, s.down())
	}
	s.note(errors.New("no answer"))
	if _, _, err := s.lookup(t.Context(), "ann@example.org"); err == nil || s.down() == "" {
		t.Error("a table that is down was asked")
	}
	s.until = time.Now()
	if value, ok, err := s.lookup(t.Context(), "ann@example.org"); value != "ann" || !ok || err != nil || s.down() != "" {
		t.Errorf("%q %v %v, down %q", value, ok, err, s.down())
	}
}

func TestCacheIsBounded(t *testing.T) {
	var c cache
	now := time.Now()
	value, last := strings.Repeat("v", maxTCPTable/2), ""
	for i := range 3 * maxCached / (maxTCPTable / 2) {
		last = fmt.Sprint(i)
		c.put(last, value, i%2 == 0, now)
	}
	c.put("long", strings.Repeat("v", maxTCPTable), true, now)
	bytes := 0
	for _, entries := range []map[string]answer{c.now, c.old} {
		for key, a := range entries {
			bytes += len(key) + len(a.value) + entryBytes
		}
	}
	if bytes > 2*maxCached || bytes < maxCached {
		t.Errorf("%d bytes are kept", bytes)
	}
	for range 10 * maxCached / maxTCPTable { // one busy mailbox makes nobody else's be forgotten
		c.put("busy", value, true, now)
	}
	if _, ok, known := c.get(last, now); ok || !known {
		t.Error("the last answer is forgotten")
	}
	if _, _, known := c.get(last, now.Add(cacheTime)); known {
		t.Error("an old answer counts")
	}
	if _, _, known := c.get("long", now); known {
		t.Error("a long answer is kept")
	}
}

// Whatever a server answers, reading it ends with what the protocol bounds.
func FuzzReply(f *testing.F) {
	for _, s := range []string{"5:OK ab,", "9:NOTFOUND ,", "4:TEMP,", "200 a%20b\n", "500 no\n", "400 x\n", "99999:", "200 %4"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, ask := range []query{socketmap("boxes"), tcpTable} {
			value, ok, err := ask(io.Discard, bufio.NewReader(bytes.NewReader(b)), "key")
			if err != nil && (ok || value != "") || !ok && value != "" || len(value) > maxSocketmap {
				t.Fatalf("%q: %q %v %v", b, value, ok, err)
			}
		}
	})
}
