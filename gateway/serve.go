package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"
)

// Serve accepts from listeners until ctx is done and runs handle for each connection, at most door.MaxConnections at a
// time. handle drains when its ctx is done: it takes no new work, finishes what is in hand and returns; after door.Drain
// its connection is closed under it. Serve closes the listeners, and returns when all handlers have returned. A
// handler's panic ends its connection alone.
func (h *Host) Serve(ctx context.Context, door *Door, listeners []net.Listener, handle func(context.Context, net.Conn)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &serving{host: h, door: door, handle: handle, conns: make(map[net.Conn]struct{})}
	errs := make([]error, len(listeners))
	var acceptors sync.WaitGroup
	for i, l := range listeners {
		acceptors.Go(func() {
			errs[i] = s.accept(ctx, l)
			cancel() // one lost listener stops the door: half a door would go unnoticed
		})
	}
	<-ctx.Done()
	for _, l := range listeners {
		_ = l.Close()
	}
	acceptors.Wait()
	force := time.AfterFunc(time.Duration(door.Drain), s.closeAll)
	s.handlers.Wait()
	force.Stop()
	return errors.Join(errs...)
}

type serving struct {
	host     *Host
	door     *Door
	handle   func(context.Context, net.Conn)
	handlers sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]struct{}
}

func (s *serving) accept(ctx context.Context, l net.Listener) error {
	for {
		conn, err := l.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				_ = conn.Close()
			}
			return nil
		case err != nil && isTemporary(err):
			s.host.Log.Warn("accept", "door", s.door.Name, "error", err)
			select { // out of descriptors: some will be closed soon
			case <-time.After(50 * time.Millisecond):
			case <-ctx.Done():
			}
			continue
		case err != nil:
			return fmt.Errorf("accept on %s: %w", l.Addr(), err)
		}
		if !s.add(conn) {
			s.host.Metrics.Error(s.door.Name, "too_many_connections")
			s.host.Log.Warn("too many connections", "door", s.door.Name, "client", conn.RemoteAddr().String())
			_ = conn.Close()
			continue
		}
		s.handlers.Go(func() { s.run(ctx, conn) })
	}
}

// isTemporary reports an error after which the listener still works: no descriptors or memory for now, or a client that
// left before it was accepted.
func isTemporary(err error) bool {
	for _, e := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func (s *serving) run(ctx context.Context, conn net.Conn) {
	defer func() {
		if p := recover(); p != nil {
			s.host.logPanic(s.door.Name, p)
		}
		s.mu.Lock()
		delete(s.conns, conn) // before it is closed: a client that sees the end may dial again at once
		s.mu.Unlock()
		s.host.Metrics.connections(s.door.Name, -1)
		_ = conn.Close()
	}()
	s.handle(ctx, conn)
}

func (s *serving) add(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.conns) >= s.door.MaxConnections {
		return false
	}
	s.conns[conn] = struct{}{}
	s.host.Metrics.connections(s.door.Name, +1)
	return true
}

func (s *serving) closeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = c.Close()
	}
}
