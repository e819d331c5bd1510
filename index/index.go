// Package index is the searchable record of what was judged: SQLite (index.db, WAL) of events, on the node that saw them,
// bounded by age and size.
//
// It stands off the judging path: [Index.Add] puts an event into a bounded queue and never waits; [Index.Run] writes in
// batches. Of what is no spam two hundred a second are kept ([Index.Wants]), and fewer when the queue is half full; when it
// or the disk is full, events are dropped and counted. Mail is never held up. An event's bytes are stored whole; beside them stands an inverted index
// of what people search by: addresses, domains, numbers, Message-ID, queue id, link hosts, words of the subject if the
// event has one. Rows are keyed by the time of the event in microseconds (the next free one), so that a range of time is
// a range of keys and pages follow one another by key, on ten million rows as on ten.
//
// Beside the events stands a list of what was learned here, sealed by the caller, and how many mails the filter before and we judged
// alike or otherwise, by the hour.
//
// index.db may be deleted while the node is stopped; it starts anew. An Index is safe for concurrent use.
package index

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"rempart/config"
	"rempart/durable"
)

// Config is the section [index].
type Config struct {
	// MaxAge is how long events and the list of lessons are kept. Default: 14d.
	MaxAge config.Duration `toml:"max_age"`
	// DraftAge is how long a judged message can be taught from the console. The hashed features that a lesson needs are
	// kept for so long, sealed; they are some 20 kB a mail. Default: 3d.
	DraftAge config.Duration `toml:"draft_age"`
	// MaxBytes bounds the size of index.db; the oldest events go first. Default: 4294967296 (4 GiB).
	MaxBytes int64 `toml:"max_bytes"`
}

const (
	defaultMaxAge   = 14 * 24 * time.Hour
	defaultDraftAge = 3 * 24 * time.Hour
	defaultMaxBytes = 4 << 30
	queueLength     = 8192 // a second or two of the busiest node; some 4 kB each
)

// ErrNotFound: no such event, or it was too old.
var ErrNotFound = errors.New("index: no such event")

// Index is an open index.db.
type Index struct {
	config Config
	log    *slog.Logger
	write  *sql.DB // one connection
	read   *sql.DB
	queue  chan entry

	rest        *rate.Limiter // of what is no spam
	seen        atomic.Uint64 // for the sample
	written     atomic.Uint64
	leftOut     atomic.Uint64
	dropped     atomic.Uint64
	droppedSpam atomic.Uint64
	failure     atomic.Pointer[string] // why the last batch was not written; nil if it was
}

// The version of tables and terms. A file of another version is deleted: it only holds what expires within days.
const schemaVersion = 5

const schema = `
CREATE TABLE events (
	seq     INTEGER PRIMARY KEY, -- microseconds since 1970
	id      TEXT NOT NULL,
	channel INTEGER NOT NULL,
	action  INTEGER NOT NULL,    -- of the worst outcome
	score   INTEGER NOT NULL,    -- of its verdict, millionths of log-odds
	record  BLOB NOT NULL
);
CREATE INDEX events_id ON events (id);
CREATE INDEX events_channel ON events (channel, seq);
CREATE INDEX events_action ON events (action, seq);
CREATE INDEX events_channel_action ON events (channel, action, seq);
CREATE TABLE drafts (
	seq    INTEGER PRIMARY KEY,  -- of the event
	record BLOB NOT NULL         -- sealed
);
CREATE TABLE lessons (
	seq     INTEGER PRIMARY KEY, -- microseconds since 1970
	id      TEXT NOT NULL,
	journal INTEGER NOT NULL,    -- its number there
	record  BLOB NOT NULL        -- sealed
);
CREATE INDEX lessons_id ON lessons (id);
CREATE TABLE terms (
	term    TEXT NOT NULL,
	seq     INTEGER NOT NULL,
	channel INTEGER NOT NULL,
	action  INTEGER NOT NULL,
	PRIMARY KEY (term, seq)
) WITHOUT ROWID;
CREATE TABLE agreements (        -- events by hour and term of agreement, so that a million need not be counted
	hour INTEGER NOT NULL,       -- since 1970
	term TEXT NOT NULL,
	n    INTEGER NOT NULL,
	PRIMARY KEY (hour, term)
) WITHOUT ROWID;
`

