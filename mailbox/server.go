package mailbox

import (
	"bufio"
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"
)

const (
	// again is how long a server that did not answer is left alone.
	again = 10 * time.Second
	// maxIdle connections are kept open to one server.
	maxIdle = 4
)

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
