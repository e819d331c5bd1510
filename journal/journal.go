// Package journal is the log of what nodes agree on: lessons, rules, settings, accounts, the audit trail, tallies. It is
// an embedded NATS JetStream that opens no port, or the operator's own cluster.
//
// [Journal.Append] returns when the record is synced to disk (in a cluster: by a majority). Appends that meet are put
// into one message and share one sync. A record has an id; the same id appended again, at any time, is applied once: by
// the writer, which knows the ids of the log, and in a cluster by every reader. [Journal.Replay] and [Journal.Follow]
// give each record in the order of its sequence number. Sequence numbers rise but have gaps: the number of the JetStream
// message times 256, plus the place in it.
//
// Stream [Tallies] keeps only the last revision of each id. Its readers may see a revision again and take the highest.
//
// When the disk is full, appends give [ErrNoSpace] and JetStream stops; [Journal.Run] starts it again when there is
// room. A Journal is safe for concurrent use. docs/formats.md specifies the bytes.
package journal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"rempart/durable"
)

// What callers decide on.
var (
	// ErrNoSpace: the disk or the stream's share is full; the same append may be tried again later.
	ErrNoSpace = errors.New("journal: no space")
	// ErrNoAnswer: the disk has room, but does not answer in time; the same append may be tried again later.
	ErrNoAnswer = errors.New("journal: the disk does not answer")
	// ErrLocked: another process uses this directory.
	ErrLocked = errors.New("journal: locked")
	// ErrClosed: after Close.
	ErrClosed = errors.New("journal: closed")
	// ErrDamaged: a snapshot or archive is not what was written.
	ErrDamaged = errors.New("journal: damaged")
	// ErrTooLarge: a record has more than [MaxRecord] bytes.
	ErrTooLarge = errors.New("journal: record too large")
)

// MaxRecord is the largest record; a message of that size still fits JetStream's 8 MiB with its envelope.
const MaxRecord = 4 << 20

// Journal is an open log.
type Journal struct {
	dir    string
	config Config
	log    *slog.Logger
	lock   *os.File
	logs   map[Stream]*stream

	outbox sync.Mutex // held while a record is put into it, and while it is found empty

	mu     sync.Mutex
	srv    *server.Server // nil with a cluster
	conn   *nats.Conn
	js     jetstream.JetStream
	closed bool
	behind map[Stream]bool // records of it wait in the outbox: what comes waits behind them
	sick   bool            // the embedded server stopped answering: Run starts it again
	err    error           // last one, for Health
}

// Open opens the journal under dir (snapshots lie there too when a cluster holds the log) and makes its streams. The
// context bounds opening only.
func Open(ctx context.Context, dir string, config Config, log *slog.Logger) (*Journal, error) {
	if err := config.Check(); err != nil {
		return nil, err
	}
	if config.MaxBytes == 0 {
		config.MaxBytes = defaultMaxBytes
	}
	if err := durable.MakeDir(filepath.Join(dir, snapshotDir)); err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, fmt.Errorf("open journal %s: %w", dir, err)
	}
	j := &Journal{dir: dir, config: config, log: log, lock: lock, logs: make(map[Stream]*stream), behind: make(map[Stream]bool)}
	for _, s := range streams {
		j.logs[s.name] = &stream{name: s.name, latest: s.latest, ids: make(map[idHash]uint64)}
	}
	if err := j.sweep(); err != nil {
		lock.Close()
		return nil, fmt.Errorf("open journal: %w", err)
	}
	if err := j.start(ctx); err != nil {
		j.stop()
		lock.Close()
		return nil, fmt.Errorf("open journal %s: %w", dir, err)
	}
	return j, nil
}

// sweep removes what a crash left half written, and finds what waits in the outbox.
func (j *Journal) sweep() error {
	if err := durable.Sweep(filepath.Join(j.dir, snapshotDir)); err != nil {
		return err
	}
	err := durable.Sweep(filepath.Join(j.dir, outboxDir))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return j.eachWaiting(func(r queuedRecord) error {
		j.behind[r.stream] = true
		return nil
	})
}

// Close ends all reading and appending; what was acknowledged is on disk already.
func (j *Journal) Close() error {
	j.mu.Lock()
	if j.closed {
		j.mu.Unlock()
		return nil
	}
	j.closed = true
	j.mu.Unlock()
	j.stop()
	return j.lock.Close()
}

// lockDir takes the lock that ends with the process, however it ends.
func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		var pid int
		fmt.Fscan(f, &pid)
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%w by process %d", ErrLocked, pid)
		}
		return nil, err
	}
	if err := f.Truncate(0); err == nil {
		fmt.Fprintln(f, os.Getpid()) // only told to the one who finds it locked: a full disk does not matter
	}
	return f, nil
}