// Open opens index.db in dir, made with mode 0600. A file that is damaged, or of another version, is replaced.
func Open(ctx context.Context, dir string, config Config, log *slog.Logger) (*Index, error) {
	if config.MaxAge == 0 {
		config.MaxAge = configDuration(defaultMaxAge)
	}
	if config.DraftAge == 0 {
		config.DraftAge = configDuration(defaultDraftAge)
	}
	if config.MaxBytes == 0 {
		config.MaxBytes = defaultMaxBytes
	}
	if config.MaxAge < 0 || config.DraftAge < 0 || config.MaxBytes < 0 {
		return nil, errors.New("index.max_age, index.draft_age, index.max_bytes: must not be negative")
	}
	if err := durable.MakeDir(dir); err != nil {
		return nil, fmt.Errorf("open index: %w", err)
	}
	x := &Index{config: config, log: log, queue: make(chan entry, queueLength),
		rest: rate.NewLimiter(restRate, restBurst)}
	path := filepath.Join(dir, "index.db")
	err := x.open(ctx, path)
	if err != nil && isDamaged(err) {
		log.Warn("index begins anew", "error", err)
		x.Close()
		for _, suffix := range []string{"", "-wal", "-shm"} {
			if err := durable.Remove(path + suffix); err != nil {
				return nil, fmt.Errorf("open index: %w", err)
			}
		}
		err = x.open(ctx, path)
	}
	if err != nil {
		x.Close()
		return nil, fmt.Errorf("open index %s: %w", path, err)
	}
	return x, nil
}

func configDuration(d time.Duration) config.Duration { return config.Duration(d) }

var errOtherVersion = errors.New("file of another version")

func isDamaged(err error) bool {
	text := err.Error()
	return errors.Is(err, errOtherVersion) || strings.Contains(text, "not a database") || strings.Contains(text, "malformed")
}

func (x *Index) open(ctx context.Context, path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) // SQLite would make it readable for all
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	// synchronous=NORMAL: after a power failure the last batches may be missing, the file is whole.
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() + "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=secure_delete(1)&_pragma=journal_size_limit(67108864)&_pragma=wal_autocheckpoint(8000)"
	if x.write, err = sql.Open("sqlite", dsn); err != nil {
		return err
	}
	x.write.SetMaxOpenConns(1)
	if x.read, err = sql.Open("sqlite", dsn+"&_pragma=query_only(1)"); err != nil {
		return err
	}
	x.read.SetMaxOpenConns(4)
	var version, tables int
	if err := x.write.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	if err := x.write.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master").Scan(&tables); err != nil {
		return err
	}
	switch {
	case tables > 0 && version != schemaVersion:
		return errOtherVersion
	case tables > 0:
		return nil
	}
	_, err = x.write.ExecContext(ctx, "BEGIN;"+schema+fmt.Sprintf("PRAGMA user_version = %d; COMMIT", schemaVersion))
	return err
}

// Close closes the file. What Run has not written by then is dropped: end Run first.
func (x *Index) Close() error {
	var errs []error
	for _, db := range []*sql.DB{x.read, x.write} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

// Stats is what the console shows of the index.
type Stats struct {
	Written     uint64 // events since the start
	LeftOut     uint64 // of what is no spam, since the start: see [Index.Wants]
	Dropped     uint64 // neither written nor queued since the start, spam not counted here
	DroppedSpam uint64
	Queued      int
	Bytes       int64
	Oldest      time.Time // zero if there is no event
	Newest      time.Time
	Error       string // why events are dropped now; empty if they are not
}

// Stats takes milliseconds.
func (x *Index) Stats(ctx context.Context) (Stats, error) {
	s := Stats{Written: x.written.Load(), LeftOut: x.leftOut.Load(), Dropped: x.dropped.Load(), DroppedSpam: x.droppedSpam.Load(), Queued: len(x.queue)}
	if why := x.failure.Load(); why != nil {
		s.Error = *why
	}
	var oldest, newest sql.NullInt64
	if err := x.read.QueryRowContext(ctx, "SELECT (SELECT min(seq) FROM events), (SELECT max(seq) FROM events)").Scan(&oldest, &newest); err != nil {
		return s, fmt.Errorf("index: %w", err)
	}
	if oldest.Valid {
		s.Oldest, s.Newest = time.UnixMicro(oldest.Int64).UTC(), time.UnixMicro(newest.Int64).UTC()
	}
	var err error
	s.Bytes, err = size(ctx, x.read)
	return s, err
}

// size is the bytes in use; SQLite keeps pages that became free for later rows.
func size(ctx context.Context, db *sql.DB) (int64, error) {
	var pages, free, bytes int64
	err := db.QueryRowContext(ctx, "SELECT * FROM pragma_page_count, pragma_freelist_count, pragma_page_size").Scan(&pages, &free, &bytes)
	if err != nil {
		return 0, fmt.Errorf("index size: %w", err)
	}
	return (pages - free) * bytes, nil
}
