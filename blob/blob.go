// Package blob keeps message bodies on disk, sealed by the keyring, each with an expiry: what quarantine holds, and
// originals kept for learning again.
//
// [Store.Put] returns when the body is synced. A body is one file, FIRST/ID under the store's directory, FIRST being two
// characters of the hash of its id; it is written beside its place and renamed, so that after a crash it is whole or not
// there. Its header, in clear, is expiry and size; the body is sealed in chunks of 64 KiB, each tied to id, place and
// header, the last one marked: chunks cannot be left out, swapped or cut off. docs/formats.md specifies the file.
// [Store.Run] deletes what has expired. A Store is safe for concurrent use.
package blob

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"rempart/durable"
	"rempart/keyring"
)

// What callers decide on.
var (
	// ErrNotFound: never put, deleted, or expired.
	ErrNotFound = errors.New("blob: no such body")
	// ErrDamaged: the file is not what was written.
	ErrDamaged = errors.New("blob: the body is damaged")
	// ErrTooLarge: more than MaxBytes.
	ErrTooLarge = errors.New("blob: the body is too large")
	// ErrID: an id is 1 to 128 letters, digits, and "-_.", not beginning with a dot.
	ErrID = errors.New("blob: not an id")
)

// MaxBytes is the largest body.
const MaxBytes = 256 << 20

const (
	version    = 1
	headSize   = 1 + 8 + 4 // version, expiry, length of a full sealed chunk
	chunkSize  = 64 << 10
	sweepEvery = 10 * time.Minute
)

var validID = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$`)

// Store is a directory of bodies.
type Store struct {
	dir  string
	keys *keyring.Ring
	log  *slog.Logger
	now  func() time.Time
}

// Open opens the store in dir and clears what a crash left half written.
func Open(dir string, keys *keyring.Ring, log *slog.Logger) (*Store, error) {
	for first := range 256 {
		sub := filepath.Join(dir, fmt.Sprintf("%02x", first))
		if err := durable.MakeDir(sub); err != nil {
			return nil, fmt.Errorf("open blobs: %w", err)
		}
		if err := durable.Sweep(sub); err != nil {
			return nil, fmt.Errorf("open blobs: %w", err)
		}
	}
	return &Store{dir: dir, keys: keys, log: log, now: time.Now}, nil
}

func (s *Store) path(id string) (string, error) {
	if !validID.MatchString(id) || strings.HasSuffix(id, durable.TempSuffix) {
		return "", ErrID
	}
	h := sha256.Sum256([]byte(id))
	return filepath.Join(s.dir, hex.EncodeToString(h[:1]), id), nil
}

// Put keeps what r gives under id, sealed for scope, until expires (to the second). It replaces a body of the same id. After
// an error nothing has changed.
func (s *Store) Put(ctx context.Context, id string, scope keyring.Scope, expires time.Time, r io.Reader) error {
	path, err := s.path(id)
	if err != nil {
		return err
	}
	var head [headSize]byte
	head[0] = version
	binary.BigEndian.PutUint64(head[1:], uint64(expires.Unix()))
	binary.BigEndian.PutUint32(head[9:], uint32(keyring.SealedSize(chunkSize)))
	err = durable.Write(path, func(w io.Writer) error {
		if _, err := w.Write(head[:]); err != nil {
			return err
		}
		return s.seal(ctx, w, id, scope, head[:], r)
	})
	if err != nil {
		return fmt.Errorf("put body %s: %w", id, err)
	}
	return nil
}

// seal writes full chunks and one last that is shorter, perhaps empty.
func (s *Store) seal(ctx context.Context, w io.Writer, id string, scope keyring.Scope, head []byte, r io.Reader) error {
	chunk := make([]byte, chunkSize)
	for place := uint64(0); ; place++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		if place*chunkSize > MaxBytes {
			return ErrTooLarge
		}
		n, err := io.ReadFull(r, chunk)
		last := err == io.EOF || err == io.ErrUnexpectedEOF
		if err != nil && !last {
			return err
		}
		sealed, err := s.keys.Seal(scope, chunk[:n], additional(head, id, place, last))
		if err != nil {
			return err
		}
		if _, err := w.Write(sealed); err != nil || last {
			return err
		}
	}
}

// additional ties a chunk to its header, id, and place, and says whether it is the last.
func additional(head []byte, id string, place uint64, last bool) []byte {
	b := append(make([]byte, 0, len(head)+len(id)+16), head...)
	b = binary.BigEndian.AppendUint64(b, place)
	if last {
		b = append(b, 1)
	} else {
		b = append(b, 0)
	}
	return append(b, id...)
}

// Get opens a body; close it. Reading gives [ErrDamaged] or [keyring.ErrDestroyed] when a chunk cannot be opened: what was
// read before that is genuine. An expired body is [ErrNotFound], swept or not.
func (s *Store) Get(ctx context.Context, id string) (io.ReadCloser, error) {
	path, err := s.path(id)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("get body: %w", err)
	}
	b := &body{ctx: ctx, keys: s.keys, file: f, id: id}
	if b.head, b.size, err = readHead(f); err == nil && !expiry(b.head).After(s.now()) {
		err = ErrNotFound
	}
	if err == nil {
		err = b.next() // tells an erased or damaged body before anything is shown
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return b, nil
}

// body reads chunk by chunk.
type body struct {
	ctx   context.Context // of Get: a reader has no other way to be told
	keys  *keyring.Ring
	file  *os.File
	id    string
	head  []byte
	size  int // of a full sealed chunk
	place uint64
	plain []byte
	last  bool
}

func readHead(f io.Reader) (head []byte, size int, err error) {
	head = make([]byte, headSize)
	if _, err := io.ReadFull(f, head); err != nil || head[0] != version {
		return nil, 0, ErrDamaged
	}
	size = int(binary.BigEndian.Uint32(head[9:]))
	if size < keyring.SealedSize(1) || size > keyring.SealedSize(1<<20) {
		return nil, 0, ErrDamaged
	}
	return head, size, nil
}

func expiry(head []byte) time.Time { return time.Unix(int64(binary.BigEndian.Uint64(head[1:])), 0) }

func (b *body) next() error {
	if err := b.ctx.Err(); err != nil {
		return err
	}
	sealed := make([]byte, b.size)
	n, err := io.ReadFull(b.file, sealed)
	if err != nil && err != io.ErrUnexpectedEOF {
		return ErrDamaged // ends without a last chunk, or the disk fails
	}
	b.last = n < b.size // the last chunk is always shorter
	b.plain, err = b.keys.Open(sealed[:n], additional(b.head, b.id, b.place, b.last))
	b.place++
	switch {
	case errors.Is(err, keyring.ErrDestroyed), errors.Is(err, keyring.ErrNoKey):
		return err
	case err != nil:
		return ErrDamaged
	}
	return nil
}

func (b *body) Read(p []byte) (int, error) {
	for len(b.plain) == 0 {
		if b.last {
			return 0, io.EOF
		}
		if err := b.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, b.plain)
	b.plain = b.plain[n:]
	return n, nil
}

func (b *body) Close() error { return b.file.Close() }

// Delete removes a body for good; one that is not there is no error.
func (s *Store) Delete(ctx context.Context, id string) error {
	path, err := s.path(id)
	if err != nil {
		return err
	}
	if err := durable.Remove(path); err != nil {
		return fmt.Errorf("delete body: %w", err)
	}
	return nil
}
