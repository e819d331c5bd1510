package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"rempart/node"
)

type serveCmd struct {
	Config string `required:"" type:"path" help:"Configuration file (TOML)." placeholder:"FILE"`
}

// Help is the long help.
func (serveCmd) Help() string {
	return `Runs a node: the front doors and the console of the file. It logs to standard error, one line a message.

Example:
  $ rempart config example > rempart.toml
  $ rempart serve --config rempart.toml

A changed file is taken over within seconds, or at once on SIGHUP, without dropping a connection; a wrong one is refused
and the old one stays. SIGTERM drains: no new work, what is in hand is finished, the state is written.`
}

// Run serves until the context ends.
func (c *serveCmd) Run(e *env) error {
	cfg, err := node.Load(c.Config)
	if err != nil {
		return err
	}
	last := stamp(c.Config, cfg.Files()) // applying what was taught may take minutes
	cfg.Version = version
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
	}
	runtime.MemProfileRate = 0 // nobody asks for the profile
	log := newLog(e)
	slog.SetDefault(log) // libraries log there
	n, err := node.Open(e.ctx, cfg, log, e.now)
	if err != nil {
		return err
	}
	watching := make(chan struct{})
	ctx, stop := context.WithCancel(e.ctx)
	go func() {
		defer close(watching)
		watch(ctx, c.Config, cfg.Files(), last, n, log)
	}()
	err = n.Serve(ctx, func() {
		log.Info("serving", "config", c.Config, "data", cfg.Data)
		if link, err := n.FirstLink(ctx); err != nil {
			log.Error("no link for the first administrator", "error", err)
		} else if link != "" {
			fmt.Fprintf(e.stderr, "\nOpen this page once to become the administrator; the link is good for a day:\n  %s\n\n", link)
		}
		notifySystemd("READY=1")
	})
	stop()
	<-watching
	if closeErr := n.Close(); err == nil {
		err = closeErr
	}
	return err
}

// garbagePercent is less than half of Go's default: most of what a node holds are tables that live as long as it does, and a small
// machine lacks memory before it lacks a processor. GOGC in the environment says otherwise.
const garbagePercent = 40

// newLog writes lines to standard error; under systemd the journal knows the time itself.
func newLog(e *env) *slog.Logger {
	options := &slog.HandlerOptions{}
	if os.Getenv("JOURNAL_STREAM") != "" {
		options.ReplaceAttr = func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 && a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}
	}
	return slog.New(slog.NewTextHandler(e.stderr, options))
}

// watchEvery: an editor's save is taken over before the operator looks again.
const watchEvery = 2 * time.Second

// watch takes over a configuration that is not as last any more, or the files that it names, on SIGHUP at once.
func watch(ctx context.Context, path string, files []string, last string, n *node.Node, log *slog.Logger) {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-hup:
		case <-ticker.C:
			if now := stamp(path, files); now == last {
				continue
			}
		}
		last = stamp(path, files)
		cfg, err := node.Load(path)
		if err == nil {
			err = n.Reload(cfg)
		}
		if err != nil {
			log.Error("configuration refused, the old one stays", "error", err)
		} else if !slices.Equal(files, cfg.Files()) {
			files, last = cfg.Files(), "" // one of them may have changed since it was read
		}
	}
}

// stamp changes when one of the files does.
func stamp(path string, files []string) string {
	var all strings.Builder
	for _, f := range append([]string{path}, files...) {
		if s, err := os.Stat(f); err == nil {
			fmt.Fprint(&all, s.ModTime().UnixNano(), s.Size())
		}
		all.WriteByte(' ')
	}
	return all.String()
}

// notifySystemd tells a Type=notify unit how we are (sd_notify(3)); without systemd it does nothing.
func notifySystemd(state string) {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return
	}
	conn, err := net.Dial("unixgram", path)
	if err != nil {
		return
	}
	defer conn.Close()
	_, _ = conn.Write([]byte(state)) // systemd's time-out tells of a lost word
}
