package gateway

import (
	"context"
	"errors"
	"log"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/netutil"
	"golang.org/x/sync/errgroup"
)

// BodyTimeout is how long a request may take to come in: a mail of 32 MiB needs its minute on a slow line.
const BodyTimeout = 2 * time.Minute

const (
	headerTimeout  = 10 * time.Second
	idleTimeout    = 2 * time.Minute
	maxHeaderBytes = 256 << 10 // a thousand recipients, each in a header of its own
)

// ServeHTTP serves HTTP/1 until ctx is done, door.MaxConnections at a time; requests in hand are answered, for door.Drain
// at most. A handler that panics has to be guarded by the caller, who knows what to answer.
func (h *Host) ServeHTTP(ctx context.Context, door *Door, listeners []net.Listener, handler http.Handler) error {
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: headerTimeout, ReadTimeout: BodyTimeout, IdleTimeout: idleTimeout,
		WriteTimeout: BodyTimeout + time.Duration(door.Budget)*2, MaxHeaderBytes: maxHeaderBytes,
		ErrorLog: log.New(errorLog{h.Log}, "", 0),
	}
	g, ctx := errgroup.WithContext(ctx)
	for _, l := range listeners {
		l = netutil.LimitListener(l, door.MaxConnections)
		g.Go(func() error {
			if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		})
	}
	g.Go(func() error {
		<-ctx.Done()
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Duration(door.Drain))
		defer cancel()
		if err := server.Shutdown(drain); err != nil {
			return errors.Join(err, server.Close())
		}
		return nil
	})
	return g.Wait()
}

// errorLog writes the HTTP server's complaints as log lines.
type errorLog struct{ log *slog.Logger }

func (e errorLog) Write(b []byte) (int, error) {
	e.log.Warn("http", "error", string(b))
	return len(b), nil
}
