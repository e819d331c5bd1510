package mailbox

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// again is how long a server that did not answer is left alone.
	again = 10 * time.Second
	// maxIdle connections are kept open to one server.
	maxIdle = 4
)

// query asks one key over a connection. A refusal is an error of the key's, errKey.
type query func(w io.Writer, r *bufio.Reader, key string) (value string, ok bool, err error)

// errKey: the server answered that it cannot say. The connection is good.
var errKey = errors.New("the table could not answer")

// server is a table behind a socket.
type server struct {
	network, address string
	name             string
	ask              query
	log              *slog.Logger
	idle             chan *connection
	cache            cache

	mu     sync.Mutex
	failed string    // why it is down
	until  time.Time // then it is asked again
}

type connection struct {
	net.Conn
	r *bufio.Reader
}

func (s *server) ready() *server {
	s.idle = make(chan *connection, maxIdle)
	return s
}

func hostPort(s string) bool {
	_, port, err := net.SplitHostPort(s)
	return err == nil && port != ""
}

func (s *server) close() {
	for {
		select {
		case c := <-s.idle:
			_ = c.Close() // nothing is under way on it
		default:
			return
		}
	}
}

func (s *server) down() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

// lookup asks the cache, then the server.
func (s *server) lookup(ctx context.Context, key string) (value string, ok bool, err error) {
	now := time.Now()
	if value, ok, known := s.cache.get(key, now); known {
		return value, ok, nil
	}
	s.mu.Lock()
	failed, until := s.failed, s.until
	s.mu.Unlock()
	if now.Before(until) {
		return "", false, errors.New(failed)
	}
	value, ok, err = s.query(ctx, key)
	if err == nil {
		s.cache.put(key, value, ok, now)
	}
	if ctx.Err() == nil || time.Since(now) >= mapTime/2 { // else what came before it took the time
		s.note(err)
	}
	return value, ok, err
}

// note remembers and tells an outage and its end.
func (s *server) note(err error) {
	s.mu.Lock()
	before := s.failed
	s.failed, s.until = "", time.Time{}
	if err != nil && !errors.Is(err, errKey) {
		s.failed, s.until = err.Error(), time.Now().Add(again)
	}
	now := s.failed
	s.mu.Unlock()
	switch {
	case before == "" && now != "":
		s.log.Warn("table of mailboxes does not answer: settings of domains count", "table", s.name, "error", err)
	case before != "" && now == "":
		s.log.Info("table of mailboxes answers again", "table", s.name)
	}
}

// query uses an idle connection if there is one. It may have been closed meanwhile: then a new one is made.
func (s *server) query(ctx context.Context, key string) (value string, ok bool, err error) {
	select {
	case c := <-s.idle:
		if value, ok, err = s.over(ctx, c, key); err == nil || errors.Is(err, errKey) || ctx.Err() != nil {
			return value, ok, err
		}
	default:
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, s.network, s.address)
	if err != nil {
		return "", false, err
	}
	return s.over(ctx, &connection{conn, bufio.NewReader(conn)}, key)
}

func (s *server) over(ctx context.Context, c *connection, key string) (value string, ok bool, err error) {
	end, _ := ctx.Deadline()
	if err = c.SetDeadline(end); err == nil {
		stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
		value, ok, err = s.ask(c, c.r, key)
		stop()
	}
	if err == nil || errors.Is(err, errKey) {
		select {
		case s.idle <- c:
			return value, ok, err
		default:
		}
	}
	_ = c.Close()
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return value, ok, err
}

// maxSocketmap is what Postfix takes of a reply (socketmap_table(5)).
const maxSocketmap = 100_000

// socketmap asks by Postfix's protocol socketmap_table(5): a netstring "name key", answered by a netstring "OK value", "NOTFOUND ",
// or a failure.
func socketmap(name string) query {
	return func(w io.Writer, r *bufio.Reader, key string) (string, bool, error) {
		request := name + " " + key
		if _, err := fmt.Fprintf(w, "%d:%s,", len(request), request); err != nil {
			return "", false, err
		}
		reply, err := readNetstring(r)
		if err != nil {
			return "", false, err
		}
		status, value, _ := strings.Cut(reply, " ")
		switch status {
		case "OK":
			return value, true, nil
		case "NOTFOUND":
			return "", false, nil
		case "TEMP", "TIMEOUT", "PERM":
			return "", false, errKey
		}
		return "", false, fmt.Errorf("socketmap: unknown reply %.40q", reply)
	}
}

func readNetstring(r *bufio.Reader) (string, error) {
	n := 0
	for digits := 0; ; digits++ {
		b, err := r.ReadByte()
		if err != nil {
			return "", err
		}
		if b == ':' && digits > 0 {
			break
		}
		if b < '0' || b > '9' || digits == 6 {
			return "", errors.New("socketmap: the reply is no netstring")
		}
		n = 10*n + int(b-'0')
	}
	if n > maxSocketmap {
		return "", fmt.Errorf("socketmap: a reply of %d bytes", n)
	}
	reply := make([]byte, n+1)
	if _, err := io.ReadFull(r, reply); err != nil {
		return "", err
	}
	if reply[n] != ',' {
		return "", errors.New("socketmap: the reply is no netstring")
	}
	return string(reply[:n]), nil
}

// maxTCPTable is the longest line of the protocol (tcp_table(5)).
const maxTCPTable = 4096

// tcpTable asks by Postfix's protocol tcp_table(5): "get key", answered by "200 value", "500 text" (no entry) or "400 text".
func tcpTable(w io.Writer, r *bufio.Reader, key string) (string, bool, error) {
	request := "get " + percentEncode(key) + "\n"
	if len(request) > maxTCPTable {
		return "", false, nil // no entry can be so long
	}
	if _, err := io.WriteString(w, request); err != nil {
		return "", false, err
	}
	var line []byte
	for len(line) == 0 || line[len(line)-1] != '\n' {
		b, err := r.ReadByte()
		if err != nil {
			return "", false, err
		}
		if line = append(line, b); len(line) > maxTCPTable {
			return "", false, errors.New("tcp table: the reply does not end")
		}
	}
	status, value, _ := strings.Cut(strings.TrimRight(string(line), "\r\n"), " ")
	switch status {
	case "200":
		value, err := percentDecode(value)
		return value, err == nil, err
	case "500":
		return "", false, nil
	case "400":
		return "", false, errKey
	}
	return "", false, fmt.Errorf("tcp table: unknown reply %.40q", line)
}

// percentEncode writes what is no printable letter of ASCII, and the percent sign, as %XX.
func percentEncode(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == '%' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func percentDecode(s string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b.WriteByte(s[i])
			continue
		}
		if i+3 > len(s) {
			return "", errors.New("tcp table: a value ends within %XX")
		}
		c, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
		if err != nil {
			return "", errors.New("tcp table: a value has a wrong %XX")
		}
		b.WriteByte(byte(c))
		i += 2
	}
	return b.String(), nil
}