// start connects to a fresh embedded server or to the cluster, and makes the streams.
func (j *Journal) start(ctx context.Context) error {
	var srv *server.Server
	opts := []nats.Option{nats.Name("rempart"), nats.MaxReconnects(-1), nats.ReconnectWait(time.Second)}
	url := nats.DefaultURL
	if !j.Shared() {
		var err error
		if srv, err = startServer(j.dir, j.config.MaxBytes); err != nil {
			return err
		}
		opts = append(opts, nats.InProcessServer(srv), nats.NoReconnect())
	} else {
		url = ""
		for i, s := range j.config.Servers {
			if i > 0 {
				url += ","
			}
			url += s
		}
		if j.config.Credentials != "" {
			opts = append(opts, nats.UserCredentials(j.config.Credentials))
		}
	}
	conn, err := nats.Connect(url, opts...)
	if err != nil {
		shutdown(srv)
		return err
	}
	js, err := jetstream.New(conn)
	if err == nil {
		err = j.makeStreams(ctx, js)
	}
	if err != nil {
		conn.Close()
		shutdown(srv)
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed { // while Run was starting it again
		conn.Close()
		shutdown(srv)
		return ErrClosed
	}
	j.srv, j.conn, j.js, j.sick = srv, conn, js, false
	return nil
}

func startServer(dir string, maxBytes int64) (*server.Server, error) {
	srv, err := server.NewServer(&server.Options{
		ServerName: "rempart", JetStream: true, StoreDir: dir, SyncAlways: true, DontListen: true, NoSigs: true, NoLog: true,
		JetStreamMaxMemory: maxMemory, JetStreamMaxStore: maxBytes, MaxPayload: 2 * MaxRecord,
	})
	if err != nil {
		return nil, err
	}
	srv.Start()
	if !srv.ReadyForConnections(30*time.Second) || !srv.JetStreamEnabled() {
		shutdown(srv)
		return nil, errors.New("JetStream did not start")
	}
	return srv, nil
}

func shutdown(srv *server.Server) {
	if srv != nil {
		srv.Shutdown()
		srv.WaitForShutdown()
	}
}

func (j *Journal) stop() {
	j.mu.Lock()
	srv, conn := j.srv, j.conn
	j.srv, j.conn, j.js = nil, nil, nil
	j.mu.Unlock()
	if conn != nil {
		conn.Close()
	}
	shutdown(srv)
}

func (j *Journal) makeStreams(ctx context.Context, js jetstream.JetStream) error {
	var all errgroup.Group // at once: each may have to wait for its leader
	for _, s := range streams {
		all.Go(func() error {
			return j.insist(ctx, func(ctx context.Context) error { return j.makeStream(ctx, js, s.name) })
		})
	}
	return all.Wait()
}

func (j *Journal) makeStream(ctx context.Context, js jetstream.JetStream, name Stream) error {
	old, err := js.Stream(ctx, jsName(name))
	switch {
	case err == nil:
		return j.widen(ctx, js, old.CachedInfo().Config, name)
	case !errors.Is(err, jetstream.ErrStreamNotFound):
		return fmt.Errorf("stream %s: %w", name, err)
	}
	if _, err := js.CreateStream(ctx, j.streamConfig(name, 0)); err != nil && !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
		return fmt.Errorf("make stream %s: %w", name, err)
	}
	return nil
}

// widen gives a stream of an earlier start the room that the configuration allows now. It is never narrowed: what is there
// stays.
func (j *Journal) widen(ctx context.Context, js jetstream.JetStream, c jetstream.StreamConfig, name Stream) error {
	want := j.streamConfig(name, 0).MaxBytes
	if want <= c.MaxBytes || c.MaxBytes <= 0 {
		return nil
	}
	c.MaxBytes = want
	if _, err := js.UpdateStream(ctx, c); err != nil {
		return fmt.Errorf("widen stream %s: %w", name, err)
	}
	return nil
}

func (j *Journal) streamConfig(name Stream, first uint64) jetstream.StreamConfig {
	c := jetstream.StreamConfig{Name: jsName(name), Subjects: []string{subject(name) + ".>"}, Storage: jetstream.FileStorage,
		Discard: jetstream.DiscardNew, FirstSeq: first, Replicas: 1}
	if len(j.config.Servers) > 1 {
		c.Replicas = 3
	}
	for _, s := range streams {
		if s.name != name {
			continue
		}
		c.MaxAge = s.age
		if !j.Shared() {
			c.MaxBytes = j.config.MaxBytes / 100 * s.share
		}
		if s.latest {
			c.MaxMsgsPerSubject = 1
			c.Discard = jetstream.DiscardOld // a newer revision takes the place of the older one
		}
	}
	return c
}

func jsName(s Stream) string  { return "rempart-" + string(s) }
func subject(s Stream) string { return "rempart." + string(s) }

// current is the connection in use; [ErrNoSpace] while the embedded JetStream is down.
func (j *Journal) current() (jetstream.JetStream, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.closed:
		return nil, ErrClosed
	case j.down():
		return nil, j.why()
	}
	return j.js, nil
}

// roomy is so much free space that it cannot be what appends fail for.
const roomy = 64 << 20

// why is the reason that the journal takes no records. The caller holds mu.
func (j *Journal) why() error {
	if j.sick && free(j.dir) >= roomy {
		return ErrNoAnswer
	}
	return ErrNoSpace
}

func (j *Journal) log0(name Stream) (*stream, error) {
	s := j.logs[name]
	if s == nil {
		return nil, fmt.Errorf("journal: there is no stream %q", name)
	}
	return s, nil
}
